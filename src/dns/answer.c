/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "src/dns/dns.h"

/* An answer with its count in front; records and octets follow in the same block. */
struct counted {
	_Atomic unsigned refs; /* 0: static, never counted */
	size_t size;
	mxw_dns_answer_t answer;
};

size_t mxw__dns_answer_size(const mxw_dns_answer_t *answer)
{
	return ((const struct counted *)(const void *)((const char *)answer - offsetof(struct counted, answer)))->size;
}

static struct counted *counted_of(mxw_dns_answer_t *answer)
{
	return (struct counted *)(void *)((char *)answer - offsetof(struct counted, answer));
}

mxw_dns_answer_t *mxw_dns_answer_new(mxw_outcome_t outcome, int rcode, size_t nrecords, size_t nbytes,
				     struct mxw_dns_rr **ret_records, uint8_t **ret_bytes)
{
	size_t records;

	if (!mxw__mul_size(nrecords, sizeof(struct mxw_dns_rr), &records) ||
	    records > SIZE_MAX - sizeof(struct counted) || nbytes > SIZE_MAX - sizeof(struct counted) - records)
		return NULL;
	struct counted *counted = calloc(1, sizeof(*counted) + records + nbytes);
	if (!counted)
		return NULL;
	atomic_init(&counted->refs, 1);
	counted->size = sizeof(*counted) + records + nbytes;
	struct mxw_dns_rr *rr = (struct mxw_dns_rr *)(void *)(counted + 1);
	counted->answer.outcome = outcome;
	counted->answer.rcode = rcode;
	counted->answer.nrecords = nrecords;
	counted->answer.records = nrecords ? rr : NULL;
	if (ret_records)
		*ret_records = rr;
	if (ret_bytes)
		*ret_bytes = (uint8_t *)(rr + nrecords);
	return &counted->answer;
}

mxw_dns_answer_t *mxw_dns_answer_ref(mxw_dns_answer_t *answer)
{
	struct counted *counted = counted_of(answer);

	if (atomic_load_explicit(&counted->refs, memory_order_relaxed) != 0)
		atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
	return answer;
}

void mxw_dns_answer_unref(mxw_dns_answer_t *answer)
{
	if (!answer)
		return;
	struct counted *counted = counted_of(answer);
	if (atomic_load_explicit(&counted->refs, memory_order_relaxed) == 0)
		return;
	if (atomic_fetch_sub_explicit(&counted->refs, 1, memory_order_acq_rel) == 1)
		free(counted);
}

mxw_dns_answer_t *mxw__dns_answer_static(enum mxw__dns_static which)
{
	/* Only ever read: a count of 0 keeps ref and unref away. */
	static struct counted fixed[] = {
		[MXW__DNS_NO_MEMORY] = {.answer = {.outcome = MXW_TEMPORARY, .rcode = 2}},
		[MXW__DNS_TIMED_OUT] = {.answer = {.outcome = MXW_TEMPORARY, .rcode = 2}},
		[MXW__DNS_OVER_BUDGET] = {.answer = {.outcome = MXW_TEMPORARY, .rcode = 2, .is_over_budget = true}},
		[MXW__DNS_NO_SUCH_NAME] = {.answer = {.outcome = MXW_NOT_FOUND, .rcode = 3, .ttl_s = 3600}},
	};
	return &fixed[which].answer;
}

mxw_dns_answer_t *mxw__dns_answer_empty(mxw_outcome_t outcome, int rcode, uint32_t ttl_s)
{
	mxw_dns_answer_t *answer = mxw_dns_answer_new(outcome, rcode, 0, 0, NULL, NULL);

	if (!answer)
		return mxw__dns_answer_static(MXW__DNS_NO_MEMORY);
	answer->ttl_s = ttl_s;
	return answer;
}
