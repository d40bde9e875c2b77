/* SPDX-License-Identifier: BSD-2-Clause */
/* Single values into the fields of structs, by the tables of schema.c. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/conf/schema.h"
#include "src/mail/mail.h"
#include "src/policy/fact_set.h"

enum { OPTIONS_MAX = 96 };

/* A section while it is read. */
struct reading {
	struct mxw__values *values;
	const struct mxw__section *section;
	void *base;
	struct mxw__pos *pos;
	size_t room[OPTIONS_MAX];  /* values a list may still take */
};

/* ---- units ---- */

static char *unit_text(uint64_t value, char text[32], const uint64_t *factors, const char *const *names, size_t n)
{
	size_t i = 0;

	while (i + 1 < n && (value == 0 || value % factors[i] != 0))
		i++;
	snprintf(text, 32, "%" PRIu64 "%s", value / factors[i], value ? names[i] : "");
	return text;
}

char *mxw__duration_text(uint64_t ms, char text[32])
{
	static const uint64_t factors[] = {604800000, 86400000, 3600000, 60000, 1000, 1};
	static const char *const names[] = {"w", "d", "h", "m", "s", "ms"};
	return unit_text(ms, text, factors, names, MXW_ARRAY_LEN(factors));
}

char *mxw__size_text(uint64_t bytes, char text[32])
{
	static const uint64_t factors[] = {1073741824, 1048576, 1024, 1};
	static const char *const names[] = {"G", "M", "K", ""};
	return unit_text(bytes, text, factors, names, MXW_ARRAY_LEN(factors));
}

static char *number_text(const struct mxw__option *o, uint64_t v, char text[32])
{
	if (o->type == MXW__OPT_DURATION)
		return mxw__duration_text(v, text);
	if (o->type == MXW__OPT_SIZE)
		return mxw__size_text(v, text);
	snprintf(text, 32, o->type == MXW__OPT_MODE ? "%04" PRIo64 : "%" PRIu64, v);
	return text;
}

/* ---- fields ---- */

static void *field(const struct reading *r, const struct mxw__option *o)
{
	return (char *)r->base + o->offset;
}

static void put_text(const struct reading *r, const struct mxw__option *o, const char *text)
{
	memcpy(field(r, o), &text, sizeof text);
}

/* Into an unsigned field of any width; the tables' ranges fit the fields. */
static void put_number(const struct reading *r, const struct mxw__option *o, uint64_t v)
{
	uint8_t v8 = (uint8_t)v;
	uint16_t v16 = (uint16_t)v;
	uint32_t v32 = (uint32_t)v;
	const void *from = o->size == 1 ? (const void *)&v8 : o->size == 2 ? (const void *)&v16 :
			   o->size == 4 ? (const void *)&v32 : (const void *)&v;
	memcpy(field(r, o), from, o->size);
}

/* In the form in which names are compared; `check` has passed it. */
static char *copy_domain(struct reading *r, const struct mxw__arg *arg)
{
	char name[MXW__DOMAIN_MAX + 1];
	bool ok = mxw__domain_pattern_to_ascii(arg->text, strlen(arg->text), name) == MXW_OK;
	char *text = ok ? mxw__arena_strdup(r->values->arena, name) : NULL;

	if (!text)
		r->values->out_of_memory = true;
	return text;
}

static char *copy_text(struct reading *r, const struct mxw__option *o, const struct mxw__arg *arg)
{
	bool is_path = o->type == MXW__OPT_PATH || o->type == MXW__OPT_PATHS;
	if (o->flags & MXW__OPT_IDN)
		return copy_domain(r, arg);
	char *text = is_path && arg->text[0] ? mxw__path_from(r->values->arena, arg->pos.file, arg->text) :
					       mxw__arena_strdup(r->values->arena, arg->text);

	if (!text) {
		r->values->out_of_memory = true;
		return NULL;
	}
	if (o->flags & MXW__OPT_LOWER) {
		mxw__ascii_lower_str(text);
		size_t len = strlen(text);
		if (len > 1 && text[len - 1] == '.')
			text[len - 1] = '\0';
	}
	return text;
}

/* ---- one value ---- */

static bool is_readable(struct mxw__complaints *complaints, const struct mxw__arg *arg, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || (S_ISREG(st.st_mode) && access(path, R_OK) != 0)) {
		mxw__complain(complaints, &arg->pos, "%s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		mxw__complain(complaints, &arg->pos, "%s: is no regular file", path);
		return false;
	}
	return true;
}

static void set_text(struct reading *r, const struct mxw__option *o, const struct mxw__arg *arg)
{
	if (!arg->text[0] && (o->flags & MXW__OPT_REQUIRED)) {
		mxw__complain(r->values->complaints, &arg->pos, "'%s' must not be empty", o->name);
		return;
	}
	if (arg->text[0] && o->check && !o->check(r->values->complaints, arg))
		return;
	char *text = copy_text(r, o, arg);
	if (!text || (text[0] && (o->flags & MXW__OPT_READABLE) && !is_readable(r->values->complaints, arg, text)))
		return;
	put_text(r, o, text);
}

static void complain_words(struct reading *r, const struct mxw__option *o, const struct mxw__arg *arg)
{
	mxw__complain(r->values->complaints, &arg->pos, "'%s' can't be '%s'; one of these was expected: %s", o->name,
		      arg->text, o->words);
}

static void set_word(struct reading *r, const struct mxw__option *o, const struct mxw__arg *arg)
{
	unsigned index = mxw__word_index(o->words, arg->text);

	if (index == MXW__NO_WORD)
		complain_words(r, o, arg);
	else if (o->type == MXW__OPT_CHOICE)
		put_number(r, o, index);
	else
		put_text(r, o, copy_text(r, o, arg));
}

static bool parse_octal(const char *s, uint64_t *ret)
{
	uint64_t v = 0;
	size_t len = strspn(s, "01234567");

	if (len == 0 || len > 6 || s[len])
		return false;
	for (size_t i = 0; i < len; i++)
		v = v * 8 + (uint64_t)(s[i] - '0');
	*ret = v;
	return true;
}

static void set_number(struct reading *r, const struct mxw__option *o, const struct mxw__arg *arg)
{
	static const char *const expected[] = {
		[MXW__OPT_NUMBER] = "a whole number was expected",
		[MXW__OPT_SIZE] = "a number of bytes was expected, K, M or G may follow: 64K",
		[MXW__OPT_DURATION] = "a duration with its unit was expected (ms, s, m, h, d, w): 3s",
		[MXW__OPT_MODE] = "an octal file mode was expected: 0660",
	};
	char lo[32], hi[32];
	uint64_t v = 0;
	bool ok = o->type == MXW__OPT_DURATION ? mxw__parse_duration(arg->text, &v) :
		  o->type == MXW__OPT_SIZE ? mxw__parse_size(arg->text, &v) :
		  o->type == MXW__OPT_MODE ? parse_octal(arg->text, &v) : mxw__parse_u64(arg->text, &v);

	if (!ok)
		mxw__complain(r->values->complaints, &arg->pos, "'%s' can't be '%s'; %s", o->name, arg->text,
			      expected[o->type]);
	else if (v < o->min || v > o->max)
		mxw__complain(r->values->complaints, &arg->pos, "'%s' can't be %s; %s to %s was expected", o->name,
			      arg->text, number_text(o, o->min, lo), number_text(o, o->max, hi));
	else
		put_number(r, o, v);
}

static void set_rate(struct reading *r, const struct mxw__option *o, const struct mxw__arg *arg)
{
	struct mxw__rate_conf rate = {0};

	if (mxw__rate_read(r->values->complaints, o->name, arg, o->max, &rate))
		memcpy(field(r, o), &rate, sizeof rate);
}

/* ---- lists ---- */

/* Room for all values a list gets in this section. */
static void *new_array(struct reading *r, size_t n, size_t size)
{
	size_t bytes;
	void *array = mxw__mul_size(n, size, &bytes) ? mxw__arena_alloc(r->values->arena, bytes) : NULL;

	if (!array)
		r->values->out_of_memory = true;
	return array;
}

