/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the section `rates`: limit NAME WHAT per KEY RATE [burst N] [for CLASS ...]. */
#include "config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "src/conf/build.h"

#define SECOND_MS UINT64_C(1000)
#define DAY_MS UINT64_C(86400000)
#define COUNT_MAX UINT64_C(1000000000)
#define BYTES_MAX (UINT64_C(1) << 40)
enum { BURSTS_MAX = 100 };

/* Keys as bits of mxw__key_kind_t, with NONE for the site. */
#define PER(kind) (1u << MXW__KEY_##kind)
#define PER_CLIENT (PER(ADDRESS) | PER(NETWORK) | PER(WIDE) | PER(HELO) | PER(USER) | PER(NONE))

static const struct limited {
	const char *name;
	unsigned keys;
} limited[MXW__LIMITED_KINDS] = {
	[MXW__LIMITED_CONNECTIONS] = {"connections", PER_CLIENT},
	[MXW__LIMITED_SESSIONS] = {"sessions", PER_CLIENT},
	[MXW__LIMITED_MESSAGES] = {"messages", PER_CLIENT | PER(DOMAIN)},
	/* The null sender has no domain. */
	[MXW__LIMITED_NULL_MESSAGES] = {"null-messages", PER_CLIENT},
	[MXW__LIMITED_RCPTS] = {"recipients", PER_CLIENT | PER(DOMAIN)},
	[MXW__LIMITED_DIFFERENT_RCPTS] = {"different-recipients", PER_CLIENT | PER(DOMAIN)},
	[MXW__LIMITED_BYTES] = {"bytes", PER_CLIENT | PER(DOMAIN)},
	[MXW__LIMITED_FAILED_RCPTS] = {"failed-recipients", PER_CLIENT | PER(DOMAIN)},
};

const char *mxw__limited_name(mxw__limited_t what)
{
	return limited[what].name;
}

const char *mxw__limit_key_name(mxw__key_kind_t key)
{
	return key == MXW__KEY_NONE ? "site" : mxw__key_kind_name(key);
}

/* ---- a row ---- */

/* A row while it is read: `next` is what has not been read. */
struct row {
	struct mxw__complaints *complaints;
	const struct mxw__node *node;
	const struct mxw__arg *next;
	struct mxw__limit_conf *limit;
};

/* The next value; complains if there is none. */
static const struct mxw__arg *take(struct row *r, const char *what)
{
	const struct mxw__arg *arg = r->next;

	if (arg)
		r->next = arg->next;
	else
		mxw__complain(r->complaints, &r->node->pos, "%s was expected: limit NAME WHAT per KEY RATE", what);
	return arg;
}

/* Complains that a word is none of `n` that `name` gives, with a hint. */
static void complain_word(struct row *r, const struct mxw__arg *arg, const char *what, const char *(*name)(unsigned i), unsigned n)
{
	const char *near = NULL;
	unsigned best = UINT_MAX;
	struct mxw__buf all;

	mxw__buf_init(&all, 400);
	for (unsigned i = 0; i < n; i++) {
		if (mxw__name_is_nearer(arg->text, name(i), &best))
			near = name(i);
		mxw__buf_addf(&all, "%s%s", i ? ", " : "", name(i));
	}
	if (near)
		mxw__complain(r->complaints, &arg->pos, "'%s' is no %s; did you mean '%s'?", arg->text, what, near);
	else
		mxw__complain(r->complaints, &arg->pos, "'%s' is no %s; one of these was expected: %s", arg->text, what,
			      mxw__buf_str(&all));
	mxw__buf_fini(&all);
}

/* The index of a word, or `n`, having complained. */
static unsigned find_word(struct row *r, const struct mxw__arg *arg, const char *what, const char *(*name)(unsigned i), unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(arg->text, name(i)) == 0)
			return i;
	complain_word(r, arg, what, name, n);
	return n;
}

static const char *what_name(unsigned i)
{
	return limited[i].name;
}

static const char *key_name(unsigned i)
{
	return mxw__limit_key_name((mxw__key_kind_t)i);
}

static const char *class_name(unsigned i)
{
	static const char *const names[] = {"outside", "internal", "authenticated", "any"};

	return names[i];
}

static bool read_what(struct row *r)
{
	const struct mxw__arg *arg = take(r, "what is limited");
	unsigned what = arg ? find_word(r, arg, "thing that can be limited", what_name, MXW__LIMITED_KINDS) : MXW__LIMITED_KINDS;

	r->limit->what = (mxw__limited_t)what;
	return what < MXW__LIMITED_KINDS;
}

static bool read_key(struct row *r)
{
	const struct mxw__arg *per = take(r, "'per' and a key");

	if (!per)
		return false;
	if (strcmp(per->text, "per") != 0) {
		mxw__complain(r->complaints, &per->pos, "'per' was expected, not '%s': limit NAME WHAT per KEY RATE", per->text);
		return false;
	}
	const struct mxw__arg *arg = take(r, "a key after 'per'");
	unsigned key = arg ? find_word(r, arg, "key", key_name, MXW__KEY_KINDS) : MXW__KEY_KINDS;
	if (key == MXW__KEY_KINDS)
		return false;
	r->limit->key = (mxw__key_kind_t)key;
	if (limited[r->limit->what].keys >> key & 1)
		return true;
	mxw__complain(r->complaints, &arg->pos, "%s can't be counted per %s", mxw__limited_name(r->limit->what), arg->text);
	return false;
}

