/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "src/dns/dns.h"
#include "src/journal/store.h"
#include "src/session/engine.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/ldapd.h"
#include "t/replay/replay.h"

enum { SESSIONS_MAX = 8, LOG_BYTES = 1 << 20, LOAD_MS = 20000, SAVE_MS = 20000 };

struct replay {
	const char *path;
	unsigned line;
	unsigned failures, checks;
	bool is_saving;
	char dir[64];
	struct fake_clock clock;
	fake_resolver_t *resolver;
	struct ldapd *ldapd; /* NULL: nobody asked for one */
	char *conf_text;
	mxw_engine_t *engine;
	struct {
		char name[32];
		mxw_session_t *session;
	} sessions[SESSIONS_MAX];
	size_t current;
	/* of the last step */
	struct mxw_verdict verdict;
	const struct mxw_edit *edits;
	size_t nedits;
	int64_t took_ms;
	pthread_mutex_t log_lock; /* directories speak from threads of their own */
	struct mxw__buf log;
};

static bool fail(struct replay *r, const char *fmt, ...) MXW_PRINTF(2, 3);

static bool fail(struct replay *r, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: %s", r->path, r->line, r->is_saving ? "saving after each step: " : "");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	r->failures++;
	return false;
}

static void log_line(void *ctx, mxw_level_t level, const char *line)
{
	struct replay *r = ctx;

	pthread_mutex_lock(&r->log_lock);
	mxw__buf_addf(&r->log, "%d %s\n", (int)level, line);
	pthread_mutex_unlock(&r->log_lock);
}

static void complain(void *ctx, const struct mxw_error *error)
{
	struct replay *r = ctx;

	fprintf(stderr, "%s: %s:%u:%u: %s\n", r->path, error->file, error->line, error->column, error->text);
}

/* Replaces every `from` in `text`; to be freed. */
static char *substitute(const char *text, const char *from, const char *to)
{
	struct mxw__buf out;
	const char *at;

	mxw__buf_init(&out, 1 << 22);
	while ((at = strstr(text, from))) {
		mxw__buf_add(&out, text, (size_t)(at - text));
		mxw__buf_adds(&out, to);
		text = at + strlen(from);
	}
	mxw__buf_adds(&out, text);
	return mxw__buf_take(&out);
}

static char *unescape(char *s)
{
	char *out = s;

	for (char *p = s; *p; p++) {
		if (p[0] == '\\' && (p[1] == 't' || p[1] == 'n' || p[1] == 'r')) {
			p++;
			*out++ = *p == 't' ? '\t' : *p == 'n' ? '\n' : '\r';
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
	return s;
}

static mxw_conf_t *load_conf(struct replay *r)
{
	mxw_conf_t *conf = NULL;

	if (mxw_conf_load_text("replay.conf", r->conf_text ? r->conf_text : "", complain, r, &conf) != MXW_OK)
		fail(r, "the configuration is not accepted");
	return conf;
}

static bool need_engine(struct replay *r)
{
	struct mxw_engine_options options = {
		.size = sizeof options,
		.clock = &r->clock.clock,
		.resolver = &r->resolver->resolver,
		.log = log_line,
		.log_ctx = r,
		.session_seed = 1,
		.state_dir = r->dir,
	};
	struct mxw_error err = {0};

	if (r->engine)
		return true;
	mxw_conf_t *conf = load_conf(r);
	if (!conf)
		return false;
	if (mxw_engine_new(conf, &options, &r->engine, &err) != MXW_OK)
		fail(r, "no engine: %s", err.text);
	mxw_conf_unref(conf);
	return r->engine != NULL;
}

static mxw_session_t *need_session(struct replay *r)
{
	if (!need_engine(r))
		return NULL;
	if (!r->sessions[r->current].session &&
	    mxw_session_new(r->engine, &r->sessions[r->current].session) != MXW_OK)
		fail(r, "no session");
	return r->sessions[r->current].session;
}

static bool do_reload(struct replay *r)
{
	struct mxw_error err = {0};

	if (!need_engine(r))
		return false;
	mxw_conf_t *conf = load_conf(r);
	if (!conf)
		return false;
	bool ok = mxw_engine_reload(r->engine, conf, &err) == MXW_OK || fail(r, "reload: %s", err.text);
	mxw_conf_unref(conf);
	return ok;
}

static bool do_session(struct replay *r, const char *name)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (!r->sessions[i].name[0])
			snprintf(r->sessions[i].name, sizeof r->sessions[i].name, "%s", name);
		if (strcmp(r->sessions[i].name, name) == 0) {
			r->current = i;
			return true;
		}
	}
	return fail(r, "too many sessions");
}

