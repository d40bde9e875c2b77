/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs every scenario of t/replay, or those named as arguments; twice: as it comes, and with all that is remembered saved after each step. */
#include "config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "t/replay/replay.h"

static void run(const char *path, unsigned *passed, unsigned *failed)
{
	for (int is_saving = 0; is_saving <= 1; is_saving++)
		*(replay_file(path, is_saving) ? passed : failed) += 1;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	glob_t found = {0};

	if (argc < 2 && glob(MXW_TESTDATA "/replay/*.t", 0, NULL, &found) != 0) {
		fputs("no scenarios in " MXW_TESTDATA "/replay\n", stderr);
		return EXIT_FAILURE;
	}
	for (int i = 1; i < argc; i++)
		run(argv[i], &passed, &failed);
	for (size_t i = 0; i < found.gl_pathc; i++)
		run(found.gl_pathv[i], &passed, &failed);
	globfree(&found);
	printf("replay: %u passed, %u failed\n", passed, failed);
	return passed && !failed ? EXIT_SUCCESS : EXIT_FAILURE;
}
