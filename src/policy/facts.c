/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/policy/fact_set.h"

static const char *const stage_names[MXW_STAGE_COUNT] = {
	[MXW_STAGE_CONNECT] = "connect",
	[MXW_STAGE_HELO] = "helo",
	[MXW_STAGE_MAIL] = "mail",
	[MXW_STAGE_RCPT] = "rcpt",
	[MXW_STAGE_DATA] = "data",
	[MXW_STAGE_EOM] = "eom",
};

const char *mxw_stage_name(mxw_stage_t stage)
{
	return (size_t)stage < MXW_STAGE_COUNT ? stage_names[stage] : "unknown";
}

/* ---- the table ---- */

size_t mxw_fact_count(void)
{
	return MXW__FACT_COUNT;
}

const struct mxw_fact_info *mxw_fact_info(mxw_fact_id_t id)
{
	return id < MXW__FACT_COUNT ? &mxw__fact_table[id] : NULL;
}

mxw_fact_id_t mxw_fact_find(const char *name)
{
	for (mxw_fact_id_t id = 0; id < MXW__FACT_COUNT; id++)
		if (strcmp(mxw__fact_table[id].name, name) == 0)
			return id;
	return MXW_FACT_NONE;
}

unsigned mxw__word_index(const char *words, const char *word)
{
	size_t len = strlen(word);
	unsigned index = 0;

	for (const char *w = words; *w; index++) {
		size_t n = strcspn(w, " ");
		if (n == len && memcmp(w, word, n) == 0)
			return index;
		w += n;
		w += strspn(w, " ");
	}
	return MXW__NO_WORD;
}

const char *mxw__fact_words(const struct mxw_fact_info *info)
{
	return info->type == MXW_FACT_YESNO ? "no yes" : info->words;
}

/* ---- the set ---- */

mxw_status_t mxw_facts_new(size_t max_facts, size_t max_bytes, mxw_facts_t **ret_facts)
{
	mxw_facts_t *facts = calloc(1, sizeof *facts);

	if (!facts)
		return MXW_ERR_NOMEM;
	facts->max_facts = max_facts;
	facts->max_bytes = max_bytes;
	*ret_facts = facts;
	return MXW_OK;
}

void mxw_facts_free(mxw_facts_t *facts)
{
	if (!facts)
		return;
	free(facts->values);
	free(facts->pool);
	free(facts);
}

/* Copies the texts that are still in use into a fresh pool with `room` bytes free behind them. */
static bool repack(mxw_facts_t *facts, size_t room)
{
	size_t cap = facts->pool_cap ? facts->pool_cap : 512;

	while (cap < facts->live + room)
		cap *= 2;
	char *pool = malloc(cap);
	if (!pool)
		return false;
	size_t len = 0;
	for (size_t i = 0; i < facts->n; i++) {
		struct mxw__fact_value *v = &facts->values[i];
		memcpy(pool + len, facts->pool + v->offset, v->len + 1);
		v->offset = len;
		len += v->len + 1;
	}
	free(facts->pool);
	facts->pool = pool;
	facts->pool_cap = cap;
	facts->pool_len = len;
	return true;
}

/* Removes the statements `drop` says; the order of the others stays. */
static void remove_if(mxw_facts_t *facts, bool (*drop)(const struct mxw__fact_value *value, unsigned arg), unsigned arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < facts->n; i++) {
		if (drop(&facts->values[i], arg)) {
			facts->live -= facts->values[i].len + 1;
			continue;
		}
		if (kept != i)
			facts->values[kept] = facts->values[i];
		kept++;
	}
	facts->n = kept;
	if (kept == 0)
		facts->pool_len = 0;
}

static bool has_id(const struct mxw__fact_value *value, unsigned id)
{
	return value->id == id;
}

static bool has_scope(const struct mxw__fact_value *value, unsigned scope)
{
	return (unsigned)mxw__fact_table[value->id].scope >= scope;
}

static mxw_status_t make_room(mxw_facts_t *facts, size_t replaced, size_t replaced_bytes, size_t bytes)
{
	if (facts->n - replaced >= facts->max_facts)
		return MXW_ERR_LIMIT;
	if (bytes > facts->max_bytes || facts->live - replaced_bytes > facts->max_bytes - bytes)
		return MXW_ERR_LIMIT;
	if (facts->n == facts->cap) {
		size_t cap = facts->cap ? facts->cap * 2 : 32;
		struct mxw__fact_value *values = realloc(facts->values, cap * sizeof *values);
		if (!values)
			return MXW_ERR_NOMEM;
		facts->values = values;
		facts->cap = cap;
	}
	if (facts->pool_cap - facts->pool_len < bytes && !repack(facts, bytes))
		return MXW_ERR_NOMEM;
	return MXW_OK;
}

void mxw__facts_forget(mxw_facts_t *facts, mxw_fact_id_t id)
{
	remove_if(facts, has_id, id);
	facts->lost[id] = false;
}

/*
 * A statement that could not be taken in must not look like one that was never made, nor must the one it was to
 * replace still stand: "not auth" would hold of a client that has authenticated.
 */
static mxw_status_t lose(mxw_facts_t *facts, mxw_fact_id_t id, mxw_status_t status)
{
	if (!mxw__fact_table[id].is_multi)
		remove_if(facts, has_id, id);
	facts->lost[id] = true;
	return status;
}

