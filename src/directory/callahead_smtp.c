/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMTP session around the questions: greeting, EHLO, STARTTLS, MAIL. What is refused here is refused to us, not to a
 * recipient.
 */
#include "config.h"

#include <string.h>

#include "src/directory/callahead.h"

enum { COMMAND_MAX = 1024 };

bool mxw__call_command(struct mxw__call_link *link, int64_t deadline_ms, struct mxw__call_reply *ret_reply,
		       struct mxw__call_failure *ret_failure, const char *fmt, ...)
{
	char line[COMMAND_MAX];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line - 2, fmt, ap);
	va_end(ap);
	/* One line is one command, whatever is in it. */
	if (n < 0 || (size_t)n >= sizeof line - 2 || strpbrk(line, "\r\n"))
		return mxw__call_fail(ret_failure, MXW_MISCONFIGURED, NULL, "the command can't be written");
	memcpy(line + n, "\r\n", 2);
	if (!mxw__call_link_is_quiet(link))
		return mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL,
				      "the connection was lost, or it said more than was asked for");
	return mxw__call_link_send(link, line, (size_t)n + 2, deadline_ms, ret_failure) &&
	       mxw__call_link_reply(link, deadline_ms, ret_reply, ret_failure);
}

/* A refusal of the session as such. */
static bool refused(const struct mxw__call_reply *reply, const char *what, struct mxw__call_failure *ret_failure)
{
	char code[32];

	return mxw__call_fail(ret_failure, reply->code / 100 == 5 ? MXW_MISCONFIGURED : MXW_TEMPORARY, reply, "%s to %s",
			      mxw__call_code_text(reply, code), what);
}

/* mxward before mxward would ask itself for ever. */
static bool is_ourselves(const struct mxw__call_reply *reply, const char *helo_name)
{
	size_t len = strlen(reply->name);

	if (len > 0 && reply->name[len - 1] == '.')
		len--;
	return len == strlen(helo_name) && mxw__ascii_ncasecmp(reply->name, helo_name, len) == 0;
}

static bool check_name(const struct mxw__call_reply *reply, const char *helo_name, struct mxw__call_failure *ret_failure)
{
	return !is_ourselves(reply, helo_name) ||
	       mxw__call_fail(ret_failure, MXW_MISCONFIGURED, NULL,
			      "it has our own name (helo-name): the server behind this one is to be asked");
}

static bool greet(struct mxw__call_link *link, const char *helo_name, int64_t deadline_ms,
		  struct mxw__call_failure *ret_failure)
{
	struct mxw__call_reply reply;

	if (!mxw__call_link_reply(link, deadline_ms, &reply, ret_failure))
		return false;
	return reply.code == 220 ? check_name(&reply, helo_name, ret_failure) : refused(&reply, "the connection", ret_failure);
}

static bool say_hello(struct mxw__call_link *link, const char *helo_name, int64_t deadline_ms,
		      struct mxw__call_reply *ret_reply, struct mxw__call_failure *ret_failure)
{
	if (!mxw__call_command(link, deadline_ms, ret_reply, ret_failure, "EHLO %s", helo_name))
		return false;
	if (ret_reply->code / 100 == 5) {
		if (!mxw__call_command(link, deadline_ms, ret_reply, ret_failure, "HELO %s", helo_name))
			return false;
		/* It has no extensions, whatever its text. */
		ret_reply->has_starttls = ret_reply->has_smtputf8 = false;
	}
	if (ret_reply->code != 250)
		return refused(ret_reply, "EHLO and HELO", ret_failure);
	return check_name(ret_reply, helo_name, ret_failure);
}

/* Encrypts, if `hello` says that it can be done; says hello again then, since all that was said before may be forged. */
static bool start_tls(struct mxw__call_link *link, struct mxw__call_host *host, struct mxw__call_reply *hello,
		      int64_t deadline_ms, struct mxw__call_failure *ret_failure)
{
	const struct mxw__directory_conf *conf = host->call->conf;
	struct mxw__call_reply reply;
	bool is_required = conf->tls == MXW__TLS_REQUIRE;

	if (!hello->has_starttls)
		return !is_required ||
		       mxw__call_fail(ret_failure, MXW_MISCONFIGURED, NULL, "STARTTLS is not offered, and tls is require");
	if (!mxw__call_command(link, deadline_ms, &reply, ret_failure, "STARTTLS"))
		return false;
	if (reply.code != 220)
		return !is_required || refused(&reply, "STARTTLS", ret_failure);
	link->is_in_step = false;
	if (!mxw__call_tls_start(link, host->call->tls, is_required, host->name, deadline_ms, ret_failure))
		return false;
	return say_hello(link, conf->helo_name, deadline_ms, hello, ret_failure);
}

bool mxw__call_open(struct mxw__call_link *link, struct mxw__call_host *host, struct mxw__call_failure *ret_failure)
{
	struct mxw__call *call = host->call;
	int64_t deadline_ms = mxw__call_now_ms() + (int64_t)call->conf->connect_timeout_ms;
	struct mxw__call_reply hello;

	pthread_mutex_lock(&call->lock);
	bool is_plain = mxw__call_now_ms() < host->plain_until_ms;
	pthread_mutex_unlock(&call->lock);
	bool ok = mxw__call_link_connect(link, host->name, host->port, deadline_ms, ret_failure) &&
		  greet(link, call->conf->helo_name, deadline_ms, ret_failure) &&
		  say_hello(link, call->conf->helo_name, deadline_ms, &hello, ret_failure) &&
		  (!call->tls || is_plain || start_tls(link, host, &hello, deadline_ms, ret_failure));
	if (ok)
		link->has_smtputf8 = hello.has_smtputf8;
	else
		mxw__call_link_close(link);
	return ok;
}

bool mxw__call_begin(struct mxw__call_link *link, bool is_utf8, int64_t deadline_ms, bool *ret_is_lost,
		     struct mxw__call_failure *ret_failure)
{
	struct mxw__call_reply reply;

	*ret_is_lost = true;
	if (link->in_transaction) {
		if (!mxw__call_command(link, deadline_ms, &reply, ret_failure, "RSET"))
			return false;
		if (reply.code / 100 != 2)
			return refused(&reply, "RSET", ret_failure);
		link->in_transaction = false;
	}
	if (!mxw__call_command(link, deadline_ms, &reply, ret_failure, "MAIL FROM:<>%s", is_utf8 ? " SMTPUTF8" : ""))
		return false;
	*ret_is_lost = link->ntransactions > 0 || reply.code == 421;
	if (reply.code / 100 != 2)
		return refused(&reply, "MAIL FROM:<>", ret_failure);
	link->in_transaction = true;
	link->is_utf8 = is_utf8;
	link->nrcpts = 0;
	link->ntransactions++;
	return true;
}
