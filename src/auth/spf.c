/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf.c: drives libspf2, which walks through the terms of records and matches addresses.
 *
 * Each evaluation has an SPF_server_t with a DNS layer of its own, whose hook leads to the evaluation. libspf2 asks it
 * for records and for the tokens that spf_record.c put into them: "t2.f0.x" is term 2 of record 0, "m4.t2.f0.x" the
 * fourth mail exchanger of that term. It never sees a name, a macro or any other text of a peer.
 *
 * Whatever ends an evaluation early is decided by ourselves; libspf2 is then told "try again", upon which it stops.
 * It calls abort() when the DNS layer returns NULL, hence the spare answer, made while there is memory; when its own
 * allocations fail it calls abort() as well, which can't be helped from here.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <spf2/spf.h>
#include <spf2/spf_dns.h>
#include <spf2/spf_dns_rr.h>

#include "src/auth/spf_eval.h"

struct driver {
	struct mxw__spf_eval eval;
	SPF_dns_server_t dns;
	SPF_dns_rr_t *spare;
};

/* What a name that libspf2 asks for stands for. */
struct token {
	struct mxw__spf_frame *frame;
	const struct mxw__spf_term *term;
	int mx; /* which mail exchanger; -1: the term itself */
};

const char *mxw__spf_result_name(mxw__spf_result_t result)
{
	static const char *const names[] = {
		[MXW__SPF_NONE] = "none",           [MXW__SPF_NEUTRAL] = "neutral",   [MXW__SPF_PASS] = "pass",
		[MXW__SPF_FAIL] = "fail",           [MXW__SPF_SOFTFAIL] = "softfail", [MXW__SPF_TEMPERROR] = "temperror",
		[MXW__SPF_PERMERROR] = "permerror",
	};

	return (size_t)result < MXW_ARRAY_LEN(names) ? names[result] : "none";
}

/* ---- tokens ---- */

/* Reads "<letter><number>." and moves on; -1 if there is none. */
static int take_number(const char **text, char letter)
{
	char *end;

	if (**text != letter)
		return -1;
	unsigned long n = strtoul(*text + 1, &end, 10);
	if (end == *text + 1 || *end != '.' || n > 1000)
		return -1;
	*text = end + 1;
	return (int)n;
}

static bool read_token(struct mxw__spf_eval *eval, const char *name, struct token *ret_token)
{
	int mx = take_number(&name, 'm');
	int term = take_number(&name, 't');
	int frame = take_number(&name, 'f');

	if (term < 0 || frame < 0 || (unsigned)frame >= eval->nframes)
		return false;
	struct mxw__spf_frame *at = &eval->frames[frame];
	if ((size_t)term >= at->record.nterms)
		return false;
	*ret_token = (struct token){at, &at->record.terms[term], mx};
	return true;
}

/* ---- answers for libspf2 ---- */

/* The answer that makes libspf2 give up. Never NULL the first time, and there is no second. */
static SPF_dns_rr_t *give_up(struct driver *driver, const char *name, ns_type type)
{
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(&driver->dns, name, type, 0, TRY_AGAIN);

	mxw__spf_decide(&driver->eval, MXW__SPF_TEMPERROR, "out of memory");
	if (!rr) {
		rr = driver->spare;
		driver->spare = NULL;
	}
	return rr;
}

static SPF_dns_rr_t *give_nothing(struct driver *driver, const char *name, ns_type type)
{
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(&driver->dns, name, type, 0, HOST_NOT_FOUND);

	return rr ? rr : give_up(driver, name, type);
}

/* Appends `len` octets as one more record; false without memory. */
static bool add_data(SPF_dns_rr_t *rr, const void *data, size_t len)
{
	if (SPF_dns_rr_buf_realloc(rr, rr->num_rr, len) != SPF_E_SUCCESS)
		return false;
	memcpy(rr->rr[rr->num_rr++], data, len);
	return true;
}

static SPF_dns_rr_t *give_addresses(struct driver *driver, const char *name, ns_type type, mxw_dns_answer_t *answer)
{
	const size_t len = type == ns_t_aaaa ? 16 : 4;
	SPF_dns_rr_t *rr = NULL;
	bool ok = false;

	if (!answer)
		return give_up(driver, name, type);
	rr = answer->outcome == MXW_FOUND ? SPF_dns_rr_new_init(&driver->dns, name, type, 0, NETDB_SUCCESS)
					  : give_nothing(driver, name, type);
	ok = rr != NULL;
	for (size_t i = 0; ok && i < answer->nrecords; i++)
		ok = answer->records[i].len != len || add_data(rr, answer->records[i].data, len);
	mxw_dns_answer_unref(answer);
	if (ok)
		return rr;
	if (rr)
		SPF_dns_rr_free(rr);
	return give_up(driver, name, type);
}

/* An answer of one address, which is all that "exists" wants to see. */
static SPF_dns_rr_t *give_existence(struct driver *driver, const char *name, ns_type type)
{
	const uint8_t any[4] = {127, 0, 0, 2};
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(&driver->dns, name, type, 0, NETDB_SUCCESS);

	if (rr && add_data(rr, any, sizeof(any)))
		return rr;
	if (rr)
		SPF_dns_rr_free(rr);
	return give_up(driver, name, type);
}