/* Takes the statement into the set. */
static mxw_status_t state(mxw_facts_t *facts, struct mxw__fact_value value, const char *text)
{
	bool is_multi = mxw__fact_table[value.id].is_multi;
	size_t replaced = 0, replaced_bytes = 0;

	value.len = strlen(text);
	if (!is_multi) {
		size_t i = mxw__facts_index(facts, value.id, 0);
		if (i < facts->n) {
			replaced = 1;
			replaced_bytes = facts->values[i].len + 1;
		}
	}
	mxw_status_t status = make_room(facts, replaced, replaced_bytes, value.len + 1);
	if (status != MXW_OK)
		return lose(facts, value.id, status);
	if (!is_multi)
		facts->lost[value.id] = false;
	value.offset = facts->pool_len;
	memcpy(facts->pool + value.offset, text, value.len + 1);
	if (replaced)
		remove_if(facts, has_id, value.id);
	facts->pool_len = value.offset + value.len + 1;
	facts->live += value.len + 1;
	facts->values[facts->n++] = value;
	return MXW_OK;
}

mxw_status_t mxw_facts_set(mxw_facts_t *facts, mxw_fact_id_t id, const char *value)
{
	const struct mxw_fact_info *info = mxw_fact_info(id);
	struct mxw__fact_value v = {.id = id, .word = MXW__NO_WORD};

	if (!info || info->type == MXW_FACT_NUMBER || info->type == MXW_FACT_ADDRESS)
		return MXW_ERR_USAGE;
	const char *words = mxw__fact_words(info);
	if (words) {
		v.word = (uint8_t)mxw__word_index(words, value);
		if (v.word == MXW__NO_WORD)
			return MXW_ERR_USAGE;
	}
	return state(facts, v, value);
}

/* Decimal digits at the end of `text`; returns where they begin. */
static const char *format_number(char text[24], uint64_t value)
{
	char *p = text + 23;

	*p = '\0';
	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return p;
}

/* Counters are stated anew at each stage, and most of them have not moved. */
static bool says_already(const mxw_facts_t *facts, mxw_fact_id_t id, uint64_t value)
{
	size_t i = mxw__fact_table[id].is_multi ? facts->n : mxw__facts_index(facts, id, 0);

	return i < facts->n && !facts->values[i].is_unavailable && facts->values[i].number == value;
}

mxw_status_t mxw_facts_set_number(mxw_facts_t *facts, mxw_fact_id_t id, uint64_t value)
{
	const struct mxw_fact_info *info = mxw_fact_info(id);
	char text[24];

	if (!info || info->type != MXW_FACT_NUMBER)
		return MXW_ERR_USAGE;
	if (says_already(facts, id, value))
		return MXW_OK;
	return state(facts, (struct mxw__fact_value){.id = id, .word = MXW__NO_WORD, .number = value},
		     format_number(text, value));
}

mxw_status_t mxw_facts_set_ip(mxw_facts_t *facts, mxw_fact_id_t id, const struct mxw_ip *ip)
{
	const struct mxw_fact_info *info = mxw_fact_info(id);
	char text[MXW_IP_TEXT_MAX];

	if (!info || info->type != MXW_FACT_ADDRESS || (ip->family != 4 && ip->family != 6))
		return MXW_ERR_USAGE;
	mxw_ip_format(ip, text);
	return state(facts, (struct mxw__fact_value){.id = id, .word = MXW__NO_WORD, .ip = *ip}, text);
}

mxw_status_t mxw_facts_set_unavailable(mxw_facts_t *facts, mxw_fact_id_t id, const char *word)
{
	const struct mxw_fact_info *info = mxw_fact_info(id);
	struct mxw__fact_value v = {.id = id, .word = MXW__NO_WORD, .is_unavailable = true};

	if (!info)
		return MXW_ERR_USAGE;
	if (word && info->type == MXW_FACT_WORD) {
		v.word = (uint8_t)mxw__word_index(info->words, word);
		if (v.word == MXW__NO_WORD)
			return MXW_ERR_USAGE;
	}
	return state(facts, v, word ? word : "");
}

void mxw_facts_clear(mxw_facts_t *facts, mxw_fact_scope_t scope)
{
	remove_if(facts, has_scope, scope);
	for (mxw_fact_id_t id = 0; id < MXW__FACT_COUNT; id++)
		if (mxw__fact_table[id].scope >= scope)
			facts->lost[id] = false;
}

bool mxw_facts_has(const mxw_facts_t *facts, mxw_fact_id_t id)
{
	return mxw__facts_index(facts, id, 0) < facts->n;
}

bool mxw_facts_is_unavailable(const mxw_facts_t *facts, mxw_fact_id_t id)
{
	size_t i = mxw__facts_index(facts, id, 0);

	if (i < facts->n)
		return facts->values[i].is_unavailable;
	return id < MXW__FACT_COUNT && facts->lost[id];
}

const char *mxw_facts_get(const mxw_facts_t *facts, mxw_fact_id_t id)
{
	size_t i = mxw__facts_index(facts, id, 0);
	return i < facts->n ? mxw__fact_text(facts, &facts->values[i]) : NULL;
}

uint64_t mxw_facts_get_number(const mxw_facts_t *facts, mxw_fact_id_t id)
{
	size_t i = mxw__facts_index(facts, id, 0);
	return i < facts->n ? facts->values[i].number : 0;
}

void mxw_facts_each(const mxw_facts_t *facts,
		    void (*visit)(void *ctx, mxw_fact_id_t id, const char *value, bool is_unavailable),
		    void *ctx)
{
	for (size_t i = 0; i < facts->n; i++) {
		const struct mxw__fact_value *v = &facts->values[i];
		visit(ctx, v->id, mxw__fact_text(facts, v), v->is_unavailable);
	}
}
