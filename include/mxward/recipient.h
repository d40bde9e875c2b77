/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recipient.h: what the engine knows of recipients: looking one up as RCPT would and saying why the answer is what
 * it is, forgetting what is remembered, and figures. For tools and for explanation; a session looks up by itself.
 *
 * Threads: every function may be called from any thread while the engine lives.
 * Memory:  results are copied into the caller's structs.
 * Errors:  that nothing could be found out is no error of a call: it is an outcome.
 */
#ifndef MXWARD_RECIPIENT_H
#define MXWARD_RECIPIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mxward/session.h>
#include <mxward/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MXW_RECIPIENT_ADDRESS_MAX 640
#define MXW_RECIPIENT_NAME_MAX 72
#define MXW_RECIPIENT_CLASS_MAX 32
#define MXW_RECIPIENT_REASON_MAX 160
#define MXW_RECIPIENT_ASKED_MAX 16

/* Where an answer comes from. */
typedef enum mxw_recipient_origin {
	MXW_RECIPIENT_LIVE,  /* the directory was asked and said so */
	MXW_RECIPIENT_CACHE, /* it said so before, and need not be asked again yet */
	MXW_RECIPIENT_STALE, /* it said so before; now it can't answer */
	MXW_RECIPIENT_COPY   /* it can't answer; the offline copy of it has the address */
} mxw_recipient_origin_t;
/* "live", "cache", "stale", "copy": the values of the fact rcpt.origin. Static. */
const char *mxw_recipient_origin_name(mxw_recipient_origin_t origin);

/* What the offline copy of a directory says of an address that the directory could not be asked about. */
typedef enum mxw_recipient_copy {
	MXW_RECIPIENT_COPY_NONE,   /* there is none, or it was not needed */
	MXW_RECIPIENT_COPY_KNOWN,  /* it has the address */
	MXW_RECIPIENT_COPY_ABSENT, /* it is fresh and does not have it */
	MXW_RECIPIENT_COPY_OLD     /* it does not have it, and is too old to say more */
} mxw_recipient_copy_t;
/* "", "known", "absent", "old": the values of the fact rcpt.copy. Static. */
const char *mxw_recipient_copy_name(mxw_recipient_copy_t copy);

/* What one directory said of one address, or what it came to. */
struct mxw_recipient_answer {
	mxw_outcome_t outcome;
	bool is_unverifiable;      /* with MXW_FOUND: it takes every address and can't tell whether this one exists */
	mxw_recipient_origin_t origin;
	mxw_recipient_copy_t copy;
	int64_t age_ms;            /* how long ago the directory said so, if it was not asked */
	bool is_disabled;          /* the account is switched off */
	bool is_internal_only;     /* takes no mail from outside */
	char policy_class[MXW_RECIPIENT_CLASS_MAX];     /* of its own, for rules; "": none */
	char directory[MXW_RECIPIENT_NAME_MAX];         /* its name; "": none was asked */
	char address[MXW_RECIPIENT_ADDRESS_MAX];        /* under which it was looked for */
	char reason[MXW_RECIPIENT_REASON_MAX];          /* of a failure; "" if there is nothing to say */
};

struct mxw_recipient {
	/* As the fact rcpt: "found", "unknown", "unverifiable", "invalid", "foreign"; and "unavailable" or
	 * "misconfigured" where that fact would be unavailable. Static. */
	const char *word;
	/* What it comes to. `address` is the one it was found under, or else the one looked for. Not found, too, for
	 * what is invalid or foreign. */
	struct mxw_recipient_answer answer;
	/* Why: what each directory said, in the order they were asked. More than fit are counted only. */
	size_t nasked;
	struct mxw_recipient_answer asked[MXW_RECIPIENT_ASKED_MAX];
};

struct mxw_lookup_options {
	size_t size;            /* sizeof(struct mxw_lookup_options) */
	bool ignores_cache;     /* asks the directories, whatever is remembered */
	unsigned timeout_ms;    /* 0: as a session would wait */
};

/*
 * Looks a recipient up as RCPT would; `address` with or without <>. It is not told to the tracker and not logged.
 * `options` may be NULL. Errors: MXW_ERR_NOMEM.
 */
mxw_status_t mxw_engine_lookup(mxw_engine_t *engine, const char *address, const struct mxw_lookup_options *options,
			       struct mxw_recipient *ret_recipient, struct mxw_error *err);

/*
 * Forgets what is remembered of a recipient, under every address that it may be found under, or of all of them (NULL).
 * `ret_n`, which may be NULL, gets how many answers that were. An address that is none, or of a foreign domain: none.
 */
mxw_status_t mxw_engine_flush_recipients(mxw_engine_t *engine, const char *address, size_t *ret_n,
					 struct mxw_error *err);

/* Figures since the engine was made, and the state now. */
struct mxw_recipient_stats {
	size_t size;                /* in: sizeof(struct mxw_recipient_stats) */
	uint64_t hits;              /* answered by what is remembered, and fresh */
	uint64_t misses;            /* a directory had to be asked, or could not be */
	uint64_t stale;             /* answered by what is remembered while a directory could not answer */
	uint64_t refreshed;         /* asked again in the background */
	uint64_t refreshes_failed;  /* without an answer */
	uint64_t refreshes_dropped; /* for lack of room in the queue */
	uint64_t evicted;           /* recipients known good that were forgotten for lack of room */
	uint64_t entries;           /* answers remembered now */
	uint64_t known_good;        /* among them: recipients that exist */
	uint64_t max_entries;
	uint64_t bytes;             /* of memory, when it is full */
};
void mxw_engine_recipient_stats(mxw_engine_t *engine, struct mxw_recipient_stats *ret_stats);

#ifdef __cplusplus
}
#endif
#endif
