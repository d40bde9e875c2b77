/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "milter/macros.h"

static const char *const lacks_text[] = {
	[MWD_LACK_LISTENER] = "macros: the MTA sends neither {daemon_name} nor {daemon_port}: rules on the listener "
			      "do not hold",
	[MWD_LACK_RESOLVE] = "macros: the MTA sends neither {client_resolve} nor _: whether it found the client's name "
			     "forged is not known",
	[MWD_LACK_QUEUE_ID] = "macros: the MTA sends no i: log lines carry no queue id",
	[MWD_LACK_MAILER] = "macros: the MTA sends no {rcpt_mailer}: recipients that it refuses itself are not told "
			    "from others and do not count for the client's score",
	[MWD_LACK_SYMLIST] = "macros: the MTA can't be asked for the macros we need; name them in its own "
			     "configuration, see mxward(8)",
	[MWD_LACK_EDITS] = "milter: the MTA lets us neither add nor remove header fields: no Authentication-Results",
	[MWD_LACK_QUARANTINE] = "milter: the MTA can't be told to hold messages: those that rules would hold are deferred",
	[MWD_LACK_ENVELOPE] = "milter: the MTA lets us not change the envelope: senders and recipients stay as they are",
};

void mwd_lack_note(struct mwd_lacks *lacks, mwd_log_t *log, mwd_lack_t lack)
{
	if (!atomic_exchange(&lacks->is_said[lack], true))
		mwd_log_line(log, MXW_LEVEL_WARNING, lacks_text[lack]);
}

/* Postfix sends its default macros in addition; sendmail sends what is asked for in place of its own. */
static const struct {
	int stage;
	const char *names;
} requests[] = {
	{SMFIM_CONNECT, "j v _ {daemon_name} {daemon_port} {client_resolve} {client_port} {client_name} {client_addr}"},
	{SMFIM_HELO, "{tls_version} {cipher}"},
	{SMFIM_ENVFROM, "i {auth_type} {auth_authen} {tls_version} {mail_mailer} {mail_host} {mail_addr}"},
	{SMFIM_ENVRCPT, "i {rcpt_mailer} {rcpt_host} {rcpt_addr}"},
	{SMFIM_DATA, "i"},
	{SMFIM_EOH, "i"},
	{SMFIM_EOM, "i"},
};

void mwd_macros_request(SMFICTX *ctx)
{
	for (size_t i = 0; i < MWD_ARRAY_LEN(requests); i++) {
		char *names = strdup(requests[i].names); /* smfi_setsymlist() takes no const */
		if (names)
			(void)smfi_setsymlist(ctx, requests[i].stage, names);
		free(names);
	}
}

const char *mwd_macro(SMFICTX *ctx, const char *name)
{
	char copy[32]; /* smfi_getsymval() takes no const */
	size_t len = strlen(name);

	if (len >= sizeof copy)
		return NULL;
	memcpy(copy, name, len + 1);
	const char *value = smfi_getsymval(ctx, copy);
	return value && *value ? value : NULL;
}

static uint16_t port_of(const char *text)
{
	char *end;

	if (!text)
		return 0;
	unsigned long port = strtoul(text, &end, 10);
	return *end == '\0' && port <= UINT16_MAX ? (uint16_t)port : 0;
}

static uint16_t client_port(SMFICTX *ctx, const struct sockaddr *sa)
{
	if (sa && sa->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
	if (sa && sa->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)sa)->sin6_port);
	return port_of(mwd_macro(ctx, "{client_port}"));
}

/* sendmail: {client_resolve} is FORGED, and _ ends in "(may be forged)"; Postfix sends {client_resolve}. */
static bool is_forged(SMFICTX *ctx, struct mwd_lacks *lacks, mwd_log_t *log)
{
	const char *resolve = mwd_macro(ctx, "{client_resolve}");
	const char *origin = mwd_macro(ctx, "_");

	if (!resolve && !origin)
		mwd_lack_note(lacks, log, MWD_LACK_RESOLVE);
	return (resolve && strcmp(resolve, "FORGED") == 0) || (origin && strstr(origin, "(may be forged)"));
}

bool mwd_macros_is_postfix(SMFICTX *ctx)
{
	const char *version = mwd_macro(ctx, "v");

	return version && strncmp(version, "Postfix", strlen("Postfix")) == 0;
}

void mwd_macros_connect(SMFICTX *ctx, const char *hostname, const struct sockaddr *sa, struct mwd_lacks *lacks,
			mwd_log_t *log, struct mxw_connect_info *ret_info)
{
	struct mxw_connect_info *info = ret_info;

	memset(info, 0, sizeof *info);
	if (sa)
		info->client = mxw_ip_from_sockaddr(sa);
	info->client_name = hostname && *hostname ? hostname : mwd_macro(ctx, "{client_name}");
	info->client_name_is_forged = is_forged(ctx, lacks, log);
	info->client_port = client_port(ctx, sa);
	info->daemon_name = mwd_macro(ctx, "{daemon_name}");
	info->daemon_port = port_of(mwd_macro(ctx, "{daemon_port}"));
	if (!info->daemon_name && info->daemon_port == 0)
		mwd_lack_note(lacks, log, MWD_LACK_LISTENER);
}

void mwd_macros_refused_rcpt(SMFICTX *ctx, struct mwd_lacks *lacks, mwd_log_t *log, struct mxw_rcpt_info *ret_info)
{
	const char *mailer = mwd_macro(ctx, "{rcpt_mailer}");
	/* Of a refused recipient both MTAs give the enhanced status code here. */
	const char *status = mwd_macro(ctx, "{rcpt_host}");

	if (!mailer)
		mwd_lack_note(lacks, log, MWD_LACK_MAILER);
	ret_info->is_refused_by_mta = mailer && strcmp(mailer, "error") == 0;
	ret_info->is_deferred_by_mta = ret_info->is_refused_by_mta && status && strncmp(status, "4.", 2) == 0;
}
