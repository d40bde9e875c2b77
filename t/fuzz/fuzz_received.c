/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Received fields. The first octet says what the rest is: a whole field, or the HELO name of a stranger in the field of one of the
 * servers of received_forms.h. Whatever that is, only the address that the server wrote may come out.
 */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/mail/received.h"
#include "t/fakes/received_forms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_field(const char *s)
{
	struct mxw__received r;

	mxw__received_parse(s, &r);
	assert((r.kind == MXW__RECEIVED_CLIENT) == (r.address.family != 0));
	for (const char *p = r.helo; *p; p++)
		assert((unsigned char)*p > ' ' && *p != 0x7f);
	assert(r.kind == MXW__RECEIVED_CLIENT || !r.is_authenticated);
}

/* No line ends: the server reads lines. */
static void fuzz_helo(const struct received_form *form, char *helo)
{
	static const uint8_t real[4] = {192, 0, 2, 1};
	size_t room = strlen(form->text) + strlen(helo) + 1;
	char *value = malloc(room);
	struct mxw__received r;

	if (!value)
		abort();
	for (char *p = helo; *p; p++)
		if (*p == '\r' || *p == '\n')
			*p = ' ';
	received_form_fill(value, room, form, helo);
	mxw__received_parse(value, &r);
	assert(r.kind != MXW__RECEIVED_QUEUE && !r.is_authenticated);
	if (r.kind == MXW__RECEIVED_CLIENT)
		assert(r.address.family == 4 && memcmp(r.address.bytes, real, sizeof real) == 0);
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	/* An exact copy, so that a read beyond the end is seen. */
	char *s = malloc(size);
	if (!s)
		abort();
	memcpy(s, data + 1, size - 1);
	s[size - 1] = '\0';
	size_t form = data[0] % (MXW_ARRAY_LEN(received_forms) + 1);
	if (form == MXW_ARRAY_LEN(received_forms))
		fuzz_field(s);
	else
		fuzz_helo(&received_forms[form], s);
	free(s);
	return 0;
}