/* Splits off the next word; NULL when there is none. */
static char *word(char **s)
{
	while (**s == ' ' || **s == '\t')
		(*s)++;
	if (!**s)
		return NULL;
	char *start = *s;
	while (**s && **s != ' ' && **s != '\t')
		(*s)++;
	if (**s)
		*(*s)++ = '\0';
	return start;
}

static char *rest(char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* ---- steps ---- */

static bool step_connect(struct replay *r, mxw_session_t *s, char *args)
{
	struct mxw_connect_info info = {0};
	char *address = word(&args), *name = word(&args), *daemon = word(&args), *port = word(&args);

	if (!address || (strcmp(address, "local") != 0 && mxw_ip_parse(address, &info.client) != MXW_OK))
		return fail(r, "connect wants an address");
	info.client_name = name;
	info.daemon_name = daemon;
	info.daemon_port = port ? (uint16_t)atoi(port) : 0;
	mxw_session_connect(s, &info, &r->verdict);
	return true;
}

static bool step_helo(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_helo(s, unescape(args), &r->verdict);
	return true;
}

static bool step_mail(struct replay *r, mxw_session_t *s, char *args)
{
	static const char *const utf8[] = {"BODY=8BITMIME", "SMTPUTF8", NULL};
	char *bracket = strrchr(args, '>');
	struct mxw_mail_info info = {0};

	/* A quoted local part may hold blanks. */
	if (*args == '<' && bracket && (!bracket[1] || bracket[1] == ' ')) {
		info.sender = args;
		args = bracket + 1;
		if (*args)
			*args++ = '\0';
	} else {
		info.sender = word(&args);
	}
	for (char *w; (w = word(&args));) {
		if (strncmp(w, "user=", 5) == 0)
			info.auth_user = w + 5;
		else if (strncmp(w, "tls=", 4) == 0)
			info.tls_version = w + 4;
		else if (strcmp(w, "smtputf8") == 0)
			info.params = utf8;
		else
			return fail(r, "mail: what is %s?", w);
	}
	mxw_session_mail(s, &info, &r->verdict);
	return true;
}

static bool step_rcpt(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = args}, &r->verdict);
	return true;
}

static bool step_rcpt_refused(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = args, .is_refused_by_mta = true}, &r->verdict);
	return true;
}

static bool step_rcpt_deferred(struct replay *r, mxw_session_t *s, char *args)
{
	struct mxw_rcpt_info info = {.rcpt = args, .is_refused_by_mta = true, .is_deferred_by_mta = true};

	mxw_session_rcpt(s, &info, &r->verdict);
	return true;
}

static bool step_queue_id(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_queue_id(s, args);
	return true;
}

static bool step_data(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_data(s, &r->verdict);
	return true;
}

static bool step_unknown(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_unknown(s, args, &r->verdict);
	return true;
}

static bool step_header(struct replay *r, mxw_session_t *s, char *args)
{
	char *colon = strchr(args, ':');

	if (!colon)
		return fail(r, "header wants NAME: VALUE");
	*colon = '\0';
	mxw_session_header(s, args, unescape(colon + 1));
	return true;
}

static bool step_header_bytes(struct replay *r, mxw_session_t *s, char *args)
{
	char *name = word(&args), *count = word(&args);
	size_t n = count ? strtoul(count, NULL, 10) : 0;
	char *value = mxw__calloc(n + 1, 1);

	if (!name || !value)
		return fail(r, "header-bytes wants NAME N");
	memset(value, 'x', n);
	mxw_session_header(s, name, value);
	free(value);
	return true;
}

static bool step_end_of_headers(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_end_of_headers(s);
	return true;
}

