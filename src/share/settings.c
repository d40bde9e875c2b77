/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/share/thread.h"

static void add_server(struct mxw__share_settings *settings, const char *text)
{
	struct mxw__link_server *server = &settings->servers[settings->nservers];

	if (settings->nservers == MXW__REDIS_SERVERS_MAX ||
	    !mxw__redis_server_parse(text, server->host, sizeof server->host, &server->port))
		return;
	snprintf(server->text, sizeof server->text, "%s", text);
	settings->nservers++;
}

struct mxw__share_settings *mxw__share_settings_new(const struct mxw__redis_conf *conf)
{
	struct mxw__share_settings *s = mxw__calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->user = strdup(conf->user);
	s->password = strdup(conf->password);
	if (!s->user || !s->password) {
		mxw__share_settings_free(s);
		return NULL;
	}
	for (size_t i = 0; i < conf->servers.n; i++)
		add_server(s, conf->servers.v[i]);
	s->database = (unsigned)conf->database;
	snprintf(s->prefix, sizeof s->prefix, "%s", conf->prefix);
	s->wants_tls = conf->tls;
	if (conf->tls && s->nservers)
		s->tls = mxw__link_tls_new(conf->tls_ca_file, conf->tls_certificate_file, conf->tls_key_file, s->why_no_tls);
	s->wait_ms = (int64_t)conf->wait_ms;
	s->timeout_ms = (int64_t)conf->timeout_ms;
	s->connect_timeout_ms = (int64_t)conf->connect_timeout_ms;
	s->retry_ms = (int64_t)conf->retry_ms;
	s->push_interval_ms = (int64_t)conf->push_interval_ms;
	return s;
}

void mxw__share_settings_free(struct mxw__share_settings *settings)
{
	if (!settings)
		return;
	mxw__free_secret(settings->user);
	mxw__free_secret(settings->password);
	mxw__share_settings_end_tls(settings);
	free(settings);
}

/* Nothing of OpenSSL is called where there is nothing: it may have ended. */
void mxw__share_settings_end_tls(struct mxw__share_settings *settings)
{
	if (!settings || !settings->tls)
		return;
	SSL_CTX_free(settings->tls);
	settings->tls = NULL;
}
