/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c: who the client is, as far as its address and the MTA tell. */
#include "config.h"

#include "src/check/check.h"

mxw__client_class_t mxw__client_classify(const struct mxw_conf *conf, const struct mxw_ip *client)
{
	if (!client->family)
		return MXW__CLIENT_LOCAL;
	/* A relay is often inside as well; what it is for says more than where it stands. */
	if (mxw__in_networks(&conf->relays, client))
		return MXW__CLIENT_RELAY;
	return mxw__in_networks(&conf->internal, client) ? MXW__CLIENT_INTERNAL : MXW__CLIENT_OUTSIDE;
}

enum { PORT_SUBMISSION = 587, PORT_SUBMISSIONS = 465 };

/* Users log in at the ports of RFC 6409 and RFC 8314, whether a section says so or not: rules are to spare them there. */
static const char *find_listener(const struct mxw_conf *conf, const char *daemon_name, uint16_t port)
{
	for (size_t i = 0; i < conf->nlisteners; i++) {
		const struct mxw__listener_conf *l = &conf->listeners[i];
		if (l->port && l->port != port)
			continue;
		if (*l->daemon_name && mxw__ascii_casecmp(l->daemon_name, daemon_name) != 0)
			continue;
		return l->name;
	}
	return port == PORT_SUBMISSION ? "submission" : port == PORT_SUBMISSIONS ? "submissions" : NULL;
}

static void run(struct mxw__check_ctx *ctx)
{
	static const char *const class_words[] = {
		[MXW__CLIENT_OUTSIDE] = "outside",
		[MXW__CLIENT_INTERNAL] = "internal",
		[MXW__CLIENT_RELAY] = "relay",
		[MXW__CLIENT_LOCAL] = "local",
	};
	struct mxw__envelope *env = ctx->env;

	env->client_class = mxw__client_classify(ctx->conf, &env->client);
	mxw_facts_set(ctx->facts, MXW__FACT_CLIENT_CLASS, class_words[env->client_class]);
	mxw_facts_set(ctx->facts, MXW__FACT_CLIENT_FORWARDER,
		      env->client.family && mxw__in_networks(&ctx->conf->forwarders, &env->client) ? "yes" : "no");
	if (env->client.family)
		mxw_facts_set_ip(ctx->facts, MXW__FACT_CLIENT_ADDRESS, &env->client);
	if (*env->client_name)
		mxw_facts_set(ctx->facts, MXW__FACT_CLIENT_NAME, env->client_name);
	const char *listener = find_listener(ctx->conf, env->daemon_name, env->daemon_port);
	if (listener)
		mxw_facts_set(ctx->facts, MXW__FACT_LISTENER, listener);
}

static const mxw_fact_id_t facts[] = {
	MXW__FACT_CLIENT_ADDRESS, MXW__FACT_CLIENT_NAME, MXW__FACT_CLIENT_CLASS, MXW__FACT_CLIENT_FORWARDER,
	MXW__FACT_LISTENER,
};

const struct mxw__check mxw__check_client = {
	.name = "client",
	.stage = MXW_STAGE_CONNECT,
	.scope = MXW_SCOPE_SESSION,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.run = run,
};
