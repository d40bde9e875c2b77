/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "src/auth/arc.h"
#include "src/auth/arc_canon.h"
#include "src/auth/arc_verify.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

enum { FIELDS_MAX = 400, NOW_S = 1767225600 };

struct world {
	struct fake_clock clock;
	fake_resolver_t *dns;
	unsigned min_key_bits;
	mxw__arena_t *arena;
	struct mxw__field fields[FIELDS_MAX];
	size_t nfields;
	const char *body;
	char says[16];
	/* who signs: */
	EVP_PKEY *rsa, *ed;
};

static char *read_data(const char *name)
{
	char path[1024], *data;
	size_t len;

	snprintf(path, sizeof(path), MXW_TESTDATA "/%s", name);
	ck_assert_int_eq(mxw__file_read(path, 100000, &data, &len, NULL), MXW_OK);
	return data;
}

static void publish(struct world *w, const char *name, const char *record)
{
	struct mxw__buf zone;

	mxw__buf_init(&zone, 100000);
	mxw__buf_addf(&zone, "%s TXT", name);
	for (size_t len = strlen(record); len; record += len < 200 ? len : 200, len -= len < 200 ? len : 200)
		mxw__buf_addf(&zone, " \"%.200s\"", record);
	mxw__buf_addc(&zone, '\n');
	fake_resolver_script(w->dns, mxw__buf_str(&zone));
	mxw__buf_fini(&zone);
}

static void publish_file(struct world *w, const char *name, const char *file, const char *before)
{
	char *record = read_data(file), text[2000];

	record[strcspn(record, "\n")] = '\0';
	snprintf(text, sizeof(text), "%s%s", before, record + (*before ? strlen("v=DKIM1; ") : 0));
	publish(w, name, text);
	free(record);
}

static EVP_PKEY *read_private(const char *name)
{
	char *pem = read_data(name);
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	ck_assert_ptr_nonnull(key);
	BIO_free(bio);
	free(pem);
	return key;
}

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	fake_clock_init(&w->clock);
	w->dns = fake_resolver_new(&w->clock);
	w->min_key_bits = 1024;
	w->arena = mxw__arena_new((size_t)16 << 20);
	w->rsa = read_private("data/dkim-test-rsa.pem");
	w->ed = read_private("data/dkim-test-ed25519.pem");
	w->body = "Hello\r\n";
	publish_file(w, "rsa._domainkey.list.example", "data/dkim-test-rsa.txt", "");
	publish_file(w, "rsa._domainkey.relay.example", "data/dkim-test-rsa.txt", "");
	publish_file(w, "ed._domainkey.list.example", "data/dkim-test-ed25519.txt", "");
}

static void world_fini(struct world *w)
{
	mxw_resolver_unref(&w->dns->resolver);
	mxw__arena_free(w->arena);
	EVP_PKEY_free(w->rsa);
	EVP_PKEY_free(w->ed);
}

static void link_fields(struct world *w)
{
	for (size_t i = 0; i < w->nfields; i++)
		w->fields[i].next = i + 1 < w->nfields ? &w->fields[i + 1] : NULL;
}

static void insert(struct world *w, const char *name, const char *value)
{
	ck_assert_uint_lt(w->nfields, FIELDS_MAX);
	memmove(&w->fields[1], &w->fields[0], w->nfields++ * sizeof(w->fields[0]));
	w->fields[0] = (struct mxw__field){NULL, mxw__arena_strdup(w->arena, name), mxw__arena_strdup(w->arena, value)};
	link_fields(w);
}

/* Splits a message; values keep their LF, as from sendmail, the body gets CRLF. */
static void take_message(struct world *w, char *text)
{
	struct mxw__buf body;

	while (*text != '\n') {
		char *colon = strchr(text, ':'), *end = text;
		while (*(end = strchr(end, '\n') + 1) == ' ' || *end == '\t')
			;
		end[-1] = *colon = '\0';
		w->fields[w->nfields++] = (struct mxw__field){NULL, mxw__arena_strdup(w->arena, text),
							      mxw__arena_strdup(w->arena, colon + 1)};
		text = end;
	}
	link_fields(w);
	mxw__buf_init(&body, 100000);
	for (text++; *text; text++)
		mxw__buf_addf(&body, *text == '\n' ? "\r%c" : "%c", *text);
	w->body = mxw__arena_strdup(w->arena, mxw__buf_str(&body));
	mxw__buf_fini(&body);
}

