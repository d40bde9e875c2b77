/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole evaluations of SPF in a world that the input makes up. Its lines are the TXT records there are; which of them a name
 * has, or whether it has none, or fails, or has several, follows from the name, and so do its addresses, exchangers and names.
 * The first octet chooses the client, the rest of the first line is the local part.
 *
 * Whatever it says: the result is one of RFC 7208, what comes out for people is printable and bounded, the number of questions is
 * bounded, and gathering before changes nothing.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/spf.h"
#include "src/auth/spf_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ten terms of ten names each, the client's names, and the records. */
enum { MAX_LINES = 16, MAX_QUESTIONS = 160 };

struct world {
	mxw_resolver_t resolver;
	const uint8_t *lines[MAX_LINES];
	size_t len[MAX_LINES];
	size_t nlines;
	unsigned asked;
};

static unsigned hash(const char *name, enum mxw_dns_type type)
{
	unsigned h = 5381u + (unsigned)type;

	for (; *name; name++)
		h = h * 33u ^ (unsigned char)mxw__ascii_lower(*name);
	return h ^ h >> 15;
}

static mxw_dns_answer_t *make(mxw_outcome_t outcome, int rcode, size_t n, size_t bytes, struct mxw_dns_rr **ret_rr,
			      uint8_t **ret_bytes)
{
	mxw_dns_answer_t *answer = mxw_dns_answer_new(outcome, rcode, n, bytes, ret_rr, ret_bytes);

	if (!answer)
		abort();
	answer->ttl_s = 60;
	return answer;
}

static mxw_dns_answer_t *make_texts(const struct world *w, unsigned h)
{
	struct mxw_dns_rr *rr;
	uint8_t *bytes;
	size_t n = h % 16 == 0 ? 2 : 1, at = 0, total = 0;

	for (size_t i = 0; i < n; i++)
		total += w->len[(h / 16 + i) % w->nlines] + 1;
	mxw_dns_answer_t *answer = make(MXW_FOUND, 0, n, total, &rr, &bytes);
	for (size_t i = 0; i < n; i++) {
		size_t line = (h / 16 + i) % w->nlines;
		if (w->len[line])
			memcpy(bytes + at, w->lines[line], w->len[line]);
		bytes[at + w->len[line]] = 0;
		rr[i] = (struct mxw_dns_rr){.data = bytes + at, .len = w->len[line]};
		at += w->len[line] + 1;
	}
	return answer;
}

static mxw_dns_answer_t *make_names(unsigned h)
{
	static const char *const names[] = {"a.example", "b.example.org", "", "c.d.example", "\\000x.example"};
	struct mxw_dns_rr *rr;
	uint8_t *bytes;
	size_t n = 1 + h % 12;
	mxw_dns_answer_t *answer = make(MXW_FOUND, 0, n, 1, &rr, &bytes);

	for (size_t i = 0; i < n; i++)
		rr[i] = (struct mxw_dns_rr){.data = bytes, .name = names[(h / 16 + i) % MXW_ARRAY_LEN(names)]};
	return answer;
}

static mxw_dns_answer_t *make_address(unsigned h, size_t len)
{
	struct mxw_dns_rr *rr;
	uint8_t *bytes;
	mxw_dns_answer_t *answer = make(MXW_FOUND, 0, 1, len, &rr, &bytes);

	memset(bytes, 0, len);
	bytes[0] = 192;
	bytes[1] = (uint8_t)(h % 4);
	bytes[len - 1] = (uint8_t)(h / 4 % 4);
	rr[0] = (struct mxw_dns_rr){.data = bytes, .len = len};
	return answer;
}

static mxw_dns_answer_t *answer_for(const struct world *w, const char *name, enum mxw_dns_type type)
{
	unsigned h = hash(name, type);

	if (h % 32 == 7)
		return make(MXW_TEMPORARY, 2, 0, 0, NULL, NULL);
	if (h % 32 < 4)
		return make(MXW_NOT_FOUND, h % 2 ? 3 : 0, 0, 0, NULL, NULL);
	switch (type) {
	case MXW_DNS_TXT:
		return make_texts(w, h / 32);
	case MXW_DNS_MX:
	case MXW_DNS_PTR:
		return make_names(h / 32);
	case MXW_DNS_AAAA:
		return make_address(h / 32, 16);
	default:
		return make_address(h / 32, 4);
	}
}

