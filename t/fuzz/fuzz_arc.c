/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message of any content goes through the ARC verifier: the whole header, then the body in parts whose length the first octet gives. The
 * second chooses the key that is found, and how often the walk is called before keys come. An empty line ends the header.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/arc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of t/data/dkim-test-rsa.pem, which has sealed t/replay/arc.eml: it is in the corpus. */
#define RSA_KEY \
	"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DC" \
	"VEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" \
	"9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/" \
	"rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" \
	"pesQIDAQAB"

enum { FIELDS_MAX = 256 };

static const char *const keys[] = {
	RSA_KEY,
	"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
	"k=rsa; t=y:s; p=",
	"v=DKIM1; p=AAAA; h=sha256; s=email",
	"v=DKIM1; p=====; n=x",
};

struct answers {
	const char *key;     /* NULL: no answer in time */
	unsigned nwaits;     /* so often nothing is known yet */
};

static mxw_dns_answer_t *ask(void *ctx, const char *name)
{
	struct answers *self = ctx;
	struct mxw_dns_rr *rr;
	uint8_t *bytes;

	if (strlen(name) > 253)
		abort();
	if (self->nwaits) {
		self->nwaits--;
		return NULL;
	}
	if (!self->key)
		return mxw_dns_answer_new(MXW_TEMPORARY, 2, 0, 0, NULL, NULL);
	mxw_dns_answer_t *answer = mxw_dns_answer_new(MXW_FOUND, 0, 1, strlen(self->key), &rr, &bytes);
	memcpy(bytes, self->key, strlen(self->key));
	rr[0] = (struct mxw_dns_rr){.data = bytes, .len = strlen(self->key)};
	return answer;
}

/* Splits the header at newlines that no blank follows. Returns where the body begins. */
static char *split(char *text, struct mxw__field *fields, size_t *ret_n)
{
	while (*text && *text != '\n' && *ret_n < FIELDS_MAX) {
		char *end = text, *colon;
		do
			end += strcspn(end, "\n");
		while (*end && (end[1] == ' ' || end[1] == '\t') && ++end);
		char *next = *end ? end + 1 : end;
		*end = '\0';
		if ((colon = strchr(text, ':'))) {
			*colon = '\0';
			struct mxw__field *f = &fields[(*ret_n)++];
			*f = (struct mxw__field){NULL, text, colon + 1};
			if (*ret_n > 1)
				f[-1].next = f;
		}
		text = next;
	}
	return *text == '\n' ? text + 1 : text;
}

static void check_says(mxw__arc_t *arc)
{
	const char *says = mxw__arc_says(arc, "dmarc");

	for (; says && *says; says++)
		if (*says <= ' ' || *says > 'z' || (*says >= 'A' && *says <= 'Z'))
			abort();
}

static void verify(const struct mxw__field *fields, const char *body, const char *end, size_t part, struct answers *answers)
{
	const struct mxw__arc_options options = {.min_key_bits = 1024, .now_s = INT64_C(1767225600)};
	mxw__arc_t *arc;

	if (mxw__arc_new(fields, &options, &arc) != MXW_OK)
		abort();
	mxw__arc_walk(arc, ask, answers);
	for (bool more = mxw__arc_wants_body(arc); more && body < end; body += part) {
		size_t len = (size_t)(end - body) < part ? (size_t)(end - body) : part;
		more = mxw__arc_body(arc, (const unsigned char *)body, len);
		if (len < part)
			break;
	}
	mxw__arc_walk(arc, ask, answers);
	if (mxw__arc_finish(arc) == MXW__ARC_PASS)
		check_says(arc);
	mxw__arc_free(arc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mxw__field fields[FIELDS_MAX];
	char sealer[MXW__DOMAIN_MAX + 1];
	size_t n = 0;

	if (size < 2)
		return 0;
	struct answers answers = {.key = data[1] % 8 < MXW_ARRAY_LEN(keys) ? keys[data[1] % 8] : NULL, .nwaits = data[1] / 64};
	char *text = malloc(size - 1);
	if (!text)
		abort();
	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	const char *body = split(text, fields, &n);
	if (mxw__arc_last_sealer(n ? fields : NULL, sealer) == MXW_FOUND && (!*sealer || strlen(sealer) > MXW__DOMAIN_MAX))
		abort();
	verify(n ? fields : NULL, body, text + size - 2, (size_t)data[0] + 1, &answers);
	free(text);
	return 0;
}
