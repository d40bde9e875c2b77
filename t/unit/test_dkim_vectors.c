/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages and what RFC 6376, 8301, 8463 and 8616 make of their signatures: the .vec files in t/data/dkim. A case is
 *
 *	case NAME
 *	dns RECORD                 one more record; @RSA@ and @ED@ are the p= of our keys, @BARE@ an RSAPublicKey. rsa and ed at d.example are there
 *	field Name: value          of the message as it is signed; without any, six usual ones
 *	body TEXT                  the same; without it "Hello  Bob,\r\n...". Lines of this directive are joined
 *	sign KEY TEMPLATE          adds a signature on top: dkim_signer.h. KEY is rsa, ed, rsa1024 or rsa768. @NOW+N@, @NOW-N@
 *	edit OLD => NEW            what happens on the way, to the first field or the body that has it
 *	top FIELD, bottom FIELD, drop NAME, arrives BODY
 *	ignore-testing
 *	= RESULT FLAG ... [(REASON)]   of each signature, top first. Flags: altered whole limited testing uncovered=NAME
 *	overall RESULT             if it is not that of the first signature
 *
 * MXW_VECTORS in the environment is a pattern of other files to run.
 *
 * Escapes: \r \n \t \s (a blank) \\ \xHH. Each message is verified with its body in parts of many sizes.
 */
#include "config.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "src/auth/dkim.h"
#include "src/base/base.h"
#include "t/fakes/dkim_signer.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"

enum { FIELDS_MAX = 300, WANTED_MAX = 20, TEXT_MAX = 400000 };

static const char *const usual_fields[] = {
	"Received: from a.example by b.example;\r\n\tThu, 1 Jan 2026 00:00:00 +0000",
	"From: Alice <alice@d.example>",
	"To: bob@receiver.example",
	"Subject: Good  news,\r\n\tfolded",
	"Date: Thu, 1 Jan 2026 00:00:00 +0000",
	"Message-ID: <1@d.example>",
};
static const char usual_body[] = "Hello  Bob,\r\n\r\n here it is.\t\r\n\r\nAlice\r\n\r\n\r\n";

static const char *const key_names[] = {"rsa", "ed", "rsa1024", "rsa768"};
enum { NKEYS = MXW_ARRAY_LEN(key_names) };

struct keys {
	char *pem[NKEYS];
	char *bare[NKEYS];   /* of RSA, as RFC 6376 has it: an RSAPublicKey */
	char *public[NKEYS]; /* p=, with "\" \"" where a record goes on in its next string */
};

struct test_case {
	char name[200];
	const char *file;
	int line;
	char *fields[FIELDS_MAX];
	size_t nfields;
	char *body;
	size_t body_len;
	char *wanted[WANTED_MAX];
	size_t nwanted;
	char *overall;
	char *dns;
	bool has_fields, ignores_testing;
};

static struct keys keys;
static int nfailed, ncases;

static void complain(const struct test_case *c, const char *what, const char *detail)
{
	printf("FAIL %s:%d %s: %s %s\n", c->file, c->line, c->name, what, detail);
	nfailed++;
}

static void syntax(const struct test_case *c, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", c->file, c->line, what);
	exit(99);
}

/* ---- keys ---- */

/* Longer ones go on in the record's next string. */
static char *in_strings(const char *text)
{
	struct mxw__buf strings;

	mxw__buf_init(&strings, 10000);
	for (size_t at = 0; text[at]; at++) {
		if (at && at % 200 == 0)
			mxw__buf_adds(&strings, "\" \"");
		mxw__buf_addc(&strings, text[at]);
	}
	return mxw__buf_take(&strings);
}

