/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main program of a fuzz target in `make check`: runs every file of the directories (or every file) given,
 * each once, through the same function that libFuzzer calls in `make fuzz` (which brings a main of its own, hence
 * MXW_LIBFUZZER). Without arguments the target's corpus is taken. An empty corpus is a failure: a test that ran
 * nothing has shown nothing.
 */
#include "config.h"

#ifndef MXW_LIBFUZZER
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 24 };

static unsigned run_file(const char *path)
{
	struct mxw_error err = {0};
	char *data;
	size_t len;

	if (mxw__file_read(path, FILE_MAX, &data, &len, &err) != MXW_OK) {
		fprintf(stderr, "%s\n", err.text);
		exit(EXIT_FAILURE);
	}
	/* A block of exactly that size: AddressSanitizer sees the first octet read beyond it. */
	uint8_t *exact = malloc(len ? len : 1);
	if (!exact)
		abort();
	memcpy(exact, data, len);
	free(data);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 1;
}

static unsigned run_directory(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned ran = 0;

	if (!dir)
		return run_file(path);
	while ((entry = readdir(dir))) {
		char file[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		ran += run_file(file);
	}
	closedir(dir);
	return ran;
}

int main(int argc, char **argv)
{
	unsigned ran = argc > 1 ? 0 : run_directory(MXW_FUZZ_CORPUS);

	for (int i = 1; i < argc; i++)
		ran += run_directory(argv[i]);
	printf("%u inputs\n", ran);
	return ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif
