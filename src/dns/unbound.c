/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unbound.h>
#include <unistd.h>

#include "src/dns/dns.h"

enum {
	CLASS_IN = 1,
	SOCKETS_MAX = 4096, /* libunbound's default of 16 lets one dead zone delay all others for many seconds */
	SOCKETS_MIN = 64,
	RESOLV_CONF_MAX = 65536
};

struct mxw__unbound {
	struct ub_ctx *ctx;
	pthread_t reaper;
	int stop; /* an eventfd */
	bool has_reaper;
};

/* ---- results ---- */

static mxw_dns_answer_t *found(const struct ub_result *result, uint32_t ttl_s)
{
	size_t n = 0;

	while (result->data[n])
		n++;
	struct mxw__rdata *items = mxw__calloc(n ? n : 1, sizeof(*items));
	if (!items)
		return mxw__dns_answer_static(MXW__DNS_NO_MEMORY);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct mxw__rdata){(const uint8_t *)result->data[i], (size_t)result->len[i]};
	mxw_dns_answer_t *answer = mxw__dns_answer_from_rdata((uint16_t)result->qtype, items, n, ttl_s);
	free(items);
	return answer;
}

mxw_dns_answer_t *mxw__unbound_answer(int error, const struct ub_result *result,
				      const struct mxw__dns_lifetimes *lifetimes)
{
	if (error != 0 || !result)
		return mxw__dns_answer_empty(MXW_TEMPORARY, 2, mxw__dns_lifetime_s(lifetimes, MXW_TEMPORARY, 0));
	uint32_t ttl_s = result->ttl > 0 ? (uint32_t)result->ttl : 0;
	mxw_dns_answer_t *answer;
	/* Bogus first: such a result may have data. */
	if (result->bogus)
		answer = mxw__dns_answer_empty(MXW_TEMPORARY, 2, 0);
	else if (result->havedata && result->rcode == 0)
		answer = found(result, ttl_s);
	else if (result->rcode == 0 || result->rcode == 3)
		answer = mxw__dns_answer_empty(MXW_NOT_FOUND, result->rcode, ttl_s);
	else
		answer = mxw__dns_answer_empty(MXW_TEMPORARY, 2, 0);
	if (answer == mxw__dns_answer_static(MXW__DNS_NO_MEMORY))
		return answer;
	answer->ttl_s = mxw__dns_lifetime_s(lifetimes, answer->outcome, answer->ttl_s);
	answer->is_secure = result->secure && answer->outcome != MXW_TEMPORARY;
	answer->is_bogus = result->bogus;
	return answer;
}

static void on_result(void *ctx, int error, struct ub_result *result)
{
	struct mxw__dns_pending *pending = ctx;

	/* NULL: the question that only starts libunbound's thread. */
	if (pending)
		pending->done(pending, mxw__unbound_answer(error, result, pending->lifetimes));
	ub_resolve_free(result);
}

bool mxw__unbound_send(mxw__unbound_t *unbound, const struct mxw__dns_key *key, struct mxw__dns_pending *pending)
{
	return ub_resolve_async(unbound->ctx, *key->name ? key->name : ".", key->type, CLASS_IN, pending, on_result,
				NULL) == 0;
}

static void *reap(void *arg)
{
	mxw__unbound_t *unbound = arg;
	struct pollfd fds[2] = {{ub_fd(unbound->ctx), POLLIN, 0}, {unbound->stop, POLLIN, 0}};

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			return NULL;
		if (fds[0].revents)
			ub_process(unbound->ctx);
	}
}

/* ---- options ---- */

static mxw_status_t set_options(struct ub_ctx *ctx, const char *const (*options)[2], size_t n, struct mxw_error *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = ub_ctx_set_option(ctx, options[i][0], options[i][1]);
		if (rc != 0)
			return mxw__fail(err, MXW_ERR_SYSTEM, "libunbound refuses %s %s: %s", options[i][0],
					 options[i][1], ub_strerror(rc));
	}
	return MXW_OK;
}

unsigned mxw__unbound_capacity(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 2 >= SOCKETS_MAX)
		return SOCKETS_MAX;
	return limit.rlim_cur / 2 > SOCKETS_MIN ? (unsigned)(limit.rlim_cur / 2) : SOCKETS_MIN;
}