static void take_key(size_t i, EVP_PKEY *pkey)
{
	unsigned char *der = NULL, raw[32], b64[4096];
	size_t raw_len = sizeof(raw);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;

	PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
	long len = BIO_get_mem_data(bio, &data);
	keys.pem[i] = strndup(data, (size_t)len);
	if (EVP_PKEY_base_id(pkey) == EVP_PKEY_ED25519) {
		EVP_PKEY_get_raw_public_key(pkey, raw, &raw_len);
		EVP_EncodeBlock(b64, raw, (int)raw_len);
	} else {
		int der_len = i2d_PUBKEY(pkey, &der);
		EVP_EncodeBlock(b64, der, der_len);
	}
	keys.public[i] = in_strings((char *)b64);
	if (EVP_PKEY_base_id(pkey) == EVP_PKEY_RSA) {
		unsigned char *bare = NULL;
		int bare_len = i2d_PublicKey(pkey, &bare);
		EVP_EncodeBlock(b64, bare, bare_len);
		keys.bare[i] = in_strings((char *)b64);
		OPENSSL_free(bare);
	}
	OPENSSL_free(der);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void make_keys(void)
{
	take_key(0, EVP_RSA_gen(2048));
	take_key(1, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	take_key(2, EVP_RSA_gen(1024));
	take_key(3, EVP_RSA_gen(768));
}

static const char *find_key(const struct test_case *c, const char *name)
{
	for (size_t i = 0; i < NKEYS; i++) {
		if (!strcmp(name, key_names[i]))
			return keys.pem[i];
	}
	syntax(c, "no such key");
	return NULL;
}

/* ---- text ---- */

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (tolower((unsigned char)c) - 'a') + 10;
}

/* Takes escapes out, in place. Returns the length. */
static size_t unescape(char *s)
{
	char *to = s, *begin = s;

	for (; *s; s++) {
		if (*s != '\\') {
			*to++ = *s;
			continue;
		}
		switch (*++s) {
		case 'r': *to++ = '\r'; break;
		case 'n': *to++ = '\n'; break;
		case 't': *to++ = '\t'; break;
		case 's': *to++ = ' '; break;
		case 'x':
			*to++ = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
			break;
		default: *to++ = *s;
		}
	}
	*to = '\0';
	return (size_t)(to - begin);
}

/* `text` with the first `from` replaced; NULL if there is none. */
static char *replaced(const char *text, size_t len, const char *from, size_t from_len, const char *to, size_t to_len)
{
	const char *at = memmem(text, len, from, from_len);

	if (!at)
		return NULL;
	char *copy = malloc(len - from_len + to_len + 1);
	size_t before = (size_t)(at - text);
	memcpy(copy, text, before);
	memcpy(copy + before, to, to_len);
	memcpy(copy + before + to_len, at + from_len, len - before - from_len);
	copy[len - from_len + to_len] = '\0';
	return copy;
}

static char *replace_all(char *text, const char *from, const char *to)
{
	char *next;

	while ((next = replaced(text, strlen(text), from, strlen(from), to, strlen(to)))) {
		free(text);
		text = next;
	}
	return text;
}

static char *with_times(char *text)
{
	char *at;

	while ((at = strstr(text, "@NOW"))) {
		char mark[64], number[32];
		snprintf(mark, sizeof(mark), "%.*s", (int)(strcspn(at + 1, "@") + 2), at);
		snprintf(number, sizeof(number), "%lld", (long long)time(NULL) + atoll(at + 4));
		text = replace_all(text, mark, number);
	}
	return text;
}

/* ---- directives ---- */

static void insert(struct test_case *c, size_t at, char *field)
{
	if (c->nfields == FIELDS_MAX)
		syntax(c, "too many fields");
	memmove(&c->fields[at + 1], &c->fields[at], (c->nfields - at) * sizeof(c->fields[0]));
	c->fields[at] = field;
	c->nfields++;
}

static void set_body(struct test_case *c, const char *text, size_t len)
{
	free(c->body);
	c->body = malloc(len + 1);
	memcpy(c->body, text, len);
	c->body[len] = '\0';
	c->body_len = len;
}

static void begin(struct test_case *c)
{
	if (!c->has_fields) {
		for (size_t i = 0; i < MXW_ARRAY_LEN(usual_fields); i++)
			insert(c, c->nfields, strdup(usual_fields[i]));
		c->has_fields = true;
	}
	if (!c->body)
		set_body(c, usual_body, sizeof(usual_body) - 1);
}

static void sign(struct test_case *c, char *args)
{
	char *template = strchr(args, ' ');

	if (!template)
		syntax(c, "sign KEY TEMPLATE");
	*template++ = '\0';
	begin(c);
	template = with_times(strdup(template));
	char *spaced = malloc(strlen(template) + 2);
	sprintf(spaced, " %s", template);
	unescape(spaced);
	insert(c, 0, dkim_signer_sign(find_key(c, args), spaced, (const char *const *)c->fields, c->nfields, c->body, c->body_len));
	free(template);
	free(spaced);
}

static void edit(struct test_case *c, char *args)
{
	char *arrow = strstr(args, " => "), *to = arrow + 4, *made;

	if (!arrow)
		syntax(c, "edit OLD => NEW");
	*arrow = '\0';
	to = with_times(strdup(to));
	size_t from_len = unescape(args), to_len = unescape(to);
	for (size_t i = 0; i < c->nfields; i++) {
		made = replaced(c->fields[i], strlen(c->fields[i]), args, from_len, to, to_len);
		if (!made)
			continue;
		free(c->fields[i]);
		c->fields[i] = made;
		free(to);
		return;
	}
	made = replaced(c->body, c->body_len, args, from_len, to, to_len);
	if (!made)
		syntax(c, "nothing to edit");
	set_body(c, made, c->body_len - from_len + to_len);
	free(made);
	free(to);
}

static void drop(struct test_case *c, const char *name)
{
	for (size_t i = 0; i < c->nfields; i++) {
		if (strncasecmp(c->fields[i], name, strlen(name)) != 0 || c->fields[i][strlen(name)] != ':')
			continue;
		free(c->fields[i]);
		memmove(&c->fields[i], &c->fields[i + 1], (--c->nfields - i) * sizeof(c->fields[0]));
		return;
	}
	syntax(c, "no such field");
}

static void add_dns(struct test_case *c, const char *record)
{
	char *text = malloc(strlen(c->dns ? c->dns : "") + strlen(record) + 2);

	sprintf(text, "%s%s\n", c->dns ? c->dns : "", record);
	text = replace_all(replace_all(text, "@RSA@", keys.public[0]), "@ED@", keys.public[1]);
	free(c->dns);
	text = replace_all(replace_all(text, "@BARE@", keys.bare[0]), "@BARE1024@", keys.bare[2]);
	c->dns = replace_all(replace_all(text, "@RSA1024@", keys.public[2]), "@RSA768@", keys.public[3]);
}

static void add_body(struct test_case *c, char *text)
{
	size_t len = unescape(text), old = c->body ? c->body_len : 0;
	char *joined = malloc(old + len + 1);

	if (old)
		memcpy(joined, c->body, old);
	memcpy(joined + old, text, len);
	set_body(c, joined, old + len);
	free(joined);
}

/* ---- verification ---- */

static void feed(mxw__dkim_t *dkim, const char *field, bool with_cr)
{
	size_t len = strcspn(field, ":");
	char *name = strndup(field, len), *value = strdup(field + len + (field[len] == ':')), *to = value;

	/* Some mail servers hand fields over with CRLF inside, some with LF. */
	for (const char *p = value; *p; p++) {
		if (with_cr || *p != '\r' || p[1] != '\n')
			*to++ = *p;
	}
	*to = '\0';
	if (mxw__dkim_header(dkim, name, value) != MXW_OK)
		abort();
	free(name);
	free(value);
}

static void describe(const struct mxw__dkim_signature *sig, const char *wanted, char *text, size_t size)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, size);
	mxw__buf_adds(&buf, mxw__dkim_result_name(sig->result));
	if (sig->is_altered)
		mxw__buf_adds(&buf, " altered");
	if (sig->is_header_whole)
		mxw__buf_adds(&buf, " whole");
	if (sig->is_length_limited)
		mxw__buf_adds(&buf, " limited");
	if (sig->is_testing)
		mxw__buf_adds(&buf, " testing");
	for (unsigned i = 0; i < MXW__DKIM_SINGLETONS; i++) {
		if (sig->uncovered & (UINT32_C(1) << i))
			mxw__buf_addf(&buf, " uncovered=%s", mxw__dkim_singleton_name(i));
	}
	if (strchr(wanted, '('))
		mxw__buf_addf(&buf, " (%s)", sig->reason);
	snprintf(text, size, "%s", mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
}