static SPF_dns_rr_t *give_exchangers(struct driver *driver, const char *name, ns_type type)
{
	const mxw_dns_answer_t *mx = driver->eval.mx;
	char token[64];

	if (!mx->nrecords)
		return give_nothing(driver, name, type);
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(&driver->dns, name, type, 0, NETDB_SUCCESS);
	for (size_t i = 0; rr && i < mx->nrecords; i++) {
		int n = snprintf(token, sizeof(token), "m%zu.%s", i, name);
		if (!add_data(rr, token, (size_t)n + 1)) {
			SPF_dns_rr_free(rr);
			rr = NULL;
		}
	}
	return rr ? rr : give_up(driver, name, type);
}

/* ---- hooks ---- */

static SPF_dns_rr_t *lookup_term(struct driver *driver, const struct token *token, const char *name, ns_type type)
{
	struct mxw__spf_eval *eval = &driver->eval;
	char domain[MXW__SPF_MAX_NAME + 1];

	if (!mxw__spf_count_term(eval))
		return give_up(driver, name, type);
	if (token->term->kind == MXW__SPF_EXISTS || token->term->kind == MXW__SPF_PTR || !token->term->bits) {
		bool holds = mxw__spf_term_holds(eval, token->frame, token->term);
		if (eval->is_decided)
			return give_up(driver, name, type);
		return holds ? give_existence(driver, name, type) : give_nothing(driver, name, type);
	}
	mxw__spf_term_domain(eval, token->frame, token->term, domain);
	if (token->term->kind == MXW__SPF_A)
		return give_addresses(driver, name, type, mxw__spf_ask_addresses(eval, domain, true));
	if (!mxw__spf_ask_mx(eval, domain))
		return give_up(driver, name, type);
	return give_exchangers(driver, name, type);
}

/* "e.f2.x": what follows the terms of record 2 that need look-ups. */
static bool is_end(struct mxw__spf_eval *eval, const char *name)
{
	if (strncmp(name, "e.", 2) != 0)
		return false;
	name += 2;
	int index = take_number(&name, 'f');
	if (index < 0 || (unsigned)index >= eval->nframes)
		return false;
	const struct mxw__spf_frame *frame = &eval->frames[index];
	size_t n = frame->record.nterms;
	if (frame == eval->root)
		eval->matched = n && frame->record.terms[n - 1].kind == MXW__SPF_ALL ? &frame->record.terms[n - 1] : NULL;
	return true;
}

static SPF_dns_rr_t *lookup(SPF_dns_server_t *server, const char *name, ns_type type, int should_cache MXW_UNUSED)
{
	struct driver *driver = server->hook;
	struct mxw__spf_eval *eval = &driver->eval;
	struct token token;

	if (!eval->is_decided && is_end(eval, name))
		return give_nothing(driver, name, type);
	if (eval->is_decided || !read_token(eval, name, &token)) {
		mxw__spf_decide(eval, MXW__SPF_TEMPERROR, "unexpected look-up by libspf2");
		return give_up(driver, name, type);
	}
	if (token.mx < 0 && token.frame == eval->root)
		eval->matched = token.term;
	if (token.mx < 0)
		return lookup_term(driver, &token, name, type);
	if (!eval->mx || (size_t)token.mx >= eval->mx->nrecords)
		return give_nothing(driver, name, type);
	return give_addresses(driver, name, type,
			      mxw__spf_ask_addresses(eval, eval->mx->records[token.mx].name, false));
}

/* Has libspf2 compile what we make of the record opened last. */
static SPF_errcode_t compile(struct driver *driver, SPF_server_t *server, SPF_response_t *response,
			     SPF_record_t **ret_record)
{
	struct mxw__spf_eval *eval = &driver->eval;
	SPF_errcode_t err = SPF_E_NO_MEMORY;
	unsigned index = eval->nframes - 1;
	const struct mxw__spf_frame *frame = &eval->frames[index];
	struct mxw__buf text;

	mxw__buf_init(&text, 1024);
	mxw__spf_record_write(&frame->record, index, eval->who.client.family, &text);
	if (!text.failed)
		err = SPF_record_compile(server, response, ret_record, mxw__buf_str(&text));
	mxw__buf_fini(&text);
	if (err == SPF_E_SUCCESS)
		return SPF_E_SUCCESS;
	mxw__spf_decide(eval, MXW__SPF_TEMPERROR, "libspf2: %s", SPF_strerror(err));
	return SPF_E_DNS_ERROR;
}