static bool step_body(struct replay *r, mxw_session_t *s, char *args)
{
	unescape(args);
	mxw_session_body(s, (const unsigned char *)args, strlen(args));
	return true;
}

static bool step_eom(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_eom(s, &r->verdict, &r->edits, &r->nedits);
	return true;
}

static bool step_abort(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_abort(s);
	return true;
}

static bool step_close(struct replay *r, mxw_session_t *s, char *args)
{
	mxw_session_free(s);
	r->sessions[r->current].session = NULL;
	return true;
}

/* Gives the header fields of a message as an MTA would: folds with LF, the body with CRLF. */
static void send_message(mxw_session_t *s, char *text)
{
	char *p = text;

	while (*p && *p != '\n') {
		char *end = strchr(p, '\n');
		while (end && (end[1] == ' ' || end[1] == '\t'))
			end = strchr(end + 1, '\n');
		char *next = end ? end + 1 : p + strlen(p);
		if (end)
			*end = '\0';
		char *colon = strchr(p, ':');
		if (colon) {
			*colon = '\0';
			mxw_session_header(s, p, colon + 1);
		}
		p = next;
	}
	mxw_session_end_of_headers(s);
	if (*p == '\n')
		p++;
	char *body = substitute(p, "\n", "\r\n");
	mxw_session_body(s, (unsigned char *)body, strlen(body));
	free(body);
}

static bool step_message(struct replay *r, mxw_session_t *s, char *args)
{
	char path[512], *text = NULL;
	size_t len;
	const char *slash = strrchr(r->path, '/');

	snprintf(path, sizeof path, "%.*s/%s", slash ? (int)(slash - r->path) : 1, slash ? r->path : ".", args);
	if (access(path, R_OK) != 0)
		snprintf(path, sizeof path, "%s/%s", r->dir, args);
	if (mxw__file_read(path, 1 << 22, &text, &len, NULL) != MXW_OK)
		return fail(r, "%s can't be read", path);
	char *plain = substitute(text, "\r\n", "\n");
	send_message(s, plain);
	free(plain);
	free(text);
	return true;
}

static const struct step {
	const char *name;
	bool (*run)(struct replay *r, mxw_session_t *s, char *args);
} steps[] = {
	{"connect", step_connect}, {"helo", step_helo}, {"mail", step_mail}, {"rcpt", step_rcpt},
	{"rcpt-refused", step_rcpt_refused}, {"queue-id", step_queue_id}, {"data", step_data},
	{"rcpt-deferred", step_rcpt_deferred},
	{"unknown", step_unknown}, {"header", step_header}, {"header-bytes", step_header_bytes},
	{"end-of-headers", step_end_of_headers}, {"body", step_body}, {"message", step_message},
	{"eom", step_eom}, {"abort", step_abort}, {"close", step_close},
};

static bool run_step(struct replay *r, const struct step *step, char *args)
{
	/* What is said when the session begins belongs to its first step. */
	pthread_mutex_lock(&r->log_lock);
	mxw__buf_clear(&r->log);
	pthread_mutex_unlock(&r->log_lock);
	mxw_session_t *s = need_session(r);
	if (!s)
		return false;
	memset(&r->verdict, 0, sizeof r->verdict);
	r->edits = NULL;
	r->nedits = 0;
	int64_t began = atomic_load(&r->clock.mono_ms);
	bool ok = step->run(r, s, args);
	r->took_ms = atomic_load(&r->clock.mono_ms) - began;
	return ok;
}

/* ---- expectations ---- */