static bool compare(const struct test_case *c, const struct mxw__dkim_signature *sigs, size_t n, mxw__dkim_result_t overall)
{
	char text[512];
	int before = nfailed;

	if (n != c->nwanted)
		complain(c, "another number of signatures", "");
	for (size_t i = 0; i < n && i < c->nwanted; i++) {
		describe(&sigs[i], c->wanted[i], text, sizeof(text));
		if (strcmp(text, c->wanted[i]) != 0) {
			complain(c, "wanted", c->wanted[i]);
			printf("     got %s (%s)\n", text, sigs[i].reason);
		}
	}
	const char *wanted = c->overall ? c->overall : c->wanted[0];
	size_t len = strcspn(wanted, " ");
	const char *have = mxw__dkim_result_name(overall);
	if (strlen(have) != len || strncmp(have, wanted, len) != 0)
		complain(c, "overall", have);
	return nfailed == before;
}

static bool verify(const struct test_case *c, mxw__dkim_lib_t *lib, fake_resolver_t *dns, size_t part, bool with_cr)
{
	struct mxw_dns_budget budget = {0};
	const struct mxw__dkim_signature *sigs;
	mxw__dkim_t *dkim;
	size_t n;

	if (mxw__dkim_new(lib, "vector", &dns->resolver, &budget, &dkim) != MXW_OK)
		abort();
	for (size_t i = 0; i < c->nfields; i++)
		feed(dkim, c->fields[i], with_cr);
	bool more = mxw__dkim_end_of_headers(dkim);
	for (size_t at = 0; more && at < c->body_len; at += part)
		more = mxw__dkim_body(dkim, (unsigned char *)c->body + at, c->body_len - at < part ? c->body_len - at : part);
	mxw__dkim_result_t overall = mxw__dkim_finish(dkim, mxw__now_ms(&dns->clock->clock) + 1000, &sigs, &n);
	bool ok = compare(c, sigs, n, overall);
	mxw__dkim_free(dkim);
	return ok;
}