/* An include or redirect: its domain is a token. */
static SPF_errcode_t get_spf(SPF_server_t *server, SPF_request_t *request, SPF_response_t *response,
			     SPF_record_t **ret_record)
{
	struct driver *driver = server->resolver->hook;
	struct mxw__spf_eval *eval = &driver->eval;
	struct token token;
	char domain[MXW__SPF_MAX_NAME + 1];

	*ret_record = NULL;
	if (!mxw__spf_count_term(eval))
		return SPF_E_DNS_ERROR;
	if (!read_token(eval, request->cur_dom, &token)) {
		mxw__spf_decide(eval, MXW__SPF_TEMPERROR, "unexpected look-up by libspf2");
		return SPF_E_DNS_ERROR;
	}
	mxw__spf_term_domain(eval, token.frame, token.term, domain);
	const struct mxw__spf_frame *frame = mxw__spf_open_frame(eval, domain, false);
	if (!frame)
		return SPF_E_DNS_ERROR;
	if (token.frame == eval->root && token.term->kind == MXW__SPF_REDIRECT)
		eval->root = frame;
	else if (token.frame == eval->root)
		eval->matched = token.term;
	return compile(driver, server, response, ret_record);
}

/* ---- one evaluation ---- */

static mxw__spf_result_t translate(SPF_result_t result)
{
	switch (result) {
	case SPF_RESULT_PASS:
		return MXW__SPF_PASS;
	case SPF_RESULT_FAIL:
		return MXW__SPF_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return MXW__SPF_SOFTFAIL;
	case SPF_RESULT_NEUTRAL:
		return MXW__SPF_NEUTRAL;
	default:
		return MXW__SPF_TEMPERROR;
	}
}

/*
 * What SPF_request_query_mailfrom() does, in its own steps: that function lets any loopback client pass without
 * looking at a record.
 */
static void interpret(struct driver *driver, SPF_server_t *server, SPF_request_t *request, SPF_response_t *response)
{
	struct mxw__spf_eval *eval = &driver->eval;
	SPF_record_t *record = NULL;

	if (compile(driver, server, response, &record) == SPF_E_SUCCESS) {
		request->cur_dom = request->env_from_dp;
		response->spf_record_exp = record;
		SPF_record_interpret(record, request, response, 0);
		mxw__spf_result_t result = translate(SPF_response_result(response));
		if (!eval->is_decided && result != MXW__SPF_TEMPERROR)
			eval->answer->mechanism = eval->matched ? eval->matched->name : "default";
		/* Before the explanation, which may want names as well. */
		eval->answer->is_unsure = eval->has_skipped;
		if (!eval->is_decided && result == MXW__SPF_FAIL && eval->query->wants_explanation)
			mxw__spf_explain(eval);
		mxw__spf_decide(eval, result, "%s", result == MXW__SPF_TEMPERROR ? "libspf2 gave no result" : "");
	}
	if (record)
		SPF_record_free(record);
}

static void set_client(SPF_request_t *request, const struct mxw_ip *client)
{
	struct in_addr ip4;
	struct in6_addr ip6;

	if (client->family == 4) {
		memcpy(&ip4, client->bytes, sizeof(ip4));
		SPF_request_set_ipv4(request, ip4);
	} else {
		memcpy(&ip6, client->bytes, sizeof(ip6));
		SPF_request_set_ipv6(request, ip6);
	}
}

static void evaluate(struct driver *driver)
{
	SPF_server_t *server = SPF_server_new_dns(&driver->dns, 0);
	SPF_request_t *request = server ? SPF_request_new(server) : NULL;
	SPF_response_t *response = request ? SPF_response_new(request) : NULL;

	/* We count ourselves, over the whole evaluation. */
	if (server)
		server->max_dns_mech = 1000;
	driver->spare = SPF_dns_rr_new_init(&driver->dns, NULL, ns_t_a, 0, TRY_AGAIN);
	/* The names are placeholders for libspf2's own comments, which nobody reads. */
	if (response && driver->spare && !SPF_request_set_helo_dom(request, "helo.invalid") &&
	    !SPF_request_set_env_from(request, "postmaster@sender.invalid")) {
		set_client(request, &driver->eval.who.client);
		interpret(driver, server, request, response);
	}
	mxw__spf_decide(&driver->eval, MXW__SPF_TEMPERROR, "out of memory");
	if (driver->spare)
		SPF_dns_rr_free(driver->spare);
	if (response)
		SPF_response_free(response);
	if (request)
		SPF_request_free(request);
	if (server)
		SPF_server_free(server);
}

void mxw__spf_check(const struct mxw__spf_query *query, struct mxw__spf_answer *ret_answer)
{
	struct driver *driver = mxw__calloc(1, sizeof(*driver));

	*ret_answer = (struct mxw__spf_answer){.result = MXW__SPF_TEMPERROR, .reason = "out of memory"};
	if (!driver)
		return;
	struct mxw__spf_eval *eval = &driver->eval;
	eval->query = query;
	eval->answer = ret_answer;
	driver->dns = (SPF_dns_server_t){.lookup = lookup, .get_spf = get_spf, .name = "mxward", .hook = driver};
	const char *why_none = mxw__spf_identity_init(&eval->who, query);
	if (why_none)
		mxw__spf_decide(eval, MXW__SPF_NONE, "%s", why_none);
	/* Most names have no record: that is decided here, and costs no libspf2. */
	else if ((eval->root = mxw__spf_open_frame(eval, eval->who.domain, true)))
		evaluate(driver);
	mxw__spf_eval_fini(eval);
	free(driver);
}