static bool expect_verdict(struct replay *r, char *args)
{
	const struct mxw_verdict *v = &r->verdict;
	char *text = strstr(args, "text~");
	unsigned place = 0;

	if (text)
		*text = '\0';
	for (char *w; (w = word(&args));) {
		bool ok;
		char code[8];
		snprintf(code, sizeof code, "%d", v->code);
		if (strncmp(w, "rule=", 5) == 0)
			ok = v->rule && strcmp(v->rule, w + 5) == 0;
		else if (strncmp(w, "decided=", 8) == 0)
			ok = strcmp(mxw_action_name(v->decided), w + 8) == 0;
		else if (place++ == 0)
			ok = strcmp(mxw_action_name(v->action), w) == 0;
		else
			ok = strcmp(place == 2 ? code : v->enhanced, w) == 0;
		if (!ok)
			return fail(r, "expected %s, have %s %d %s \"%s\" rule=%s facts=%s", w,
				    mxw_action_name(v->action), v->code, v->enhanced, v->text,
				    v->rule ? v->rule : "none", v->facts);
	}
	if (text && !strstr(v->text, text + 5))
		return fail(r, "expected the text \"%s\", have \"%s\"", text + 5, v->text);
	return true;
}

static bool expect_fact(struct replay *r, char *args)
{
	char *name = word(&args), *op = word(&args), *want = rest(args);
	mxw_fact_id_t id = name ? mxw_fact_find(name) : MXW_FACT_NONE;
	mxw_session_t *s = need_session(r);

	if (!s || id == MXW_FACT_NONE || !op)
		return fail(r, "no such fact: %s", name ? name : "");
	const mxw_facts_t *facts = mxw_session_facts(s);
	const char *have = mxw_facts_get(facts, id);
	bool unavailable = mxw_facts_is_unavailable(facts, id), ok = false;
	if (strcmp(op, "absent") == 0)
		ok = !mxw_facts_has(facts, id);
	else if (strcmp(op, "unavailable") == 0)
		ok = unavailable;
	else if (strcmp(op, ">=") == 0)
		ok = mxw_facts_get_number(facts, id) >= strtoull(want, NULL, 10);
	else if (strcmp(op, "=") == 0)
		ok = have && !unavailable && strcmp(have, want) == 0;
	return ok || fail(r, "expected %s %s %s, have %s%s", name, op, want, have ? have : "nothing",
			  unavailable ? " (unavailable)" : "");
}

/* Where the lines are folded does not matter, unless the text says. */
static bool has_text(const char *value, const char *text)
{
	size_t n = 0;
	char *unfolded = strdup(value);

	for (const char *s = value; unfolded && *s; s++) {
		if (*s != '\n') {
			unfolded[n++] = *s;
			continue;
		}
		unfolded[n++] = ' ';
		s += strspn(s + 1, " \t");
	}
	if (unfolded)
		unfolded[n] = '\0';
	bool has = strstr(value, text) || (unfolded && strstr(unfolded, text));
	free(unfolded);
	return has;
}

static bool expect_edit(struct replay *r, mxw_edit_kind_t kind, char *args)
{
	char *name = word(&args);

	if (kind == MXW_EDIT_INSERT_HEADER && (!word(&args) || !name))
		return fail(r, "insert wants NAME ~ TEXT");
	char *want = unescape(rest(args));
	for (size_t i = 0; i < r->nedits; i++) {
		const struct mxw_edit *e = &r->edits[i];
		if (e->kind != kind || !e->name || strcmp(e->name, name) != 0)
			continue;
		if (kind == MXW_EDIT_INSERT_HEADER ? has_text(e->value, want)
						   : e->index == (unsigned)atoi(want))
			return true;
	}
	for (size_t i = 0; i < r->nedits; i++)
		fprintf(stderr, "have %s %u:%s\n", r->edits[i].name ? r->edits[i].name : "", r->edits[i].index,
			r->edits[i].value ? r->edits[i].value : "");
	return fail(r, "no such edit: %s %s", name, want);
}

static bool expect_envelope(struct replay *r, mxw_edit_kind_t kind, const char *want)
{
	for (size_t i = 0; i < r->nedits; i++)
		if (r->edits[i].kind == kind && strcmp(r->edits[i].value, want) == 0)
			return true;
	for (size_t i = 0; i < r->nedits; i++)
		fprintf(stderr, "have %d %s\n", (int)r->edits[i].kind, r->edits[i].value ? r->edits[i].value : "");
	return fail(r, "no such change: %s", want);
}

static bool expect_no_insert(struct replay *r, char *args)
{
	for (size_t i = 0; i < r->nedits; i++)
		if (r->edits[i].value && strstr(r->edits[i].value, args))
			return fail(r, "inserted:%s", r->edits[i].value);
	return true;
}