static mxw_status_t set_common(struct ub_ctx *ctx, struct mxw_error *err)
{
	char sockets[16];

	snprintf(sockets, sizeof(sockets), "%u", mxw__unbound_capacity());
	const char *const options[][2] = {
		{"outgoing-range:", sockets},
		{"num-queries-per-thread:", "4096"},
		/* A resolver on this machine is what most sites have. */
		{"do-not-query-localhost:", "no"},
	};
	return set_options(ctx, options, MXW_ARRAY_LEN(options), err);
}

/*
 * What libunbound thinks of name servers is made for hundreds of them. We have one or two, and they may have good
 * reasons to be slow on one question:
 * - a short memory (infra-host-ttl), or a server that was away for a minute is shunned for many seconds after;
 * - no retransmission before 600 ms (infra-cache-min-rtt), twice as often as outbound-msg-retry says. Unchanged it would be 20
 *   packets, given up after 1.4 s where the server is otherwise fast;
 * - nor of a first question before 1200 ms (unknown-server-time-limit, 376 unchanged): libunbound does not take the answer to a
 *   question that it has sent again, so that one which takes a second would come after two;
 * - infra-cache-max-rtt must stay as it is: with any lower value a server that left some questions unanswered
 *   gets no more of them at all.
 */
static mxw_status_t set_forwarding(struct ub_ctx *ctx, struct mxw_error *err)
{
	static const char *const options[][2] = {
		{"infra-host-ttl:", "5"},
		{"infra-cache-min-rtt:", "600"},
		{"unknown-server-time-limit:", "1200"},
		{"outbound-msg-retry:", "2"},
		/* The site's own resolver knows its private networks. */
		{"unblock-lan-zones:", "yes"},
	};
	return set_options(ctx, options, MXW_ARRAY_LEN(options), err);
}

/* "192.0.2.1" or "192.0.2.1@5353". */
static bool is_server_address(const char *text)
{
	char host[MXW_IP_TEXT_MAX];
	struct mxw_ip ip;
	const char *at = strchr(text, '@');
	size_t len = at ? (size_t)(at - text) : strlen(text);
	uint64_t port = 53;

	if (len >= sizeof(host) || (at && (!mxw__parse_u64(at + 1, &port) || port < 1 || port > 65535)))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	return strspn(host, "0123456789abcdefABCDEF:.") == len && mxw_ip_parse(host, &ip) == MXW_OK;
}

static mxw_status_t forward_to(struct ub_ctx *ctx, const char *address, struct mxw_error *err)
{
	if (!is_server_address(address))
		return mxw__fail(err, MXW_ERR_CONF, "\"%s\" is no address of a name server; 192.0.2.1 or "
				 "192.0.2.1@53 was expected", address);
	int rc = ub_ctx_set_fwd(ctx, address);
	if (rc != 0)
		return mxw__fail(err, MXW_ERR_CONF, "can't forward to %s: %s", address, ub_strerror(rc));
	return MXW_OK;
}

/* resolv.conf(5): without a nameserver line it is the one on this machine. libunbound would go to the root. */
static mxw_status_t forward_to_system(struct ub_ctx *ctx, struct mxw_error *err)
{
	static const char path[] = "/etc/resolv.conf";
	char *text = NULL;
	size_t len;
	bool has_server = false;

	if (mxw__file_read(path, RESOLV_CONF_MAX, &text, &len, NULL) == MXW_OK)
		for (const char *line = text; line && !has_server; line = strchr(line, '\n')) {
			line += strspn(line, "\n \t");
			has_server = strncmp(line, "nameserver", 10) == 0 && mxw__ascii_isspace(line[10]);
		}
	free(text);
	if (!has_server)
		return forward_to(ctx, "127.0.0.1", err);
	int rc = ub_ctx_resolvconf(ctx, path);
	return rc == 0 ? MXW_OK : mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, ub_strerror(rc));
}

/* Where Debian's and Fedora's packages keep the root's keys; else the keys themselves (IANA, 2017 and 2024). */
static mxw_status_t trust_root(struct ub_ctx *ctx, struct mxw_error *err)
{
	static const char *const files[] = {"/usr/share/dns/root.key", "/var/lib/unbound/root.key",
					    "/etc/unbound/root.key"};
	static const char *const anchors[] = {
		". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
		". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
	};
	for (size_t i = 0; i < MXW_ARRAY_LEN(files); i++)
		if (access(files[i], R_OK) == 0 && ub_ctx_add_ta_file(ctx, files[i]) == 0)
			return MXW_OK;
	for (size_t i = 0; i < MXW_ARRAY_LEN(anchors); i++) {
		int rc = ub_ctx_add_ta(ctx, anchors[i]);
		if (rc != 0)
			return mxw__fail(err, MXW_ERR_SYSTEM, "the root's trust anchor: %s", ub_strerror(rc));
	}
	return MXW_OK;
}

