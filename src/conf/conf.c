/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading, what is computed from the machine, and the life of a configuration. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/conf/build.h"
#include "src/mail/mail.h"

enum { CONF_BYTES_MAX = 256 << 20 };

static void free_conf(struct mxw_conf *conf)
{
	struct mxw__conf_private *priv = conf->priv;

	mxw_policy_unref(conf->policy);
	for (struct mxw__secret *s = priv->secrets; s; s = s->next)
		mxw__free_secret(s->text);
	mxw__arena_free(priv->arena);
	free(priv);
	free(conf);
}

static struct mxw_conf *new_conf(void)
{
	struct mxw_conf *conf = calloc(1, sizeof *conf);
	struct mxw__conf_private *priv = calloc(1, sizeof *priv);
	mxw__arena_t *arena = mxw__arena_new(CONF_BYTES_MAX);

	if (!conf || !priv || !arena) {
		free(conf);
		free(priv);
		mxw__arena_free(arena);
		return NULL;
	}
	atomic_init(&priv->refs, 1);
	priv->arena = arena;
	conf->priv = priv;
	return conf;
}

mxw_conf_t *mxw_conf_ref(mxw_conf_t *conf)
{
	atomic_fetch_add_explicit(&conf->priv->refs, 1, memory_order_relaxed);
	return conf;
}

void mxw_conf_unref(mxw_conf_t *conf)
{
	if (conf && atomic_fetch_sub_explicit(&conf->priv->refs, 1, memory_order_acq_rel) == 1)
		free_conf(conf);
}

mxw_policy_t *mxw_conf_policy(const mxw_conf_t *conf)
{
	return conf->policy;
}

const struct mxw_daemon_settings *mxw_conf_daemon(const mxw_conf_t *conf)
{
	return &conf->daemon;
}

/* ---- what the machine says ---- */

/* The host name in lower case, "localhost" if it is none. */
static char *host_name(mxw__arena_t *arena)
{
	char name[256];

	if (gethostname(name, sizeof name) != 0)
		name[0] = '\0';
	name[sizeof name - 1] = '\0';
	size_t len = strlen(name);
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	if (!mxw__domain_is_valid(name))
		return mxw__arena_strdup(arena, "localhost");
	mxw__ascii_lower_str(name);
	return mxw__arena_strdup(arena, name);
}

static bool has_string(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

/* authserv-id, and our own names: what was given, authserv-id and the host name, each once. */
static bool fill_names(struct mxw_conf *conf)
{
	mxw__arena_t *arena = conf->priv->arena;
	char *host = host_name(arena);
	const char **names = mxw__arena_alloc(arena, (conf->helo_names.n + 2) * sizeof *names);
	size_t n = 0;

	if (!host || !names)
		return false;
	if (!conf->authserv_id[0])
		conf->authserv_id = host;
	for (size_t i = 0; i < conf->helo_names.n; i++)
		if (!has_string(names, n, conf->helo_names.v[i]))
			names[n++] = conf->helo_names.v[i];
	/* "localhost" is what half the world says. */
	if (strcmp(conf->authserv_id, "localhost") != 0 && !has_string(names, n, conf->authserv_id))
		names[n++] = conf->authserv_id;
	if (strcmp(host, "localhost") != 0 && !has_string(names, n, host))
		names[n++] = host;
	conf->helo_names = (struct mxw__strings){n, names};
	for (size_t i = 0; i < conf->ndirectories; i++)
		if (!conf->directories[i].helo_name || !conf->directories[i].helo_name[0])
			conf->directories[i].helo_name = conf->authserv_id;
	return true;
}

/* ---- loading ---- */

/* From the tree to the finished configuration; complaints are made. False without memory. */
static bool finish(struct mxw_conf *conf, struct mxw__reader *reader, struct mxw__node *root)
{
	struct mxw__build build = {
		.values = {.arena = conf->priv->arena, .complaints = reader->complaints},
		.conf = conf,
		.root = root,
	};
	mxw_status_t status;

	build.builtin = mxw__read_text(reader, MXW__DEFAULT_POLICY_NAME, mxw__default_policy, strlen(mxw__default_policy),
				       &status);
	return build.builtin && mxw__build(&build) && fill_names(conf);
}

/* `path` or, if that is NULL, `text` under `name`. */
static mxw_status_t load(const char *path, const char *name, const char *text, mxw_complain_fn complain, void *ctx,
			 mxw_conf_t **ret_conf)
{
	struct mxw_conf *conf = new_conf();
	struct mxw__complaints *complaints = mxw__complaints_new();
	struct mxw__reader reader = {.arena = conf ? conf->priv->arena : NULL, .complaints = complaints};
	struct mxw__node *root = NULL;
	mxw_status_t status = MXW_ERR_NOMEM;

	if (!conf || !complaints)
		goto done;
	root = path ? mxw__read_file(&reader, path, &status) : mxw__read_text(&reader, name, text, strlen(text), &status);
	if (root)
		status = finish(conf, &reader, root) ? MXW_OK : MXW_ERR_NOMEM;
	mxw__complaints_tell(complaints, complain, ctx);
	if (status == MXW_OK && mxw__complaints_any(complaints))
		status = MXW_ERR_CONF;
	if (status == MXW_OK) {
		*ret_conf = conf;
		conf = NULL;
	}
done:
	mxw__complaints_free(complaints);
	if (conf)
		free_conf(conf);
	return status;
}

mxw_status_t mxw_conf_load(const char *path, mxw_complain_fn complain, void *ctx, mxw_conf_t **ret_conf)
{
	return load(path, NULL, NULL, complain, ctx, ret_conf);
}

mxw_status_t mxw_conf_load_text(const char *name, const char *text, mxw_complain_fn complain, void *ctx,
				mxw_conf_t **ret_conf)
{
	return load(NULL, name, text, complain, ctx, ret_conf);
}
