/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.h (internal): the parts of which the one resolver is made.
 *
 *	resolver.c   the public functions, and how one question walks through the parts below
 *	localdata.c  records of zone-style files, answered without asking anybody (zonefile.c reads them)
 *	cache.c      answers already known: sharded, bounded, each with its lifetime
 *	inflight.c   questions that are open: equal ones are asked once and waited for by many
 *	unbound.c    libunbound behind one function to send and one callback, and the reaper thread
 *	rdata.c      from the octets of a record to struct mxw_dns_rr; names.c: names; answer.c: counted answers
 *
 * A question's walk: the name is brought into its one form (or refused: no such name can exist), looked for in
 * the local data, then in the cache. Then the open questions are looked at: an equal one is joined; otherwise
 * budget and caps are charged and a new one is handed to libunbound. The asker sleeps until the answer is there,
 * its own deadline has come, or the question is older than the resolver's time-out. libunbound's callback,
 * on the reaper thread, turns the result into an answer, puts it into the cache, and wakes all who wait.
 *
 * Who may call: only this folder, and the test doubles of t/fakes, which are other resolvers over the same parts.
 * Threads: said at each part. Lock order: a shard of the open questions, then a shard of the cache; never two of
 *          one kind. libunbound's locks are never taken while one of ours is held: ub_resolve_async() (which
 *          writes to a pipe) and ub_process() are called with none, and it calls us back with none of its own.
 * Memory:  local data is immutable after loading and owned by the resolver; answers are counted.
 * Errors:  a failure to answer is an answer (MXW_TEMPORARY), never NULL.
 * Standards: RFC 1035 section 5 (zone files), RFC 2308 (negative answers), RFC 4592 (wildcards in local data).
 */
#ifndef MXW_SRC_DNS_DNS_H
#define MXW_SRC_DNS_DNS_H

#include <mxward/dns.h>

#include "src/base/base.h"

/* ---- names ---- */

enum {
	MXW__DNS_WIRE_MAX = 255,  /* a name on the wire, RFC 1035 section 2.3.4 */
	MXW__DNS_TEXT_MAX = 1024  /* its text with every octet written as \DDD, and the NUL */
};

/*
 * Text to wire, lower-cased. `text` may end with a dot; "" and "." are the root. \DDD and \X are understood; any
 * other octet stands for itself. False for what is no name: an empty label, one over 63 octets, over 255 in all.
 */
bool mxw__dns_name_to_wire(const char *text, size_t len, uint8_t ret_wire[MXW__DNS_WIRE_MAX], size_t *ret_len);
/*
 * Wire to text: lower-case, no final dot, \DDD for what is not printable ASCII, for dots inside labels and for
 * backslashes. No compression pointers here. `ret_used` says how many octets the name took. False if malformed.
 */
bool mxw__dns_name_from_wire(const uint8_t *wire, size_t len, char ret_text[MXW__DNS_TEXT_MAX], size_t *ret_used);
/* Any spelling of a name to the one form in which names are compared. False as above. */
bool mxw__dns_name_normalise(const char *name, char ret_text[MXW__DNS_TEXT_MAX]);
/* The part after the first label; NULL for the root. `name` is in its one form. */
const char *mxw__dns_name_parent(const char *name);

/* "A", "MX", ... and back; any other type has no name (NULL, 0). Names are matched without case. */
const char *mxw__dns_type_name(uint16_t type);
uint16_t mxw__dns_type_find(const char *name, size_t len);

/* ---- answers ---- */

/* Answers that need no memory. Static, hence never counted, but unref is allowed as for any other. */
enum mxw__dns_static {
	MXW__DNS_NO_MEMORY,
	MXW__DNS_TIMED_OUT,
	MXW__DNS_OVER_BUDGET,
	MXW__DNS_NO_SUCH_NAME /* can't exist, for its form */
};
mxw_dns_answer_t *mxw__dns_answer_static(enum mxw__dns_static which);
/* An answer without records. Never NULL. */
mxw_dns_answer_t *mxw__dns_answer_empty(mxw_outcome_t outcome, int rcode, uint32_t ttl_s);

/* One record's octets as they stand in a message, names uncompressed. */
struct mxw__rdata {
	const uint8_t *data;
	size_t len;
};
/*
 * An answer of the records of one set; malformed ones are left out, and if that leaves none, nothing is known:
 * MXW_TEMPORARY with rcode 2. Never NULL. This reads what strangers send.
 */
mxw_dns_answer_t *mxw__dns_answer_from_rdata(uint16_t type, const struct mxw__rdata *items, size_t n,
					     uint32_t ttl_s);

/* ---- zone-style files ---- */

struct mxw__zone_rr {
	const char *owner; /* in its one form */
	uint16_t type;
	uint32_t ttl_s;
	const uint8_t *rdata;
	size_t rdlen;
};

/* Where the records go that are read. What a function returns other than MXW_OK ends the reading. */
struct mxw__zone_sink {
	mxw_status_t (*record)(void *ctx, const struct mxw__zone_rr *rr, struct mxw_error *err);
	/* For test doubles, else NULL: `name TYPE !word`; type 255 is ANY. `err` gets the reason, the position is added. */
	mxw_status_t (*behaviour)(void *ctx, const char *owner, uint16_t type, const char *word,
				  struct mxw_error *err);
	void *ctx;
};

/*
 * Reads `name [ttl] [IN] TYPE data`, $ORIGIN, $TTL, comments, quoted strings and parentheses (RFC 1035 section 5.1).
 * Names without a final dot are below $ORIGIN, which is the root until one is given. `file` stands in complaints.
 * Errors: MXW_ERR_CONF with file, line and column; what the sink returned; MXW_ERR_NOMEM.
 */
mxw_status_t mxw__zone_parse(const char *file, const char *text, size_t len, const struct mxw__zone_sink *sink,
			     struct mxw_error *err);

/* ---- local data ---- */

typedef struct mxw__localdata mxw__localdata_t;

mxw__localdata_t *mxw__localdata_new(void);
void mxw__localdata_free(mxw__localdata_t *local);
/* Adds a file. Errors: those of mxw__zone_parse(); MXW_ERR_CONF if it can't be read. */
mxw_status_t mxw__localdata_load(mxw__localdata_t *local, const char *path, struct mxw_error *err);
/* Adds one record; the same again is no error. Errors: MXW_ERR_CONF (a CNAME beside other data), MXW_ERR_NOMEM. */
mxw_status_t mxw__localdata_add(mxw__localdata_t *local, const struct mxw__zone_rr *rr, struct mxw_error *err);
/*
 * Answers for a name in its one form, following CNAMEs and wildcards. A name that has any record here is answered
 * from here alone; for any other the result is NULL and `ret_name` (which may be `name` itself) is what remains to
 * be asked elsewhere: the name, or the one a CNAME led to. With `is_alone` such a name does not exist, and the
 * result is never NULL. Immutable data: any number of threads may look at one time.
 */
mxw_dns_answer_t *mxw__localdata_find(const mxw__localdata_t *local, const char *name, uint16_t type, bool is_alone,
				      char ret_name[MXW__DNS_TEXT_MAX]);

#endif
