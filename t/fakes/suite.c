/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>

#include "t/fakes/suite.h"

int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_ENV);
	int ran = srunner_ntests_run(runner);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	/* A suite that ran nothing has shown nothing. */
	return ran > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
