/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mxw_sign: reads a message on standard input and writes it, DKIM-signed, to standard output.
 *
 *	mxw_sign -k KEY.pem -d DOMAIN -s SELECTOR [-a rsa-sha256|ed25519-sha256] [-c HEADER/BODY] [-l OCTETS]
 *
 * Lines may end in LF or CRLF; what comes out has CRLF. Exit codes as in sysexits(3).
 * Standards: RFC 6376, RFC 8463.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <opendkim/dkim.h>

#include "src/base/base.h"

#define MESSAGE_MAX ((size_t)64 << 20)
#define KEY_MAX ((size_t)64 << 10)

struct settings {
	char *key;
	const char *domain;
	const char *selector;
	dkim_alg_t algorithm;
	dkim_canon_t header_canon;
	dkim_canon_t body_canon;
	ssize_t length; /* of the body that is signed; -1: all of it */
};

static void usage(void)
{
	fputs("usage: mxw_sign -k key.pem -d domain -s selector [-a rsa-sha256|ed25519-sha256]\n"
	      "                [-c simple|relaxed/simple|relaxed] [-l octets] < message > signed\n", stderr);
	exit(EX_USAGE);
}

static dkim_alg_t parse_algorithm(const char *name)
{
	if (!strcmp(name, "rsa-sha256"))
		return DKIM_SIGN_RSASHA256;
	if (strcmp(name, "ed25519-sha256"))
		usage();
	return DKIM_SIGN_ED25519SHA256;
}

static dkim_canon_t parse_canon(const char *name, size_t len)
{
	if (len == 7 && !memcmp(name, "relaxed", len))
		return DKIM_CANON_RELAXED;
	if (len != 6 || memcmp(name, "simple", len))
		usage();
	return DKIM_CANON_SIMPLE;
}

static void parse_canons(const char *pair, struct settings *set)
{
	size_t header_len = strcspn(pair, "/");

	if (!pair[header_len])
		usage();
	set->header_canon = parse_canon(pair, header_len);
	set->body_canon = parse_canon(pair + header_len + 1, strlen(pair + header_len + 1));
}

static void load_key(const char *path, struct settings *set)
{
	struct mxw_error err;
	size_t len;

	free(set->key);
	if (mxw__file_read(path, KEY_MAX, &set->key, &len, &err) != MXW_OK) {
		fprintf(stderr, "mxw_sign: %s\n", err.text);
		exit(EX_NOINPUT);
	}
}

static void parse_options(int argc, char **argv, struct settings *set)
{
	int opt;

	while ((opt = getopt(argc, argv, "a:c:d:k:l:s:")) != -1) {
		switch (opt) {
		case 'a':
			set->algorithm = parse_algorithm(optarg);
			break;
		case 'c':
			parse_canons(optarg, set);
			break;
		case 'd':
			set->domain = optarg;
			break;
		case 'k':
			load_key(optarg, set);
			break;
		case 'l':
			set->length = atol(optarg);
			break;
		case 's':
			set->selector = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !set->key || !set->domain || !set->selector)
		usage();
}

/* A lone LF becomes CRLF; everything else stays as it is. */
static void read_message(FILE *in, struct mxw__buf *msg)
{
	int previous = 0, c;

	while ((c = getc(in)) != EOF) {
		if (c == '\n' && previous != '\r')
			mxw__buf_addc(msg, '\r');
		mxw__buf_addc(msg, (char)c);
		previous = c;
	}
}

/* Gives the value of the DKIM-Signature field, owned by `dkim`; NULL if the library refuses. */
static const char *sign(DKIM *dkim, const struct mxw__buf *msg)
{
	unsigned char *value = NULL;
	size_t len;

	if (dkim_chunk(dkim, (unsigned char *)msg->data, msg->len) != DKIM_STAT_OK ||
	    dkim_chunk(dkim, NULL, 0) != DKIM_STAT_OK || dkim_eom(dkim, NULL) != DKIM_STAT_OK ||
	    dkim_getsighdr_d(dkim, strlen("DKIM-Signature: "), &value, &len) != DKIM_STAT_OK)
		return NULL;
	return (const char *)value;
}

static int write_signed(DKIM *dkim, const struct mxw__buf *msg)
{
	const char *value = sign(dkim, msg);

	if (!value) {
		const char *reason = dkim_geterror(dkim);
		fprintf(stderr, "mxw_sign: %s\n", reason ? reason : "this message can't be signed");
		return EX_DATAERR;
	}
	/* Folded by the library, which says CRLF or LF depending on how the message was handed over. */
	fputs("DKIM-Signature: ", stdout);
	for (const char *p = value; *p; p++) {
		if (*p == '\n' && (p == value || p[-1] != '\r'))
			putchar('\r');
		putchar(*p);
	}
	fputs("\r\n", stdout);
	fwrite(msg->data, 1, msg->len, stdout);
	return fflush(stdout) ? EX_IOERR : EX_OK;
}

int main(int argc, char **argv)
{
	struct settings set = {
		.algorithm = DKIM_SIGN_RSASHA256,
		.header_canon = DKIM_CANON_RELAXED,
		.body_canon = DKIM_CANON_RELAXED,
		.length = -1,
	};
	struct mxw__buf msg;
	int rc = EX_SOFTWARE;
	DKIM_STAT stat;
	DKIM *dkim = NULL;

	parse_options(argc, argv, &set);
	mxw__buf_init(&msg, MESSAGE_MAX);
	read_message(stdin, &msg);
	DKIM_LIB *lib = dkim_init(NULL, NULL);
	if (lib)
		dkim = dkim_sign(lib, (const unsigned char *)"mxw_sign", NULL, (dkim_sigkey_t)set.key,
				 (const unsigned char *)set.selector, (const unsigned char *)set.domain,
				 set.header_canon, set.body_canon, set.algorithm, set.length, &stat);
	if (msg.failed || !msg.len) {
		fputs("mxw_sign: no message, or one that is too large\n", stderr);
		rc = EX_DATAERR;
	} else if (!dkim) {
		fputs("mxw_sign: the DKIM library does not start\n", stderr);
	} else {
		rc = write_signed(dkim, &msg);
	}
	if (dkim)
		dkim_free(dkim);
	if (lib)
		dkim_close(lib);
	mxw__buf_fini(&msg);
	mxw__free_secret(set.key);
	return rc;
}