static void run(struct test_case *c)
{
	static const size_t parts[] = {1, 2, 3, 4, 5, 7, 11, 16, 31, 65536};
	struct mxw__dkim_options options = {.max_signatures = 10, .min_key_bits = 1024, .ignore_testing = c->ignores_testing};
	struct fake_clock clock;
	mxw__dkim_lib_t *lib;
	char record[4096];
	bool ok = true;

	begin(c);
	if (!c->nwanted)
		syntax(c, "a case without a result");
	ncases++;
	fake_clock_init(&clock);
	atomic_store(&clock.wall_ms, (int64_t)time(NULL) * 1000);
	options.clock = &clock.clock;
	fake_resolver_t *dns = fake_resolver_new(&clock);
	for (size_t i = 0; i < NKEYS; i++) {
		snprintf(record, sizeof(record), "%s._domainkey.d.example TXT \"v=DKIM1; k=%s; p=%s\"\n", key_names[i],
			 i == 1 ? "ed25519" : "rsa", keys.public[i]);
		fake_resolver_script(dns, record);
	}
	if (c->dns)
		fake_resolver_script(dns, c->dns);
	if (mxw__dkim_lib_new(&options, &lib, NULL) != MXW_OK)
		abort();
	for (size_t i = 0; ok && i < MXW_ARRAY_LEN(parts); i++) {
		ok = verify(c, lib, dns, parts[i], i % 2);
		if (!ok)
			printf("     with parts of %zu octets\n", parts[i]);
	}
	mxw__dkim_lib_free(lib);
	mxw_resolver_unref(&dns->resolver);
}

/* ---- files ---- */

static void finish(struct test_case *c)
{
	if (*c->name)
		run(c);
	for (size_t i = 0; i < c->nfields; i++)
		free(c->fields[i]);
	for (size_t i = 0; i < c->nwanted; i++)
		free(c->wanted[i]);
	free(c->body);
	free(c->overall);
	free(c->dns);
	*c = (struct test_case){.file = c->file, .line = c->line};
}

static void read_line(struct test_case *c, char *line, int number)
{
	char *args = line + strcspn(line, " ");
	size_t len = (size_t)(args - line);

	args += *args == ' ';
#define IS(word) (len == strlen(word) && !strncmp(line, word, len))
	if (IS("case")) {
		finish(c);
		snprintf(c->name, sizeof(c->name), "%s", args);
		c->line = number;
	} else if (IS("field")) {
		c->has_fields = true;
		unescape(args);
		insert(c, c->nfields, strdup(args));
	} else if (IS("body")) {
		add_body(c, args);
	} else if (IS("arrives")) {
		size_t n = unescape(args);
		set_body(c, args, n);
	} else if (IS("sign")) {
		sign(c, args);
	} else if (IS("edit")) {
		begin(c);
		edit(c, args);
	} else if (IS("top") || IS("bottom")) {
		begin(c);
		unescape(args);
		insert(c, IS("top") ? 0 : c->nfields, strdup(args));
	} else if (IS("drop")) {
		drop(c, args);
	} else if (IS("dns")) {
		add_dns(c, args);
	} else if (IS("ignore-testing")) {
		c->ignores_testing = true;
	} else if (IS("=")) {
		if (c->nwanted == WANTED_MAX)
			syntax(c, "too many results");
		c->wanted[c->nwanted++] = strdup(args);
	} else if (IS("overall")) {
		c->overall = strdup(args);
	} else {
		c->line = number;
		syntax(c, "unknown directive");
	}
#undef IS
}

static void read_file(const char *path)
{
	struct test_case c = {.file = path};
	char *text, *line, *next;
	size_t len;
	int number = 0;

	if (mxw__file_read(path, TEXT_MAX, &text, &len, NULL) != MXW_OK)
		exit(99);
	text[len] = '\0';
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		if (*line && *line != '#')
			read_line(&c, line, number);
	}
	finish(&c);
	free(text);
}

int main(void)
{
	glob_t files;

	make_keys();
	if (glob(getenv("MXW_VECTORS") ? getenv("MXW_VECTORS") : MXW_TESTDATA "/data/dkim/*.vec", 0, NULL, &files))
		return 99;
	for (size_t i = 0; i < files.gl_pathc; i++)
		read_file(files.gl_pathv[i]);
	globfree(&files);
	for (size_t i = 0; i < NKEYS; i++) {
		free(keys.pem[i]);
		free(keys.public[i]);
		free(keys.bare[i]);
	}
	printf("dkim vectors: %d cases, %d failures\n", ncases, nfailed);
	return nfailed || !ncases ? 1 : 0;
}