/* The numbers that may stand there for what is limited. */
static uint64_t count_max(mxw__limited_t what)
{
	return what == MXW__LIMITED_BYTES ? BYTES_MAX : what == MXW__LIMITED_DIFFERENT_RCPTS ? MXW__DIFFERENT_MAX : COUNT_MAX;
}

static bool read_sessions(struct row *r, const struct mxw__arg *arg)
{
	if (mxw__parse_u64(arg->text, &r->limit->rate.count) && r->limit->rate.count <= COUNT_MAX && r->limit->rate.count > 0)
		return true;
	mxw__complain(r->complaints, &arg->pos, "'%s' can't be a limit of sessions; how many may be open at one time was expected: 20",
		      arg->text);
	return false;
}

static bool read_rate(struct row *r)
{
	const struct mxw__arg *arg = take(r, r->limit->what == MXW__LIMITED_SESSIONS ? "a number" : "a rate like 60/1m");
	mxw__limited_t what = r->limit->what;
	bool is_bytes = what == MXW__LIMITED_BYTES;
	char text[32];

	if (!arg || what == MXW__LIMITED_SESSIONS)
		return arg && read_sessions(r, arg);
	if (!mxw__parse_rate(arg->text, is_bytes, &r->limit->rate.count, &r->limit->rate.window_ms)) {
		mxw__complain(r->complaints, &arg->pos, "'%s' is no rate; a number and the time for it was expected: %s", arg->text,
			      is_bytes ? "100M/1h" : "60/1m");
		return false;
	}
	if (r->limit->rate.count == 0 || r->limit->rate.count > count_max(what)) {
		snprintf(text, sizeof text, "%" PRIu64, count_max(what));
		mxw__complain(r->complaints, &arg->pos, "'%s' can't be a limit of %s; 1 to %s in that time was expected", arg->text,
			      mxw__limited_name(what), is_bytes ? "1024G" : text);
		return false;
	}
	if (r->limit->rate.window_ms >= SECOND_MS && r->limit->rate.window_ms <= 30 * DAY_MS)
		return true;
	mxw__complain(r->complaints, &arg->pos, "'%s': the time of a rate is 1s to 30d", arg->text);
	return false;
}

static bool has_bucket(mxw__limited_t what)
{
	return what != MXW__LIMITED_SESSIONS && what != MXW__LIMITED_DIFFERENT_RCPTS;
}

static bool read_burst(struct row *r, const struct mxw__arg *word)
{
	const struct mxw__arg *arg = take(r, "a number after 'burst'");
	struct mxw__rate *rate = &r->limit->rate;
	char text[32];

	if (!arg)
		return false;
	if (!has_bucket(r->limit->what)) {
		mxw__complain(r->complaints, &word->pos, "a limit of %s has no burst", mxw__limited_name(r->limit->what));
		return false;
	}
	bool is_number = r->limit->what == MXW__LIMITED_BYTES ? mxw__parse_size(arg->text, &rate->burst) :
			 mxw__parse_u64(arg->text, &rate->burst);
	if (is_number && rate->burst > 0 && rate->burst <= rate->count * BURSTS_MAX)
		return true;
	if (r->limit->what == MXW__LIMITED_BYTES)
		mxw__size_text(rate->count * BURSTS_MAX, text);
	else
		snprintf(text, sizeof text, "%" PRIu64, rate->count * BURSTS_MAX);
	mxw__complain(r->complaints, &arg->pos, "'burst' can't be '%s'; 1 to %s was expected, a hundred times the rate", arg->text, text);
	return false;
}

static bool read_classes(struct row *r)
{
	static const unsigned bits[] = {MXW__FOR_OUTSIDE, MXW__FOR_INTERNAL, MXW__FOR_AUTHENTICATED, MXW__FOR_ANY};

	if (!r->next) {
		take(r, "outside, internal, authenticated or any after 'for'");
		return false;
	}
	r->limit->classes = 0;
	for (; r->next; r->next = r->next->next) {
		unsigned i = find_word(r, r->next, "class of clients", class_name, MXW_ARRAY_LEN(bits));
		if (i == MXW_ARRAY_LEN(bits))
			return false;
		r->limit->classes |= bits[i];
	}
	return true;
}

static bool read_rest(struct row *r)
{
	while (r->next) {
		const struct mxw__arg *word = r->next;
		r->next = word->next;
		if (strcmp(word->text, "burst") == 0) {
			if (!read_burst(r, word))
				return false;
		} else if (strcmp(word->text, "for") == 0) {
			return read_classes(r);
		} else {
			mxw__complain(r->complaints, &word->pos, "unexpected '%s'; 'burst' or 'for' was expected", word->text);
			return false;
		}
	}
	return true;
}