static void add_string(struct reading *r, const struct mxw__option *o, const struct mxw__arg *arg)
{
	struct mxw__strings *list = field(r, o);
	size_t i = (size_t)(o - r->section->options);

	if (o->check && !o->check(r->values->complaints, arg))
		return;
	const char *text = copy_text(r, o, arg);
	/* A default (line 0) need not be there. */
	bool must_be_there = o->type == MXW__OPT_PATHS && (o->flags & MXW__OPT_READABLE) && arg->pos.line > 0;
	if (!text || (text[0] && must_be_there && !is_readable(r->values->complaints, arg, text)))
		return;
	if (!list->v)
		list->v = new_array(r, r->room[i], sizeof *list->v);
	if (!list->v)
		return;
	/* The array is ours until the configuration is handed out. */
	memcpy((char *)(uintptr_t)list->v + list->n++ * sizeof text, &text, sizeof text);
}

static void add_network(struct reading *r, const struct mxw__option *o, const struct mxw__arg *arg)
{
	struct mxw__networks *list = field(r, o);
	size_t i = (size_t)(o - r->section->options);
	struct mxw_network network;

	if (strcmp(arg->text, "none") == 0)
		return;
	if (mxw_network_parse(arg->text, &network) != MXW_OK) {
		mxw__complain(r->values->complaints, &arg->pos,
			      "'%s' is no address and no network; 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32 was expected, "
			      "without bits beyond the prefix", arg->text);
		return;
	}
	if (!list->v)
		list->v = new_array(r, r->room[i], sizeof *list->v);
	if (!list->v)
		return;
	memcpy((char *)(uintptr_t)list->v + list->n++ * sizeof network, &network, sizeof network);
}

static bool is_list(const struct mxw__option *o)
{
	return o->type == MXW__OPT_LIST || o->type == MXW__OPT_PATHS || o->type == MXW__OPT_NETWORKS;
}

static void set_value(struct reading *r, const struct mxw__option *o, const struct mxw__arg *arg)
{
	switch (o->type) {
	case MXW__OPT_TEXT:
	case MXW__OPT_PATH:
		set_text(r, o, arg);
		break;
	case MXW__OPT_WORD:
	case MXW__OPT_CHOICE:
		set_word(r, o, arg);
		break;
	case MXW__OPT_NUMBER:
	case MXW__OPT_SIZE:
	case MXW__OPT_DURATION:
	case MXW__OPT_MODE:
		set_number(r, o, arg);
		break;
	case MXW__OPT_RATE:
		set_rate(r, o, arg);
		break;
	case MXW__OPT_LIST:
	case MXW__OPT_PATHS:
		add_string(r, o, arg);
		break;
	case MXW__OPT_NETWORKS:
		add_network(r, o, arg);
		break;
	case MXW__OPT_ROWS:
	case MXW__OPT_OTHER:
		break;
	}
}

/* ---- entries ---- */

/* The values of an entry; a '=' between key and value is told and passed over. */
static const struct mxw__arg *entry_args(struct reading *r, const struct mxw__node *node)
{
	const struct mxw__arg *arg = node->args;

	if (arg && !arg->is_quoted && strcmp(arg->text, "=") == 0) {
		mxw__complain(r->values->complaints, &arg->pos, "unexpected '='; the value follows the key after a blank");
		arg = arg->next;
	}
	if (!arg)
		mxw__complain(r->values->complaints, &node->pos, "'%s' needs a value", node->name);
	return arg;
}

/* An entry of the top level with the name of a section. `rule NAME off` is one that may stand so. */
static bool is_section_name(const struct mxw__section *section, const struct mxw__node *node)
{
	for (size_t s = 1; s < MXW__SECTION_COUNT && !section->name[0]; s++)
		if (strcmp(mxw__sections[s].name, node->name) == 0)
			return true;
	return false;
}