/* Whose signatures are believed; without any, nothing is validated. */
static mxw_status_t set_trust(struct ub_ctx *ctx, const struct mxw_resolver_options *options, struct mxw_error *err)
{
	const char *path = options->trust_anchor_file;
	bool validates = path || options->from_root;
	const char *const modules[][2] = {{"module-config:", validates ? "validator iterator" : "iterator"}};
	mxw_status_t status = set_options(ctx, modules, MXW_ARRAY_LEN(modules), err);

	if (status != MXW_OK || !validates)
		return status;
	if (!path)
		return trust_root(ctx, err);
	/* libunbound would say that it is missing only with the first question. */
	int rc = access(path, R_OK) == 0 ? ub_ctx_add_ta_file(ctx, path) : UB_READFILE;
	return rc == 0 ? MXW_OK : mxw__fail(err, MXW_ERR_CONF, "trust anchor file %s: %s", path, ub_strerror(rc));
}

static mxw_status_t configure(struct ub_ctx *ctx, const struct mxw_resolver_options *options, struct mxw_error *err)
{
	/* A library is silent; this is libunbound's own log. */
	ub_ctx_debugout(ctx, NULL);
	mxw_status_t status = set_common(ctx, err);
	if (status == MXW_OK)
		status = set_trust(ctx, options, err);
	if (options->from_root)
		return status;
	if (status == MXW_OK)
		status = set_forwarding(ctx, err);
	if (status == MXW_OK && options->nforward == 0)
		status = forward_to_system(ctx, err);
	for (size_t i = 0; status == MXW_OK && i < options->nforward; i++)
		status = forward_to(ctx, options->forward[i], err);
	/* Built in as not existing (RFC 6761), but who forwards may have it. The last step: it fixes all options. */
	if (status == MXW_OK)
		(void)ub_ctx_zone_remove(ctx, "test.");
	return status;
}

/* ---- life ---- */

/* Starts both threads, with all signals blocked: they are the daemon's. */
static mxw_status_t start(mxw__unbound_t *unbound, struct mxw_error *err)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* Answered by libunbound itself: it sends nothing, but it starts the thread and shows what is wrong with the options. */
	int ub = ub_resolve_async(unbound->ctx, "localhost", MXW_DNS_A, CLASS_IN, NULL, on_result, NULL);
	int rc = ub == 0 ? pthread_create(&unbound->reaper, NULL, reap, unbound) : 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	unbound->has_reaper = ub == 0 && rc == 0;
	if (ub != 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "libunbound does not start: %s", ub_strerror(ub));
	if (rc != 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "can't start a thread: %s", strerror(rc));
	return MXW_OK;
}

mxw_status_t mxw__unbound_new(const struct mxw_resolver_options *options, mxw__unbound_t **ret_unbound,
			      struct mxw_error *err)
{
	mxw__unbound_t *unbound = calloc(1, sizeof(*unbound));
	mxw_status_t status;

	if (!unbound)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	unbound->stop = eventfd(0, EFD_CLOEXEC);
	unbound->ctx = ub_ctx_create();
	if (unbound->stop < 0 || !unbound->ctx || ub_ctx_async(unbound->ctx, 1) != 0)
		status = mxw__fail(err, MXW_ERR_SYSTEM, "libunbound: %s", strerror(errno));
	else
		status = configure(unbound->ctx, options, err);
	if (status == MXW_OK)
		status = start(unbound, err);
	if (status != MXW_OK) {
		mxw__unbound_free(unbound);
		return status;
	}
	*ret_unbound = unbound;
	return MXW_OK;
}

void mxw__unbound_free(mxw__unbound_t *unbound)
{
	uint64_t one = 1;

	if (!unbound)
		return;
	if (unbound->has_reaper) {
		(void)!write(unbound->stop, &one, sizeof(one));
		pthread_join(unbound->reaper, NULL);
	}
	ub_ctx_delete(unbound->ctx);
	if (unbound->stop >= 0)
		close(unbound->stop);
	free(unbound);
}
