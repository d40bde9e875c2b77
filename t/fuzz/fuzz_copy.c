/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of an offline copy: any content is refused or read, as it is and with the seal it should have. What was read can
 * be searched: every address that is in it is found, with settings that rules and logs can bear.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/directory/copy.h"

enum { SEAL_SIZE = 32, FIRST_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_settings(const struct mxw__rcpt_settings *settings)
{
	if (!memchr(settings->class, '\0', sizeof settings->class))
		abort();
	for (const char *p = settings->class; *p; p++)
		if (*p < ' ' || *p > '~')
			abort();
}

static void search(const struct mxw__copy_view *view)
{
	static const unsigned char none[MXW__COPY_HASH_SIZE];
	struct mxw__copy_settings *settings = calloc(1, sizeof *settings);
	struct mxw__rcpt_settings one;

	if (!settings)
		abort();
	mxw__copy_view_settings(view, settings);
	for (size_t i = 0; i < settings->n; i++)
		check_settings(&settings->v[i]);
	for (uint64_t i = 0; i < view->head.count && i < FIRST_MAX; i++) {
		if (!mxw__copy_view_find(view, view->records + i * MXW__COPY_RECORD_SIZE, &one))
			abort();
		check_settings(&one);
	}
	if (mxw__copy_view_find(view, none, &one))
		check_settings(&one);
	free(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char secret[MXW__COPY_KEY_SIZE] = "a key that is in no key file";
	struct mxw__copy_keys keys;
	struct mxw__copy_view view;
	struct mxw_error err = {0};

	mxw__copy_keys_derive(secret, &keys);
	if (mxw__copy_view(data, size, &keys, &view, &err) == MXW_OK)
		search(&view);
	else if (!err.text[0])
		abort();
	uint8_t *sealed = malloc(size + SEAL_SIZE);
	if (!sealed)
		abort();
	if (size)
		memcpy(sealed, data, size);
	if (!mxw__copy_hmac(keys.file, sealed, size, sealed + size))
		abort();
	if (mxw__copy_view(sealed, size + SEAL_SIZE, &keys, &view, &err) == MXW_OK)
		search(&view);
	free(sealed);
	return 0;
}
