/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nullmilter: a milter on libmilter that is told every step, answers every step, and does nothing.
 *
 * What it costs is what libmilter costs: the measure beside which mxward's processor time is put.
 *
 *     nullmilter ADDRESS [quiet]
 *
 * "quiet": as mxward does, it gives no answer to header fields and the end of the header, which saves most packets.
 *
 * On SIGTERM it ends and prints its processor time, user and system, in microseconds.
 */
#include "config.h"

#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *addr)
{
	return SMFIS_CONTINUE;
}

static sfsistat on_string(SMFICTX *ctx, char *string)
{
	return SMFIS_CONTINUE;
}

static sfsistat on_strings(SMFICTX *ctx, char **strings)
{
	return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	return SMFIS_CONTINUE;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *part, size_t len)
{
	return SMFIS_CONTINUE;
}

static sfsistat on_unknown(SMFICTX *ctx, const char *line)
{
	return SMFIS_CONTINUE;
}

static sfsistat on_step(SMFICTX *ctx)
{
	return SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2, unsigned long f3,
			     unsigned long *pf0, unsigned long *pf1, unsigned long *pf2, unsigned long *pf3)
{
	*pf0 = 0;
	*pf1 = f1 & (SMFIP_NR_HDR | SMFIP_NR_EOH);
	*pf2 = 0;
	*pf3 = 0;
	return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
	static char name[] = "nullmilter";
	struct smfiDesc filter = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_string,
		.xxfi_envfrom = on_strings,
		.xxfi_envrcpt = on_strings,
		.xxfi_header = on_header,
		.xxfi_eoh = on_step,
		.xxfi_body = on_body,
		.xxfi_eom = on_step,
		.xxfi_abort = on_step,
		.xxfi_close = on_step,
		.xxfi_unknown = on_unknown,
		.xxfi_data = on_step,
	};
	struct rusage usage;

	if (argc != 2 && (argc != 3 || strcmp(argv[2], "quiet") != 0)) {
		fputs("usage: nullmilter ADDRESS [quiet]\n", stderr);
		return EX_USAGE;
	}
	if (argc == 3)
		filter.xxfi_negotiate = on_negotiate;
	if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS || smfi_main() != MI_SUCCESS) {
		fprintf(stderr, "nullmilter: can't serve %s\n", argv[1]);
		return EX_UNAVAILABLE;
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("user %lld system %lld\n",
	       (long long)usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec,
	       (long long)usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec);
	return EX_OK;
}
