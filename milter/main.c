/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: what is asked for on the command line. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <libmilter/mfapi.h>
#include <mxward/mxward.h>

#include "milter/explain.h"
#include "milter/run.h"

static const char usage_text[] =
	"usage: mxward [-f] [-c FILE]\n"
	"       mxward -t [-c FILE]\n"
	"       mxward -T [-c FILE]\n"
	"       mxward -l ADDRESS [-n] [-c FILE]\n"
	"       mxward -V | -h\n"
	"\n"
	"  -c FILE     the configuration, instead of " MXW_SYSCONFDIR "/mxward.conf\n"
	"  -f          stay in the foreground and log to standard error\n"
	"  -l ADDRESS  look a recipient up, say what came of it and why, and end\n"
	"  -n          with -l: ask the directories, whatever is remembered of them\n"
	"  -t          check the configuration, say all that is wrong with it, and end\n"
	"  -T          print the settings in force, defaults included, and end\n"
	"  -V          print the version and end\n"
	"  -h          print this and end\n";

static void print_complaint(void *ctx, const struct mxw_error *error)
{
	char text[MXW_ERROR_TEXT_MAX + MXW_ERROR_FILE_MAX + 64];
	unsigned *nerrors = ctx;

	mwd_format_complaint(error, text, sizeof text);
	fprintf(stderr, "%s\n", text);
	if (error->status != MXW_OK)
		++*nerrors;
}

static int load(const char *path, mxw_conf_t **ret_conf)
{
	unsigned nerrors = 0;
	mxw_status_t status = mxw_conf_load(path, print_complaint, &nerrors, ret_conf);

	if (status == MXW_OK)
		return EX_OK;
	if (nerrors == 0)
		fprintf(stderr, "%s: %s\n", path, mxw_status_name(status));
	else
		fprintf(stderr, "%s: %u %s\n", path, nerrors, nerrors == 1 ? "mistake" : "mistakes");
	return status == MXW_ERR_NOMEM ? EX_TEMPFAIL : EX_CONFIG;
}

static int check(const char *path)
{
	mxw_conf_t *conf = NULL;
	int rc = load(path, &conf);

	mxw_conf_unref(conf);
	if (rc == EX_OK)
		printf("%s: ok\n", path);
	return rc;
}

static int dump(const char *path)
{
	mxw_conf_t *conf = NULL;
	int rc = load(path, &conf);

	if (rc == EX_OK && (mxw_conf_dump(conf, stdout) != MXW_OK || fflush(stdout) != 0)) {
		perror("mxward");
		rc = EX_IOERR;
	}
	mxw_conf_unref(conf);
	return rc;
}

static int explain(const char *path, const char *address, bool ignores_cache)
{
	mxw_conf_t *conf = NULL;
	int rc = load(path, &conf);

	if (rc == EX_OK)
		rc = mwd_explain(conf, address, ignores_cache);
	mxw_conf_unref(conf);
	return rc;
}

static int print_version(void)
{
	unsigned major = 0, minor = 0, patch = 0;

	(void)smfi_version(&major, &minor, &patch);
	printf("mxward %s, libmxward %s, libmilter %u.%u.%u\n", PACKAGE_VERSION, mxw_version(), major, minor, patch);
	return EX_OK;
}

static int run(const char *path, bool is_foreground)
{
	/* The background has another working directory, and SIGHUP reads the file again. */
	char *absolute = realpath(path, NULL);
	struct mwd_options options = {.conf_path = absolute ? absolute : path, .is_foreground = is_foreground};
	int rc = mwd_run(&options);

	free(absolute);
	return rc;
}

int main(int argc, char **argv)
{
	const char *path = MXW_SYSCONFDIR "/mxward.conf";
	const char *address = NULL;
	bool is_foreground = false, ignores_cache = false;
	int mode = 0;
	int opt;

	while ((opt = getopt(argc, argv, "c:fhl:ntTV")) != -1) {
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 'f':
			is_foreground = true;
			break;
		case 'n':
			ignores_cache = true;
			break;
		case 'l':
			address = optarg;
			mode = opt;
			break;
		case 't':
		case 'T':
		case 'V':
		case 'h':
			mode = opt;
			break;
		default:
			fputs(usage_text, stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mxward: unexpected argument: %s\n%s", argv[optind], usage_text);
		return EX_USAGE;
	}
	switch (mode) {
	case 'h':
		fputs(usage_text, stdout);
		return EX_OK;
	case 'V':
		return print_version();
	case 'l':
		return explain(path, address, ignores_cache);
	case 't':
		return check(path);
	case 'T':
		return dump(path);
	default:
		return run(path, is_foreground);
	}
}
