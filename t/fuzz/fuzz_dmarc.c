/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DMARC record of any content is read or is none; what is kept of it is in bounds and printable. The same octets, taken as the
 * name of a domain, have a walk of at most eight names or none.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/dmarc_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_text(const char *text, size_t size)
{
	const char *end = memchr(text, '\0', size);

	must(end != NULL);
	for (const char *c = text; c < end; c++)
		must(*c > ' ' && *c <= '~' && *c != ';');
}

static void check_record(const struct mxw__dmarc_record *r)
{
	const struct mxw__dmarc_published *pub = &r->published;

	check_text(pub->fo, sizeof pub->fo);
	check_text(pub->rua, sizeof pub->rua);
	must(pub->p <= MXW__DMARC_POLICY_REJECT && pub->sp <= MXW__DMARC_POLICY_REJECT && pub->np <= MXW__DMARC_POLICY_REJECT);
	must(pub->has_sp || pub->sp == pub->p);
	must(pub->has_np || pub->np == pub->sp);
	/* Who wants no reports and says nothing asks for nothing. */
	must(r->use == MXW__DMARC_USE_POLICY || pub->p == MXW__DMARC_POLICY_NONE);
	must(r->use != MXW__DMARC_USE_BROKEN || (pub->np == MXW__DMARC_POLICY_NONE && !*pub->rua));
}

static void check_walk(const uint8_t *data, size_t size)
{
	char name[400];
	struct mxw__dmarc_walk walk;
	size_t len = size < sizeof name - 1 ? size : sizeof name - 1;

	memcpy(name, data, len);
	name[len] = '\0';
	if (!mxw__dmarc_walk_init(&walk, name))
		return;
	must(walk.nsteps >= 1 && walk.nsteps <= MXW__DMARC_STEPS_MAX);
	must(strcmp(mxw__dmarc_step_name(&walk, 0), walk.domain) == 0);
	must(walk.steps[walk.nsteps - 1].nlabels == 1);
	for (size_t i = 1; i < walk.nsteps; i++) {
		must(mxw__domain_is_below(walk.domain, mxw__dmarc_step_name(&walk, i)));
		must(walk.steps[i].nlabels < walk.steps[i - 1].nlabels && walk.steps[i].nlabels < MXW__DMARC_STEPS_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mxw__dmarc_record record;

	must(mxw__dmarc_record_parse(data, size, &record) == mxw__dmarc_record_is_dmarc(data, size));
	if (mxw__dmarc_record_is_dmarc(data, size))
		check_record(&record);
	check_walk(data, size);
	return 0;
}