static bool expect_log(struct replay *r, bool wanted, char *args)
{
	const char *text = wanted && *args == '~' ? rest(args + 1) : args;

	pthread_mutex_lock(&r->log_lock);
	bool ok = (strstr(mxw__buf_str(&r->log), text) != NULL) == wanted;
	if (!ok)
		fail(r, "%s in the log: %s\nhave: %s", wanted ? "not" : "unexpected", text, mxw__buf_str(&r->log));
	pthread_mutex_unlock(&r->log_lock);
	return ok;
}

static bool expect_took(struct replay *r, char *args)
{
	uint64_t ms;

	bool is_exact = args[0] == '=';
	if ((!is_exact && strncmp(args, "<=", 2) != 0) || !mxw__parse_duration(rest(args + 2 - is_exact), &ms))
		return fail(r, "took wants <= DURATION or = DURATION");
	bool ok = is_exact ? r->took_ms == (int64_t)ms : r->took_ms <= (int64_t)ms;
	return ok || fail(r, "took %lld ms", (long long)r->took_ms);
}

static bool expect_searched(struct replay *r, const char *args)
{
	unsigned got = r->ldapd ? atomic_load(&ldapd_counts(r->ldapd)->searches) : 0;

	return got == strtoul(args, NULL, 10) || fail(r, "%u searches, %s expected", got, args);
}

/* What is done in the background gets a moment of real time. */
static bool expect_refreshed(struct replay *r, const char *args)
{
	struct mxw_recipient_stats stats = {.size = sizeof stats};
	unsigned long expected = strtoul(args, NULL, 10);

	for (int i = 0; r->engine && i < 10000; i++) {
		mxw_engine_recipient_stats(r->engine, &stats);
		if (stats.refreshed >= expected)
			break;
		usleep(1000);
	}
	return stats.refreshed == expected || fail(r, "%lu refreshed, %lu expected", (unsigned long)stats.refreshed, expected);
}

static bool expect_asked(struct replay *r, char *args)
{
	char *name = word(&args), *count = word(&args), *type = word(&args);

	if (!name || !count)
		return fail(r, "asked wants NAME N");
	unsigned n = fake_resolver_sent(r->resolver, name, type ? mxw__dns_type_find(type, strlen(type)) : 0);
	return n == (unsigned)atoi(count) || fail(r, "%s was asked %u times", name, n);
}

static bool expect_edits(struct replay *r, char *args)
{
	return r->nedits == strtoul(args, NULL, 10) || fail(r, "%zu edits", r->nedits);
}

/* True if the line was an expectation; `ret_ok` says whether it is met. */
static bool is_expectation(struct replay *r, const char *verb, char *args, bool *ret_ok)
{
	if (strcmp(verb, "=") == 0)
		*ret_ok = expect_verdict(r, args);
	else if (strcmp(verb, "fact") == 0)
		*ret_ok = expect_fact(r, args);
	else if (strcmp(verb, "edits") == 0)
		*ret_ok = expect_edits(r, args);
	else if (strcmp(verb, "insert") == 0)
		*ret_ok = expect_edit(r, MXW_EDIT_INSERT_HEADER, args);
	else if (strcmp(verb, "delete") == 0)
		*ret_ok = expect_edit(r, MXW_EDIT_DELETE_HEADER, args);
	else if (strcmp(verb, "sender-to") == 0)
		*ret_ok = expect_envelope(r, MXW_EDIT_CHANGE_SENDER, args);
	else if (strcmp(verb, "rcpt-add") == 0)
		*ret_ok = expect_envelope(r, MXW_EDIT_ADD_RCPT, args);
	else if (strcmp(verb, "rcpt-delete") == 0)
		*ret_ok = expect_envelope(r, MXW_EDIT_DELETE_RCPT, args);
	else if (strcmp(verb, "no-insert") == 0)
		*ret_ok = expect_no_insert(r, args);
	else if (strcmp(verb, "log") == 0 || strcmp(verb, "no-log") == 0)
		*ret_ok = expect_log(r, verb[0] == 'l', args);
	else if (strcmp(verb, "took") == 0)
		*ret_ok = expect_took(r, args);
	else if (strcmp(verb, "asked") == 0)
		*ret_ok = expect_asked(r, args);
	else if (strcmp(verb, "searched") == 0)
		*ret_ok = expect_searched(r, args);
	else if (strcmp(verb, "refreshed") == 0)
		*ret_ok = expect_refreshed(r, args);
	else
		return false;
	r->checks++;
	return true;
}

