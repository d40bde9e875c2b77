/* SPDX-License-Identifier: BSD-2-Clause */
/* What the options of the section redis say of each other, and its secret. */
#include "config.h"

#include <string.h>
#include <sys/un.h>

#include "src/conf/build.h"

bool mxw__redis_server_parse(const char *text, char *ret_host, size_t size, uint16_t *ret_port)
{
	enum { REDIS_PORT = 6379 };
	size_t len = strlen(text);

	if (strncmp(text, "unix:", 5) != 0)
		return mxw__host_port_parse(text, REDIS_PORT, ret_host, size, ret_port);
	if (text[5] != '/' || len - 5 >= size || len - 5 >= sizeof ((struct sockaddr_un *)0)->sun_path)
		return false;
	memcpy(ret_host, text + 5, len - 5 + 1);
	*ret_port = 0;
	return true;
}

bool mxw__check_redis_server(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	char host[256];
	uint16_t port;

	if (mxw__redis_server_parse(arg->text, host, sizeof host, &port))
		return true;
	mxw__complain(complaints, &arg->pos,
		      "'%s' is no Redis server; host, host:port, [2001:db8::1]:port or unix:/path was expected", arg->text);
	return false;
}

/* It may be read by people, and stands in rules of Redis' ACL: nothing in it may mean something there. */
bool mxw__check_redis_prefix(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	size_t len = strlen(arg->text);
	bool is_ok = len > 0 && len <= MXW__REDIS_PREFIX_MAX;

	for (size_t i = 0; i < len; i++)
		is_ok &= mxw__ascii_isalnum(arg->text[i]) || strchr("-_.:", arg->text[i]);
	if (!is_ok)
		mxw__complain(complaints, &arg->pos, "'%s' is no prefix of keys; 1 to %d letters, digits, '-', '_', '.' and ':' were expected",
			      arg->text, MXW__REDIS_PREFIX_MAX);
	return is_ok;
}

static const struct mxw__pos *at(const struct mxw__pos *pos, const char *name)
{
	return mxw__option_pos(&mxw__sections[MXW__SECTION_REDIS], pos, name);
}

static void need(struct mxw__build *b, const struct mxw__pos *pos, const char *name, const char *other, bool is_there)
{
	if (at(pos, name)->file && !is_there)
		mxw__complain(b->values.complaints, at(pos, name), "'%s' needs '%s' beside it", name, other);
}

static void check_tls(struct mxw__build *b, const struct mxw__redis_conf *r, const struct mxw__pos *pos)
{
	bool has_network = r->servers.n == 0;

	need(b, pos, "tls-ca-file", "tls yes", r->tls);
	need(b, pos, "tls-certificate-file", "tls yes", r->tls);
	need(b, pos, "tls-certificate-file", "tls-key-file", at(pos, "tls-key-file")->file);
	need(b, pos, "tls-key-file", "tls-certificate-file", at(pos, "tls-certificate-file")->file);
	mxw__build_check_key(b, r->tls_key_file, at(pos, "tls-key-file"));
	for (size_t i = 0; i < r->servers.n; i++)
		has_network |= strncmp(r->servers.v[i], "unix:", 5) != 0;
	if (r->tls && !has_network)
		mxw__complain(b->values.complaints, at(pos, "tls"), "'tls yes' needs a server that is not on a unix socket");
}

void mxw__build_redis(struct mxw__build *build, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_REDIS];
	struct mxw__redis_conf *r = &build->conf->redis;

	for (size_t i = 1; i < s->noptions && !pos[0].file; i++) {
		if (!pos[i].file)
			continue;
		mxw__complain(build->values.complaints, &pos[i], "'%s' needs 'servers' beside it", s->options[i].name);
		break;
	}
	if (r->servers.n > MXW__REDIS_SERVERS_MAX)
		mxw__complain(build->values.complaints, at(pos, "servers"), "more than %d servers", MXW__REDIS_SERVERS_MAX);
	need(build, pos, "user", "password-file", at(pos, "password-file")->file);
	check_tls(build, r, pos);
	r->password = mxw__build_secret(build, r->password_file, at(pos, "password-file"));
}