static mxw_dns_answer_t *ask(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
			     int64_t deadline_ms MXW_UNUSED, struct mxw_dns_budget *budget MXW_UNUSED)
{
	struct world *w = (struct world *)resolver;

	if (strlen(name) > 2 * MXW__SPF_MAX_NAME)
		abort();
	w->asked++;
	return answer_for(w, name, type);
}

static void prefetch(mxw_resolver_t *resolver MXW_UNUSED, const char *name MXW_UNUSED, enum mxw_dns_type type MXW_UNUSED,
		     struct mxw_dns_budget *budget MXW_UNUSED)
{
}

/* What is known already differs by name, so that a walk stops now here, now there. */
static mxw_dns_answer_t *peek(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type)
{
	return hash(name, type) % 64 < 24 ? answer_for((struct world *)resolver, name, type) : NULL;
}

static void destroy(mxw_resolver_t *resolver MXW_UNUSED)
{
}

static const struct mxw_resolver_ops ops = {ask, prefetch, peek, destroy};

static void read_world(struct world *w, const uint8_t *data, size_t size)
{
	mxw_resolver_init(&w->resolver, &ops);
	while (w->nlines < MAX_LINES) {
		const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
		size_t len = end ? (size_t)(end - data) : size;
		w->lines[w->nlines] = data;
		w->len[w->nlines++] = len;
		if (!end)
			break;
		data += len + 1;
		size -= len + 1;
	}
}

static void must_be_printable(const char *text, size_t max)
{
	if (strlen(text) > max)
		abort();
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			abort();
}

static void gather_all(const struct mxw__spf_query *query)
{
	struct mxw__gather gather;

	mxw__gather_init(&gather, query->resolver, query->budget);
	for (int i = 0; i < MXW__GATHER_ROUNDS; i++) {
		mxw__spf_gather(query, &gather);
		mxw__spf_survey_gather(query, &gather);
		if (!mxw__gather_wait(&gather, query->deadline_ms))
			break;
	}
	mxw__gather_fini(&gather);
}

static void write_field(const struct mxw__spf_query *query, const struct mxw__spf_answer *answer)
{
	mxw__arena_t *arena = mxw__arena_new(65536);
	const struct mxw__received_spf_input input = {answer, query->receiver, &query->client, query->helo, query->local};
	char *field = arena ? mxw__received_spf_compose(arena, &input) : NULL;

	for (const char *p = field ? field : ""; *p; p++) {
		if (*p == '\n' && p[1] != '\t')
			abort();
		if (*p != '\n' && *p != '\t' && (*p < 0x20 || *p > 0x7e))
			abort();
	}
	mxw__arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mxw_ip clients[] = {
		{.family = 4, .bytes = {192, 0, 0, 1}}, {.family = 6, .bytes = {192, 1, [15] = 2}},
		{.family = 6, .bytes = {[10] = 0xff, 0xff, 192, 0, 0, 1}}, {.family = 0}};
	struct world w = {.nlines = 0};
	struct mxw_dns_budget budget = {0};
	struct mxw__spf_answer first, second;
	struct mxw__spf_survey survey;
	char local[65];

	if (size < 1)
		return 0;
	read_world(&w, data + 1, size - 1);
	size_t len = w.len[0] < sizeof(local) - 1 ? w.len[0] : sizeof(local) - 1;
	if (len)
		memcpy(local, w.lines[0], len);
	local[len] = '\0';
	const struct mxw__spf_query query = {
		.client = clients[data[0] % 4], .helo = data[0] & 4 ? "\xc3\xa4\n.example" : "mail.example", .local = local,
		.domain = data[0] & 8 ? "sub.d.example" : "d.example", .receiver = "mx.example.net",
		.resolver = &w.resolver, .budget = &budget, .deadline_ms = INT64_MAX / 2, .clock = mxw_clock_system(),
		.wants_explanation = true,
	};
	mxw__spf_check(&query, &first);
	if (w.asked > MAX_QUESTIONS)
		abort();
	must_be_printable(first.reason, sizeof(first.reason) - 1);
	must_be_printable(first.explanation, MXW__SPF_EXPLANATION_MAX);
	if (first.result != MXW__SPF_FAIL && first.explanation[0])
		abort();
	gather_all(&query);
	mxw__spf_check(&query, &second);
	if (first.result != second.result || first.mechanism != second.mechanism)
		abort();
	mxw__spf_survey(&query, &survey);
	write_field(&query, &first);
	return 0;
}