/* ---- the script ---- */

static bool write_file(struct replay *r, const char *name, const char *text, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", r->dir, name);
	FILE *f = fopen(path, "w");
	if (!f)
		return fail(r, "%s can't be written", path);
	fputs(text, f);
	return fclose(f) == 0 && chmod(path, mode) == 0;
}

static struct ldapd *need_ldapd(struct replay *r)
{
	if (!r->ldapd)
		r->ldapd = ldapd_start();
	return r->ldapd;
}

static bool take_conf(struct replay *r, const char *text)
{
	char *with_dir = substitute(text, "@DIR@", r->dir);

	r->conf_text = strstr(text, "@LDAP@") ? substitute(with_dir, "@LDAP@", ldapd_uri(need_ldapd(r))) : strdup(with_dir);
	free(with_dir);
	return r->conf_text != NULL;
}

static bool do_ldap(struct replay *r, const char *how)
{
	struct ldapd_settings *settings = ldapd_settings(need_ldapd(r));
	bool is_away = strcmp(how, "away") == 0;

	if (!is_away && strcmp(how, "found") != 0 && strcmp(how, "unknown") != 0)
		return fail(r, "ldap: found, unknown or away was expected");
	atomic_store(&settings->nentries, strcmp(how, "found") == 0);
	atomic_store(&settings->mode, is_away ? LDAPD_DROP : LDAPD_ANSWER);
	return true;
}

static bool do_forgive(struct replay *r, const char *args)
{
	struct mxw_error err;

	return mxw_track_forgive(r->engine, args, &err) == MXW_OK || fail(r, "%s: %s", args, err.text);
}

/* What outlives a process has to be on disk now. */
static bool do_restart(struct replay *r, const char *args)
{
	uint64_t off_ms = 0;

	if (*args && !mxw__parse_duration(args, &off_ms))
		return fail(r, "restart: for how long it was off was expected");
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		mxw_session_free(r->sessions[i].session);
		r->sessions[i].session = NULL;
	}
	mxw_engine_free(r->engine);
	r->engine = NULL;
	fake_clock_advance(&r->clock, (int64_t)off_ms);
	if (!need_engine(r))
		return false;
	/* Sessions need not wait for it; a scenario on a slow machine does. */
	for (unsigned waited_ms = 0; waited_ms < LOAD_MS && !mxw__store_has_loaded(r->engine->store); waited_ms += 10)
		usleep(10000);
	return true;
}

static bool take_block(struct replay *r, const char *verb, char *args, const char *text)
{
	struct mxw_error err = {0};

	if (strcmp(verb, "conf") == 0) {
		free(r->conf_text);
		return take_conf(r, text);
	}
	if (strcmp(verb, "dns") == 0)
		return fake_resolver_add(r->resolver, r->path, text, &err) == MXW_OK || fail(r, "dns: %s", err.text);
	if (strcmp(verb, "file") == 0)
		return write_file(r, word(&args), text, 0644);
	if (strcmp(verb, "secret") == 0)
		return write_file(r, word(&args), text, 0600);
	return fail(r, "no such block: %s", verb);
}

static bool run_line(struct replay *r, char *line);

static bool do_repeat(struct replay *r, char *args)
{
	char *count = word(&args);
	unsigned long n = count ? strtoul(count, NULL, 10) : 0;

	for (unsigned long i = 1; i <= n && i <= 100000; i++) {
		char number[24];
		snprintf(number, sizeof number, "%lu", i);
		char *line = substitute(args, "@N@", number);
		bool ok = run_line(r, line);
		free(line);
		if (!ok)
			return false;
	}
	return true;
}