static void read_entry(struct reading *r, const struct mxw__node *node)
{
	const struct mxw__option *o = mxw__option_find(r->section, node->name);
	struct mxw__complaints *complaints = r->values->complaints;

	if (!o) {
		if (!is_section_name(r->section, node))
			mxw__complain_unknown_key(complaints, r->section, node);
		else if (strcmp(node->name, "rule") != 0)
			mxw__complain(complaints, &node->pos, "'%s' is a section; '{' was expected at the end of the line",
				      node->name);
		return;
	}
	if (node->is_section) {
		mxw__complain(complaints, &node->pos, "'%s' is no section; a value was expected", node->name);
		return;
	}
	if (o->type == MXW__OPT_OTHER) {
		mxw__complain(complaints, &node->pos, "'%s' stands at the top level of a file only", node->name);
		return;
	}
	struct mxw__pos *pos = &r->pos[o - r->section->options];
	if (o->type == MXW__OPT_ROWS) {
		if (!pos->file)
			*pos = node->pos;
		return;
	}
	if (pos->file && !is_list(o)) {
		mxw__complain(complaints, &node->pos, "'%s' has been given already, at %s:%u", node->name, pos->file, pos->line);
		return;
	}
	if (!pos->file)
		*pos = node->pos;
	const struct mxw__arg *arg = entry_args(r, node);
	for (const struct mxw__arg *a = arg; a; a = a->next) {
		if (a != arg && !is_list(o)) {
			mxw__complain(complaints, &a->pos, "unexpected '%s'; '%s' takes one value (quote it if it has blanks)",
				      a->text, node->name);
			break;
		}
		set_value(r, o, a);
	}
}

static void count_values(struct reading *r, const struct mxw__node *body)
{
	for (const struct mxw__node *node = body->first; node; node = node->next) {
		const struct mxw__option *o = node->name ? mxw__option_find(r->section, node->name) : NULL;
		for (const struct mxw__arg *arg = node->args; o && arg; arg = arg->next)
			r->room[o - r->section->options]++;
	}
}

/* A default goes the way a written value goes; it is never complained of. */
static void set_default(struct reading *r, const struct mxw__option *o, const char *deflt)
{
	char *words, *save = NULL;

	if (o->type == MXW__OPT_TEXT || o->type == MXW__OPT_PATH || o->type == MXW__OPT_WORD) {
		put_text(r, o, deflt && !(o->flags & MXW__OPT_COMPUTED) ? deflt : "");
		return;
	}
	if (!deflt || o->type == MXW__OPT_OTHER || o->type == MXW__OPT_ROWS)
		return;
	words = mxw__arena_strdup(r->values->arena, deflt);
	if (!words) {
		r->values->out_of_memory = true;
		return;
	}
	size_t i = (size_t)(o - r->section->options);
	r->room[i] = strlen(words);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		struct mxw__arg arg = {.text = w, .pos = {"default", 0, 0}};
		set_value(r, o, &arg);
	}
}

void mxw__values_read(struct mxw__values *values, const struct mxw__section *section, struct mxw__node *const *bodies,
		      size_t nbodies, void *base, struct mxw__pos *ret_pos)
{
	struct reading r = {.values = values, .section = section, .base = base, .pos = ret_pos};

	for (size_t i = 0; i < nbodies; i++)
		count_values(&r, bodies[i]);
	for (size_t i = 0; i < section->noptions; i++)
		ret_pos[i] = (struct mxw__pos){0};
	/* Lists apart, a default is put first, so that a field is good even after a complaint. */
	for (size_t i = 0; i < section->noptions; i++)
		if (!is_list(&section->options[i]))
			set_default(&r, &section->options[i], section->options[i].deflt);
	for (size_t i = 0; i < nbodies; i++) {
		for (const struct mxw__node *node = bodies[i]->first; node; node = node->next) {
			if (!node->name)
				continue;
			if (section->name[0] == '\0' && (node->is_section || strcmp(node->name, "include") == 0))
				continue;
			read_entry(&r, node);
		}
	}
	for (size_t i = 0; i < section->noptions; i++)
		if (is_list(&section->options[i]) && !ret_pos[i].file)
			set_default(&r, &section->options[i], section->options[i].deflt);
}

void mxw__values_set_default(struct mxw__values *values, const struct mxw__section *section,
			     const struct mxw__option *option, const char *text, void *base)
{
	struct reading r = {.values = values, .section = section, .base = base};

	if (is_list(option))
		memset(field(&r, option), 0, option->size);
	set_default(&r, option, text);
}
