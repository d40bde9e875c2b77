/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs every scenario of t/replay, or those named as arguments. */
#include "config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "t/replay/replay.h"

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	glob_t found = {0};

	if (argc < 2 && glob(MXW_TESTDATA "/replay/*.t", 0, NULL, &found) != 0) {
		fputs("no scenarios in " MXW_TESTDATA "/replay\n", stderr);
		return EXIT_FAILURE;
	}
	for (int i = 1; i < argc; i++)
		*(replay_file(argv[i]) ? &passed : &failed) += 1;
	for (size_t i = 0; i < found.gl_pathc; i++)
		*(replay_file(found.gl_pathv[i]) ? &passed : &failed) += 1;
	globfree(&found);
	printf("replay: %u passed, %u failed\n", passed, failed);
	return passed && !failed ? EXIT_SUCCESS : EXIT_FAILURE;
}