static bool run_line(struct replay *r, char *line)
{
	char *args = line, *verb = word(&args);
	uint64_t ms;
	bool ok;

	if (!verb)
		return true;
	args = rest(args);
	for (size_t i = 0; i < MXW_ARRAY_LEN(steps); i++)
		if (strcmp(steps[i].name, verb) == 0)
			return run_step(r, &steps[i], args);
	if (is_expectation(r, verb, args, &ok))
		return ok;
	if (strcmp(verb, "repeat") == 0)
		return do_repeat(r, args);
	if (strcmp(verb, "session") == 0)
		return do_session(r, args);
	if (strcmp(verb, "reload") == 0)
		return do_reload(r);
	if (strcmp(verb, "restart") == 0)
		return do_restart(r, args);
	if (strcmp(verb, "forgive") == 0)
		return do_forgive(r, args);
	if (strcmp(verb, "ldap") == 0)
		return do_ldap(r, args);
	if (strcmp(verb, "advance") == 0 && mxw__parse_duration(args, &ms)) {
		fake_clock_advance(&r->clock, (int64_t)ms);
		return true;
	}
	if (strcmp(verb, "set-clock") == 0 && *args && strchr("+-", args[0]) && mxw__parse_duration(args + 1, &ms)) {
		atomic_fetch_add(&r->clock.wall_ms, args[0] == '+' ? (int64_t)ms : -(int64_t)ms);
		return true;
	}
	return fail(r, "what is %s?", verb);
}

/* What is written to the disk, and when, is to change nothing. */
static void save(struct replay *r)
{
	if (r->is_saving && r->engine && !mxw__store_flush(r->engine->store, SAVE_MS))
		fail(r, "what is remembered can't be written");
}

/* Reads lines up to the terminator; moves `*next` behind it. */
static char *read_block(struct replay *r, char **next, const char *end)
{
	char *start = *next, *line = start;

	while (*line) {
		char *nl = strchr(line, '\n');
		size_t len = nl ? (size_t)(nl - line) : strlen(line);
		r->line++;
		if (len == strlen(end) && strncmp(line, end, len) == 0) {
			*line = '\0';
			*next = nl ? nl + 1 : line + len;
			return start;
		}
		line = nl ? nl + 1 : line + len;
	}
	fail(r, "no %s", end);
	return NULL;
}

static void run_script(struct replay *r, char *text)
{
	for (char *next = text; *next;) {
		char *line = next, *nl = strchr(line, '\n');
		next = nl ? nl + 1 : line + strlen(line);
		if (nl)
			*nl = '\0';
		r->line++;
		char *here = strstr(line, "<<");
		if (*rest(line) == '#')
			continue;
		if (!here) {
			if (!run_line(r, line) && !r->engine)
				return;
			save(r);
			continue;
		}
		*here = '\0';
		char *block = read_block(r, &next, rest(here + 2)), *args = line, *verb = word(&args);
		if (!block || !verb || !take_block(r, verb, args, block))
			return;
	}
}

static void remove_dir(const char *dir)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		char path[512];
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

bool replay_file(const char *path, bool is_saving)
{
	struct replay r = {.path = path, .is_saving = is_saving, .dir = "/tmp/mxward-replay-XXXXXX", .sessions = {{.name = "default"}}};
	char *text = NULL;
	size_t len;

	if (mxw__file_read(path, 1 << 22, &text, &len, NULL) != MXW_OK || !mkdtemp(r.dir))
		return fail(&r, "can't be read");
	fake_clock_init(&r.clock);
	r.resolver = fake_resolver_new(&r.clock);
	pthread_mutex_init(&r.log_lock, NULL);
	mxw__buf_init(&r.log, LOG_BYTES);
	run_script(&r, text);
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		mxw_session_free(r.sessions[i].session);
	mxw_engine_free(r.engine);
	if (r.ldapd)
		ldapd_stop(r.ldapd);
	mxw_resolver_unref(&r.resolver->resolver);
	mxw__buf_fini(&r.log);
	pthread_mutex_destroy(&r.log_lock);
	free(r.conf_text);
	free(text);
	remove_dir(r.dir);
	if (r.checks == 0)
		fail(&r, "expects nothing");
	return r.failures == 0;
}
