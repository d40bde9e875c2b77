/* SPDX-License-Identifier: BSD-2-Clause */
/* mxward.conf: never a crash, and what loads must dump, load and dump as the same. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A complaint has a position, and its text may go to a terminal. */
static void complain(void *ctx, const struct mxw_error *error)
{
	(void)ctx;
	for (const char *s = error->text; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			abort();
}

static char *dump(const mxw_conf_t *conf)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out || mxw_conf_dump(conf, out) != MXW_OK || fclose(out) != 0)
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mxw_conf_t *conf = NULL, *again = NULL;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	/* Files are not to be read, nor /dev/stdin or the like waited for. */
	if (!strstr(text, "include") && mxw_conf_load_text("fuzz", text, complain, NULL, &conf) == MXW_OK) {
		char *first = dump(conf);
		if (mxw_conf_load_text("dump", first, complain, NULL, &again) != MXW_OK)
			abort();
		char *second = dump(again);
		if (strcmp(first, second) != 0)
			abort();
		free(first);
		free(second);
		mxw_conf_unref(again);
		mxw_conf_unref(conf);
	}
	free(text);
	return 0;
}