/* The message of t/replay/arc.eml, which another implementation (dkimpy 1.1.4) has sealed twice, with one thing changed. */
static void take_sealed(struct world *w, const char *from, const char *to)
{
	char *text = read_data("replay/arc.eml"), *at = from ? strstr(text, from) : NULL;
	struct mxw__buf altered;

	mxw__buf_init(&altered, 100000);
	ck_assert(at || !from);
	if (at)
		mxw__buf_addf(&altered, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	else
		mxw__buf_adds(&altered, text);
	free(text);
	text = mxw__buf_take(&altered);
	take_message(w, text);
	free(text);
}

static mxw_dns_answer_t *ask(void *ctx, const char *name)
{
	struct world *w = ctx;
	return mxw_resolver_ask(&w->dns->resolver, name, MXW_DNS_TXT, mxw__now_ms(&w->clock.clock) + 5000, NULL);
}

static const char *verify_parts(struct world *w, size_t part)
{
	struct mxw__arc_options options = {w->min_key_bits, NOW_S};
	size_t len = strlen(w->body);
	mxw__arc_t *arc;
	bool more;

	ck_assert_int_eq(mxw__arc_new(w->fields, &options, &arc), MXW_OK);
	more = mxw__arc_wants_body(arc);
	for (size_t at = 0; more && at < len; at += part)
		more = mxw__arc_body(arc, (const unsigned char *)w->body + at, len - at < part ? len - at : part);
	ck_assert(mxw__arc_walk(arc, ask, w));
	mxw__arc_result_t result = mxw__arc_finish(arc);
	const char *says = mxw__arc_says(arc, "dmarc");
	snprintf(w->says, sizeof(w->says), "%s", says ? says : "");
	mxw__arc_free(arc);
	return mxw__arc_result_name(result);
}

static const char *verify(struct world *w)
{
	return verify_parts(w, 1000);
}

/* ---- what another implementation made ---- */

START_TEST(a_chain_of_another_implementation_passes)
{
	static const size_t parts[] = {1, 2, 7, 1000};
	char sealer[MXW__DOMAIN_MAX + 1];
	struct world w;

	world_init(&w);
	take_sealed(&w, NULL, NULL);
	ck_assert_int_eq(mxw__arc_last_sealer(w.fields, sealer), MXW_FOUND);
	ck_assert_str_eq(sealer, "list.example");
	ck_assert_str_eq(verify_parts(&w, parts[_i]), "pass");
	ck_assert_str_eq(w.says, "pass");
	world_fini(&w);
}
END_TEST

static const struct {
	const char *what, *from, *to, *result;
} changes[] = {
	{"a blank more in a relaxed field", "Subject: [list]", "Subject:   [list] ", "pass"},
	{"another case of a name", "Subject:", "SUBJECT:", "pass"},
	{"blanks before the colon", "Subject:", "Subject \t:", "pass"},
	{"a field nobody signed", "List-Id:", "X-Spam: yes\nList-Id:", "pass"},
	{"the subject", "[list]", "[liszt]", "fail"},
	{"a second From on top", "List-Id:", "From: eve@sender.example\nList-Id:", "fail"},
	{"a second From below", "\nSubject:", "\nFrom: eve@sender.example\nSubject:", "fail"},
	{"the body", "this text", "that text", "fail"},
	{"blanks at the end of a body line", "is signed.", "is signed.  \t", "pass"},
	{"empty lines at the end", "here\n\n\n", "here\n\n\n\n\n", "pass"},
	{"no empty lines at the end", "here\n\n\n", "here\n", "pass"},
	{"no line end at the end", "here\n\n\n", "here", "pass"},
	{"a line more", "here\n", "here\nx\n", "fail"},
	{"what the sealer says", "i=2; mx.list.example; arc=pass;\n  dmarc=pass",
	 "i=2; mx.list.example; arc=pass;\n  dmarc=fail", "fail"},
	{"what the first sealer said", "relay.example; dmarc=pass (p=reject)", "relay.example; dmarc=fail (p=reject)", "fail"},
	{"the first signature of the message", "b=AYeSeVkzE1", "b=AYeSeVkzE2", "fail"},
	{"the first seal", "b=jtHMF9JfZ4", "b=jtHMF9JfZ5", "fail"},
	{"the last seal", "b=Jv+XdsWt", "b=Jv+XdsWu", "fail"},
	{"the last signature", "b=NFNCEWl7", "b=NFNCEWl8", "fail"},
	{"the last seal's time", "t=1767225600;\n b=Jv", "t=1767225601;\n b=Jv", "fail"},
	{"chain broken", "i=2; cv=pass", "i=2; cv=fail", "fail"},
	{"cv=none in the middle", "i=2; cv=pass", "i=2; cv=none", "fail"},
	{"cv=pass at the beginning", "i=1; cv=none", "i=1; cv=pass", "fail"},
	{"no cv", "i=2; cv=pass;", "i=2;", "fail"},
	{"instance 0", "i=1; cv=none", "i=0; cv=none", "fail"},
	{"a gap", "ARC-Seal: i=2", "ARC-Seal: i=3", "fail"},
	{"a leading zero", "ARC-Seal: i=2", "ARC-Seal: i=02", "fail"},
	{"instance 51", "ARC-Seal: i=2", "ARC-Seal: i=51", "fail"},
	{"no seal at all for a set", "ARC-Seal: i=1", "X-Seal: i=1", "fail"},
	{"no signature for a set", "ARC-Message-Signature: i=1", "X: i=1", "fail"},
	{"no results for a set", "ARC-Authentication-Results: i=1", "X: i=1", "fail"},
	{"two of a kind", "List-Id:", "ARC-Seal: i=1; cv=none; a=rsa-sha256; d=x.example; s=s; b=AAAA\nList-Id:", "fail"},
	{"garbage", "List-Id:", "ARC-Seal: what is this\nList-Id:", "fail"},
	{"garbage of another kind", "List-Id:", "ARC-Authentication-Results: i=x; a\nList-Id:", "fail"},
	{"h= in a seal", "i=2; cv=pass;", "i=2; cv=pass; h=from;", "fail"},
	{"a tag twice in a seal", "i=2; cv=pass;", "i=2; cv=pass; cv=pass;", "fail"},
	{"a= of old", "i=2; cv=pass; a=rsa-sha256", "i=2; cv=pass; a=rsa-sha1", "fail"},
	{"no d=", "a=rsa-sha256; d=list.example; s=rsa;\n t", "a=rsa-sha256; s=rsa;\n t", "fail"},
	{"a d= that is no name", "a=rsa-sha256; d=list.example; s=rsa;\n t", "a=rsa-sha256; d=list..example; s=rsa;\n t", "fail"},
	{"a seal that is signed over", "h=from : to", "h=arc-seal : from : to", "fail"},
	{"the same in the obsolete syntax", "List-Id:", "FROM : eve@sender.example\nList-Id:", "fail"},
	{"From not signed", "h=from : to", "h=to", "fail"},
	{"a length", "i=2; a=rsa-sha256; c=", "i=2; a=rsa-sha256; l=5; c=", "fail"},
	{"expired", "i=2; a=rsa-sha256; c=", "i=2; a=rsa-sha256; x=1767225600; c=", "fail"},
	{"another canonicalization", "i=2; a=rsa-sha256; c=relaxed/relaxed", "i=2; a=rsa-sha256; c=simple/relaxed", "fail"},
	{"an unknown one", "i=2; a=rsa-sha256; c=relaxed/relaxed", "i=2; a=rsa-sha256; c=nofws/relaxed", "fail"},
	{"blanks in a tag's value", "b=Jv+XdsWt", "b= Jv+X ds\tWt", "pass"},
};

START_TEST(what_was_changed_is_seen)
{
	struct world w;

	world_init(&w);
	take_sealed(&w, changes[_i].from, changes[_i].to);
	ck_assert_msg(strcmp(verify(&w), changes[_i].result) == 0, "%s: not %s", changes[_i].what, changes[_i].result);
	world_fini(&w);
}
END_TEST

START_TEST(a_message_without_chain_has_none)
{
	char sealer[MXW__DOMAIN_MAX + 1];
	struct world w;

	world_init(&w);
	insert(&w, "From", " a@d.example");
	ck_assert_int_eq(mxw__arc_last_sealer(w.fields, sealer), MXW_NOT_FOUND);
	ck_assert_str_eq(verify(&w), "none");
	world_fini(&w);
}
END_TEST

/* ---- keys ---- */

static const struct {
	const char *what, *before, *result;
} keys[] = {
	{"as it is", "", "pass"},
	{"with a version and a service", "v=DKIM1; s=email; h=sha1:sha256; ", "pass"},
	{"for all services", "v=DKIM1; s=other:*; ", "pass"},
	{"for another service", "v=DKIM1; s=other; ", "fail"},
	{"for another hash", "v=DKIM1; h=sha1; ", "fail"},
	{"of another version", "v=DKIM2; ", "fail"},
};

START_TEST(keys_are_used_for_what_they_are_for)
{
	struct world w;

	world_init(&w);
	take_sealed(&w, NULL, NULL);
	fake_resolver_reset(w.dns);
	publish_file(&w, "rsa._domainkey.relay.example", "data/dkim-test-rsa.txt", "");
	publish_file(&w, "rsa._domainkey.list.example", "data/dkim-test-rsa.txt", keys[_i].before);
	ck_assert_msg(strcmp(verify(&w), keys[_i].result) == 0, "%s: not %s", keys[_i].what, keys[_i].result);
	world_fini(&w);
}
END_TEST

static const struct {
	const char *what, *zone, *result;
} zones[] = {
	{"revoked", "rsa._domainkey.list.example TXT \"v=DKIM1; p=\"\n", "fail"},
	{"no key", "rsa._domainkey.list.example TXT \"hello\"\n", "fail"},
	{"no such name", "", "fail"},
	{"no base64", "rsa._domainkey.list.example TXT \"v=DKIM1; p=AA*A\"\n", "fail"},
	{"no key in it", "rsa._domainkey.list.example TXT \"v=DKIM1; p=AAAA\"\n", "fail"},
	{"of another type", "rsa._domainkey.list.example TXT \"v=DKIM1; k=ed25519; p=TCos9cXRIqZODgL1aLchQO0j0pn3SqfSvKjxXfUo28c=\"\n",
	 "fail"},
	{"no answer", "rsa._domainkey.list.example TXT !timeout\n", "temperror"},
	{"a sick server", "rsa._domainkey.list.example TXT !servfail\n", "temperror"},
	{"over budget", "rsa._domainkey.list.example TXT !overbudget\n", "temperror"},
};

START_TEST(a_key_that_cannot_be_had_is_no_failure)
{
	struct world w;

	world_init(&w);
	take_sealed(&w, NULL, NULL);
	fake_resolver_reset(w.dns);
	fake_resolver_script(w.dns, zones[_i].zone);
	ck_assert_msg(strcmp(verify(&w), zones[_i].result) == 0, "%s: not %s", zones[_i].what, zones[_i].result);
	/* The last seal is not good: nobody else's key is asked for. */
	ck_assert_uint_eq(fake_resolver_sent(w.dns, "rsa._domainkey.relay.example", 0), 0);
	world_fini(&w);
}
END_TEST

START_TEST(an_earlier_key_that_cannot_be_had_is_no_failure_either)
{
	struct world w;

	world_init(&w);
	take_sealed(&w, NULL, NULL);
	fake_resolver_script(w.dns, "rsa._domainkey.relay.example TXT !timeout\n");
	ck_assert_str_eq(verify(&w), "temperror");
	world_fini(&w);
}
END_TEST

START_TEST(a_short_key_proves_nothing)
{
	struct world w;

	world_init(&w);
	take_sealed(&w, NULL, NULL);
	w.min_key_bits = 2049;
	ck_assert_str_eq(verify(&w), "fail");
	w.min_key_bits = 2048;
	ck_assert_str_eq(verify(&w), "pass");
	world_fini(&w);
}
END_TEST

/* ---- our own chains ---- */

static char *encode(struct world *w, const unsigned char *data, size_t len)
{
	char *text = mxw__arena_alloc(w->arena, len * 2 + 4);

	EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	return text;
}

static char *sign(struct world *w, EVP_PKEY *key, struct mxw__digest *digest)
{
	unsigned char hash[MXW__SHA256_SIZE], sig[512];
	size_t len = sizeof(sig);

	ck_assert(mxw__digest_final(digest, hash));
	if (key == w->ed) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		ck_assert_int_eq(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
		ck_assert_int_eq(EVP_DigestSign(ctx, sig, &len, hash, sizeof(hash)), 1);
		EVP_MD_CTX_free(ctx);
	} else {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
		ck_assert_int_eq(EVP_PKEY_sign_init(ctx), 1);
		ck_assert_int_eq(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
		ck_assert_int_eq(EVP_PKEY_sign(ctx, sig, &len, hash, sizeof(hash)), 1);
		EVP_PKEY_CTX_free(ctx);
	}
	return encode(w, sig, len);
}

static const struct mxw__field *find(const struct world *w, const char *name)
{
	for (size_t i = w->nfields; i-- > 0;)
		if (mxw__ascii_casecmp(w->fields[i].name, name) == 0)
			return &w->fields[i];
	return NULL;
}

/* Puts the next set on top. */
static void seal(struct world *w, unsigned i, EVP_PKEY *key, const char *canon)
{
	const char *selector = key == w->ed ? "ed" : "rsa", *algorithm = key == w->ed ? "ed25519-sha256" : "rsa-sha256";
	bool is_relaxed = canon[0] == 'r', is_body_relaxed = strstr(canon, "/relaxed") != NULL;
	unsigned char hash[MXW__SHA256_SIZE];
	struct mxw__body_hash body;
	struct mxw__digest digest;

	mxw__body_hash_init(&body, is_body_relaxed);
	mxw__body_hash_add(&body, (const unsigned char *)w->body, strlen(w->body));
	ck_assert(mxw__body_hash_final(&body, hash));
	insert(w, "ARC-Authentication-Results", mxw__arena_printf(w->arena, " i=%u; list.example; dmarc=pass", i));
	struct mxw__field f = {NULL, "ARC-Message-Signature",
			       mxw__arena_printf(w->arena, " i=%u; a=%s; c=%s; d=list.example; s=%s;\n\th=From:subject; bh=%s;\n\tb=", i,
						 algorithm, canon, selector, encode(w, hash, sizeof(hash)))};
	mxw__digest_init(&digest);
	mxw__canon_field(&digest, find(w, "From"), is_relaxed, false);
	mxw__canon_field(&digest, find(w, "Subject"), is_relaxed, false);
	mxw__canon_field(&digest, &f, is_relaxed, true);
	insert(w, f.name, mxw__arena_printf(w->arena, "%s%s", f.value, sign(w, key, &digest)));
	f = (struct mxw__field){NULL, "ARC-Seal",
				mxw__arena_printf(w->arena, " i=%u; a=%s; cv=%s; d=list.example; s=%s;\n b=", i, algorithm,
						  i > 1 ? "pass" : "none", selector)};
	mxw__digest_init(&digest);
	for (unsigned k = 1; k < i; k++) {
		const struct mxw__field *set = &w->fields[(i - k) * 3 - 1];
		mxw__canon_field(&digest, set + 1 + 1, true, false);
		mxw__canon_field(&digest, set + 1, true, false);
		mxw__canon_field(&digest, set, true, false);
	}
	mxw__canon_field(&digest, &w->fields[1], true, false);
	mxw__canon_field(&digest, &w->fields[0], true, false);
	mxw__canon_field(&digest, &f, true, true);
	insert(w, f.name, mxw__arena_printf(w->arena, "%s%s", f.value, sign(w, key, &digest)));
}

static void begin(struct world *w)
{
	world_init(w);
	insert(w, "Subject", " Good  news,\n\tfolded ");
	insert(w, "From", " Alice <alice@d.example>");
}

static const char *const canons[] = {"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "simple", "relaxed"};

START_TEST(each_canonicalization_passes)
{
	struct world w;

	begin(&w);
	seal(&w, 1, w.rsa, canons[_i]);
	ck_assert_str_eq(verify(&w), "pass");
	w.body = "Hello \r\n";
	ck_assert_str_eq(verify(&w), strstr(canons[_i], "/relaxed") ? "pass" : "fail");
	world_fini(&w);
}
END_TEST

START_TEST(ed25519_passes)
{
	struct world w;

	begin(&w);
	seal(&w, 1, w.ed, "relaxed/relaxed");
	seal(&w, 2, w.rsa, "relaxed/relaxed");
	seal(&w, 3, w.ed, "simple/simple");
	ck_assert_str_eq(verify(&w), "pass");
	w.body = "hello\r\n";
	ck_assert_str_eq(verify(&w), "fail");
	world_fini(&w);
}
END_TEST

START_TEST(fifty_sets_and_no_more)
{
	char sealer[MXW__DOMAIN_MAX + 1];
	struct world w;

	begin(&w);
	for (unsigned i = 1; i <= 50; i++)
		seal(&w, i, w.ed, "relaxed/relaxed");
	ck_assert_str_eq(verify(&w), "pass");
	/* One question for all that are by one key. */
	ck_assert_uint_eq(fake_resolver_total_sent(w.dns), 1);
	seal(&w, 51, w.ed, "relaxed/relaxed");
	ck_assert_int_eq(mxw__arc_last_sealer(w.fields, sealer), MXW_FOUND);
	ck_assert_str_eq(verify(&w), "fail");
	world_fini(&w);
}
END_TEST

/* ---- pieces ---- */

static void digest_hex(struct mxw__digest *digest, char hex[65])
{
	unsigned char hash[MXW__SHA256_SIZE];

	ck_assert(mxw__digest_final(digest, hash));
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

static void ck_same(struct mxw__digest *digest, const char *text)
{
	char hex[65], wanted[65];
	struct mxw__digest other;

	mxw__digest_init(&other);
	mxw__digest_add(&other, text, strlen(text));
	digest_hex(&other, wanted);
	digest_hex(digest, hex);
	ck_assert_str_eq(hex, wanted);
}

static const struct {
	const char *body, *simple, *relaxed;
} bodies[] = {
	/* RFC 6376 section 3.4.5 */
	{" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
	{"", "\r\n", ""},
	{"\r\n", "\r\n", ""},
	{"\r\n\r\n\r\n", "\r\n", ""},
	{" \t\r\n \r\n", " \t\r\n \r\n", ""},
	{"a", "a\r\n", "a\r\n"},
	{"a \t", "a \t\r\n", "a\r\n"},
	{"a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"},
	{"a\rb\nc\r\n", "a\rb\nc\r\n", "a\rb\nc\r\n"},
	{"a\r\r\n", "a\r\r\n", "a\r\r\n"},
	{"a\r", "a\r\r\n", "a\r\r\n"},
	{"\t a\r\n", "\t a\r\n", " a\r\n"},
};

START_TEST(bodies_have_two_forms)
{
	for (int is_relaxed = 0; is_relaxed < 2; is_relaxed++) {
		struct mxw__body_hash body;
		unsigned char hash[MXW__SHA256_SIZE], wanted[MXW__SHA256_SIZE];
		const char *text = bodies[_i].body, *form = is_relaxed ? bodies[_i].relaxed : bodies[_i].simple;
		struct mxw__digest digest;
		mxw__body_hash_init(&body, is_relaxed);
		for (size_t i = 0; text[i]; i++)
			mxw__body_hash_add(&body, (const unsigned char *)text + i, 1);
		ck_assert(mxw__body_hash_final(&body, hash));
		mxw__digest_init(&digest);
		mxw__digest_add(&digest, form, strlen(form));
		ck_assert(mxw__digest_final(&digest, wanted));
		ck_assert_mem_eq(hash, wanted, sizeof(hash));
	}
}
END_TEST

static const struct {
	const char *name, *value, *simple, *relaxed, *last;
} headers[] = {
	/* RFC 6376 section 3.4.5 */
	{"A", " X", "A: X\r\n", "a:X\r\n", "a:X"},
	{"B ", " Y\t\n\tZ  ", "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n", "b:Y Z"},
	{"B ", " Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n", "b:Y Z"},
	{"S", " i=1; b=AB\n CD; t=1", "S: i=1; b=AB\r\n CD; t=1\r\n", "s:i=1; b=AB CD; t=1\r\n", "s:i=1; b=; t=1"},
	{"S", " bh=x; b = AB \n CD ", "S: bh=x; b = AB \r\n CD \r\n", "s:bh=x; b = AB CD\r\n", "s:bh=x; b ="},
	{"S", "b=1", "S:b=1\r\n", "s:b=1\r\n", "s:b="},
	{"S", "", "S:\r\n", "s:\r\n", "s:"},
	{"S", " ;; ", "S: ;; \r\n", "s:;;\r\n", "s:;;"},
};

START_TEST(fields_have_two_forms)
{
	struct mxw__field f = {NULL, headers[_i].name, headers[_i].value};
	struct mxw__digest digest;

	mxw__digest_init(&digest);
	mxw__canon_field(&digest, &f, false, false);
	ck_same(&digest, headers[_i].simple);
	mxw__digest_init(&digest);
	mxw__canon_field(&digest, &f, true, false);
	ck_same(&digest, headers[_i].relaxed);
	mxw__digest_init(&digest);
	mxw__canon_field(&digest, &f, true, true);
	ck_same(&digest, headers[_i].last);
}
END_TEST

static const struct {
	const char *text;
	int len;
} base64[] = {
	{"AAAA", 3}, {"AAA=", 2}, {"AA==", 1}, {"A===", -1}, {"", -1}, {"AAA", -1}, {"AA=A", -1}, {"AA A", -1}, {"====", -1}, {"AAAAAAAA", -1},
};

START_TEST(base64_is_decoded_strictly)
{
	unsigned char data[5];
	size_t len = 0;
	bool is_good = mxw__base64_decode(base64[_i].text, data, sizeof(data), &len);

	ck_assert_int_eq(is_good ? (int)len : -1, base64[_i].len);
}
END_TEST

static const struct {
	const char *value;
	bool is_good;
} results[] = {
	{" i=1; mx.example; dmarc=pass", true},
	{" (a) i (b) = (c) 1 (d) ; (what comes here is for others to read", true},
	{"i=1;", true},
	{"i=1", false},
	{"i=01; a", false},
	{"i=2; a", false},
	{"i=51; a", false},
	{"i=1x; a", false},
	{"I=1; a", false},
	{"i=(1; a", false},
	{"mx.example; dmarc=pass", false},
	{"", false},
};

START_TEST(the_instance_of_results_is_read_strictly)
{
	struct world w;

	begin(&w);
	seal(&w, 1, w.rsa, "relaxed/relaxed");
	for (size_t i = 0; i < w.nfields; i++)
		if (strcmp(w.fields[i].name, "ARC-Authentication-Results") == 0)
			w.fields[i].value = results[_i].value;
	/* The last seal can't be good; its key is asked for if the sets are complete. */
	verify(&w);
	ck_assert_uint_eq(fake_resolver_total_sent(w.dns), results[_i].is_good);
	world_fini(&w);
}
END_TEST

static const struct {
	const char *fields[3], *sealer;
} sealers[] = {
	{{"i=1; d=A.Example; s=x"}, "a.example"},
	{{"i=1; d=a.example.", "i=3; d=c.example", "i=2; d=b.example"}, "c.example"},
	{{"i=1; d=a.example", "i=51; d=b.example"}, "a.example"},
	{{"i=1; d=a.example", "i=2"}, ""},
	{{"i=1; d=-; d=x"}, ""},
	{{"what?"}, ""},
	{{"i=1; d=b\xc3\xbc" "cher.example"}, "xn--bcher-kva.example"},
};

START_TEST(the_last_sealer_is_the_one_with_the_highest_instance)
{
	char sealer[MXW__DOMAIN_MAX + 1];
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < 3 && sealers[_i].fields[i]; i++)
		insert(&w, "arc-seal ", sealers[_i].fields[i]);
	if (mxw__arc_last_sealer(w.fields, sealer) != MXW_FOUND)
		sealer[0] = '\0';
	ck_assert_str_eq(sealer, sealers[_i].sealer);
	world_fini(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arc");
	TCase *tc = tcase_create("arc");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_chain_of_another_implementation_passes, 0, 4);
	tcase_add_loop_test(tc, what_was_changed_is_seen, 0, MXW_ARRAY_LEN(changes));
	tcase_add_test(tc, a_message_without_chain_has_none);
	tcase_add_loop_test(tc, keys_are_used_for_what_they_are_for, 0, MXW_ARRAY_LEN(keys));
	tcase_add_loop_test(tc, a_key_that_cannot_be_had_is_no_failure, 0, MXW_ARRAY_LEN(zones));
	tcase_add_test(tc, an_earlier_key_that_cannot_be_had_is_no_failure_either);
	tcase_add_test(tc, a_short_key_proves_nothing);
	tcase_add_loop_test(tc, each_canonicalization_passes, 0, MXW_ARRAY_LEN(canons));
	tcase_add_test(tc, ed25519_passes);
	tcase_add_test(tc, fifty_sets_and_no_more);
	tcase_add_loop_test(tc, bodies_have_two_forms, 0, MXW_ARRAY_LEN(bodies));
	tcase_add_loop_test(tc, fields_have_two_forms, 0, MXW_ARRAY_LEN(headers));
	tcase_add_loop_test(tc, base64_is_decoded_strictly, 0, MXW_ARRAY_LEN(base64));
	tcase_add_loop_test(tc, the_instance_of_results_is_read_strictly, 0, MXW_ARRAY_LEN(results));
	tcase_add_loop_test(tc, the_last_sealer_is_the_one_with_the_highest_instance, 0, MXW_ARRAY_LEN(sealers));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