/* Of one who has not authenticated no user is known. */
static void settle_classes(struct row *r)
{
	bool is_user = r->limit->key == MXW__KEY_USER;

	if (!r->limit->classes)
		r->limit->classes = is_user ? MXW__FOR_AUTHENTICATED : MXW__FOR_OUTSIDE;
	else if (is_user && !(r->limit->classes & MXW__FOR_AUTHENTICATED))
		mxw__complain(r->complaints, &r->node->pos, "a limit per user is for authenticated clients only");
}

static bool read_limit(struct mxw__build *b, const struct mxw__node *node, struct mxw__limit_conf *ret_limit)
{
	struct row r = {b->values.complaints, node, node->args, ret_limit};

	*ret_limit = (struct mxw__limit_conf){.pos = node->pos};
	const struct mxw__arg *name = take(&r, "a name");
	if (!name || !mxw__check_name(r.complaints, name) || !read_what(&r) || !read_key(&r) || !read_rate(&r) || !read_rest(&r))
		return false;
	ret_limit->name = mxw__arena_strdup(b->values.arena, name->text);
	if (!ret_limit->name) {
		b->values.out_of_memory = true;
		return false;
	}
	settle_classes(&r);
	ret_limit->rate.id = mxw__rate_id(name->text);
	if (has_bucket(ret_limit->what) && !ret_limit->rate.burst)
		ret_limit->rate.burst = ret_limit->rate.count;
	return true;
}

/* ---- all of them ---- */

static void check_new(struct mxw__build *b, const struct mxw__limit_conf *limits, size_t n)
{
	const struct mxw__limit_conf *fresh = &limits[n];
	size_t nsessions = 0;

	for (size_t i = 0; i < n; i++) {
		nsessions += limits[i].what == MXW__LIMITED_SESSIONS;
		if (strcmp(limits[i].name, fresh->name) == 0)
			mxw__complain(b->values.complaints, &fresh->pos, "there is a limit '%s' already, at %s:%u", fresh->name,
				      limits[i].pos.file, limits[i].pos.line);
	}
	if (fresh->what == MXW__LIMITED_SESSIONS && nsessions == MXW__SESSION_LIMITS_MAX)
		mxw__complain(b->values.complaints, &fresh->pos, "more than %d limits of sessions", MXW__SESSION_LIMITS_MAX);
}

/* False: there are too many. */
static bool add_limit(struct mxw__build *b, const struct mxw__node *node, struct mxw__limit_conf *limits)
{
	struct mxw__rates_conf *rates = &b->conf->rates;

	if (rates->nlimits == MXW__LIMITS_MAX) {
		mxw__complain(b->values.complaints, &node->pos, "more than %d limits", MXW__LIMITS_MAX);
		return false;
	}
	if (!read_limit(b, node, &limits[rates->nlimits]))
		return true;
	check_new(b, limits, rates->nlimits);
	rates->kinds |= 1u << limits[rates->nlimits].what;
	rates->key_kinds |= 1u << limits[rates->nlimits].key;
	rates->nlimits++;
	return true;
}

void mxw__build_rates(struct mxw__build *b)
{
	struct mxw__limit_conf *limits = mxw__arena_alloc(b->values.arena, MXW__LIMITS_MAX * sizeof *limits);

	if (!limits) {
		b->values.out_of_memory = true;
		return;
	}
	b->conf->rates.limits = limits;
	for (const struct mxw__node *section = b->root->first; section; section = section->next) {
		if (!section->name || !section->is_section || strcmp(section->name, "rates") != 0)
			continue;
		for (const struct mxw__node *node = section->first; node; node = node->next)
			if (node->name && !node->is_section && strcmp(node->name, "limit") == 0 && !add_limit(b, node, limits))
				return;
	}
}

static void dump_number(uint64_t n, bool is_bytes, FILE *out)
{
	char text[32];

	if (is_bytes)
		fputs(mxw__size_text(n, text), out);
	else
		fprintf(out, "%" PRIu64, n);
}

void mxw__dump_limits(const struct mxw__rates_conf *rates, FILE *out)
{
	char text[32];

	for (size_t i = 0; i < rates->nlimits; i++) {
		const struct mxw__limit_conf *l = &rates->limits[i];
		bool is_bytes = l->what == MXW__LIMITED_BYTES;
		fprintf(out, "\tlimit %s %s per %s ", l->name, mxw__limited_name(l->what), mxw__limit_key_name(l->key));
		dump_number(l->rate.count, is_bytes, out);
		if (l->rate.window_ms)
			fprintf(out, "/%s", mxw__duration_text(l->rate.window_ms, text));
		if (has_bucket(l->what)) {
			fputs(" burst ", out);
			dump_number(l->rate.burst, is_bytes, out);
		}
		fputs(" for", out);
		for (unsigned c = 0; c < 3; c++)
			if (l->classes >> c & 1)
				fprintf(out, " %s", class_name(c));
		fputc('\n', out);
	}
}
