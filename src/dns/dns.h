/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.h (internal): the parts of which the one resolver is made.
 *
 *	resolver.c   the public functions, and how one question walks through the parts below
 *	localdata.c  records of zone-style files, answered without asking anybody (zonefile.c reads them)
 *	cache.c      answers already known: sharded, bounded, each with its lifetime
 *	inflight.c   questions that are open: equal ones are asked once and waited for by many
 *	budgets.c    how many questions a client may cause and a zone's servers may get in a second
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
 * Threads: said at each part. Lock order: a shard of the open questions, then a shard of the cache or a table of the
 *          budgets; never two of one kind. libunbound's locks are never taken while one of ours is held: ub_resolve_async() (which
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

/* The memory it takes, for bounds. */
size_t mxw__dns_answer_size(const mxw_dns_answer_t *answer);

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

/* ---- the cache ---- */

/* A question: a name in its one form, a type, and the hash of both. Borrowed. */
struct mxw__dns_key {
	const char *name;
	uint16_t type;
	uint64_t hash;
};

/*
 * Lifetimes in seconds, whatever a zone says: long ones would keep a mistake alive, none would let a stranger
 * make us ask again for each message.
 */
enum {
	MXW__DNS_POSITIVE_MIN_S = 1,
	MXW__DNS_POSITIVE_MAX_S = 3600, /* unless the options say otherwise, as the next two */
	MXW__DNS_NEGATIVE_MIN_S = 5,
	MXW__DNS_NEGATIVE_MAX_S = 900, /* RFC 2308 section 5 allows more; a new domain should not wait for hours */
	MXW__DNS_FAILURE_MIN_S = 5,    /* RFC 2308 section 7: failures are kept, five minutes at most */
	MXW__DNS_FAILURE_MAX_S = 30,
	MXW__DNS_CACHE_BYTES_PER_ENTRY = 1024 /* the cache's bound in bytes: that much for each entry allowed */
};
/* The ceilings, in seconds; where they are below a floor, they are the floor, too. */
struct mxw__dns_lifetimes {
	uint32_t positive_max_s, negative_max_s, failure_max_s;
};
/* The lifetime an answer gets for the TTL it came with. */
uint32_t mxw__dns_lifetime_s(const struct mxw__dns_lifetimes *lifetimes, mxw_outcome_t outcome, uint32_t ttl_s);

/*
 * Threads: shared; each shard has a lock, held for a few pointers' time. The least recently used goes first.
 */
typedef struct mxw__dns_cache mxw__dns_cache_t;

mxw__dns_cache_t *mxw__dns_cache_new(unsigned max_entries, const struct mxw__dns_lifetimes *lifetimes,
				     const struct mxw_clock *clock);
void mxw__dns_cache_free(mxw__dns_cache_t *cache);
/* A reference of its own for the caller, or NULL. */
mxw_dns_answer_t *mxw__dns_cache_get(mxw__dns_cache_t *cache, const struct mxw__dns_key *key);
/*
 * Keeps the answer for its ttl_s, in place of an older one. A failure that follows a failure is kept twice as long as that
 * one was, up to the ceiling. Without memory it is not kept.
 */
void mxw__dns_cache_put(mxw__dns_cache_t *cache, const struct mxw__dns_key *key, mxw_dns_answer_t *answer);
unsigned mxw__dns_cache_count(mxw__dns_cache_t *cache);

/* ---- libunbound ---- */

/* What libunbound hands back; the first member of what waits for it. */
struct mxw__dns_pending {
	/* Called once, on the reaper thread; takes over the answer. Never called after mxw__unbound_free(). */
	void (*done)(struct mxw__dns_pending *pending, mxw_dns_answer_t *answer);
	const struct mxw__dns_lifetimes *lifetimes; /* that the answer is to get */
};

/*
 * Threads: send from any thread; it writes to a pipe, so no lock of ours may be held. Two threads serve it: libunbound's
 *          own and our reaper, both with all signals blocked.
 */
typedef struct mxw__unbound mxw__unbound_t;

mxw_status_t mxw__unbound_new(const struct mxw_resolver_options *options, mxw__unbound_t **ret_unbound,
			      struct mxw_error *err);
/* False if it can't be asked now; `done` is then not called. */
bool mxw__unbound_send(mxw__unbound_t *unbound, const struct mxw__dns_key *key, struct mxw__dns_pending *pending);
/*
 * How many questions it can work on at one time: each takes a socket, and not more than half the descriptors that
 * this process may have are for them. A question beyond that would wait for others.
 */
unsigned mxw__unbound_capacity(void);
/* What a result of libunbound means. `error` is its enum ub_ctx_err. Never NULL. */
struct ub_result;
mxw_dns_answer_t *mxw__unbound_answer(int error, const struct ub_result *result,
				      const struct mxw__dns_lifetimes *lifetimes);
/* Ends both threads. What is still open is forgotten: its memory is the caller's matter. */
void mxw__unbound_free(mxw__unbound_t *unbound);

/* ---- budgets ---- */

/* So many a second (0: no limit), and so many at once after a while without any. */
struct mxw__dns_rate {
	unsigned per_s, burst;
};

struct mxw__dns_budgets_options {
	struct mxw__dns_rate zone, client;
	const char *const *unlimited; /* zones without a limit, in any spelling */
	size_t nunlimited;
	/* NULL, or told what was refused: at most once a minute for each kind. From any thread, with no lock held. */
	void (*notice)(void *ctx, const char *text);
	void *notice_ctx;
};

/* Why a question was not sent. */
typedef enum mxw__dns_refusal {
	MXW__REFUSED_NOT,
	MXW__REFUSED_SESSION, /* its own budget */
	MXW__REFUSED_CLIENT,  /* the rate of its client */
	MXW__REFUSED_ZONE,    /* the rate of the zone asked for */
	MXW__REFUSED_CAP,     /* too many are open, in all or in this zone */
	MXW__REFUSALS
} mxw__dns_refusal_t;

/*
 * Rates of what is really sent, for each client (an IPv4 address, a /64 of IPv6) and each zone.
 *
 * Threads: shared; each of the two tables has a lock, a leaf, held for a few additions.
 * Memory:  tables of a fixed size, whatever is asked for.
 */
typedef struct mxw__dns_budgets mxw__dns_budgets_t;

/* NULL without memory. */
mxw__dns_budgets_t *mxw__dns_budgets_new(const struct mxw__dns_budgets_options *options,
					 const struct mxw__hashkey *hashkey);
void mxw__dns_budgets_free(mxw__dns_budgets_t *budgets);
/*
 * The part of a name in its one form whose servers get the question: what one operator has below a registry's suffix
 * (mxw__operator_domain()), a /16 or /32 for reverse names. Points into `name`.
 */
const char *mxw__dns_zone(const char *name);
/* Takes a token of the client (NULL or family 0: nobody's) and one of the zone, or none. `zone_hash` is of mxw__dns_zone(). */
mxw__dns_refusal_t mxw__dns_budgets_take(mxw__dns_budgets_t *budgets, const char *name, uint64_t zone_hash,
					 const struct mxw_ip *client, int64_t now_ms);
/* Counts a refusal, and tells of it. To be called with no lock held. */
void mxw__dns_budgets_note(mxw__dns_budgets_t *budgets, mxw__dns_refusal_t why, const char *name,
			   const struct mxw_ip *client, int64_t now_ms);
uint64_t mxw__dns_budgets_refused(const mxw__dns_budgets_t *budgets, mxw__dns_refusal_t why);

/* ---- open questions ---- */

/*
 * A question is open from when it is begun until libunbound answers, which may be well after everybody stopped
 * waiting: libunbound works on it until then (in thread mode ub_cancel() only drops the result), so it still counts
 * against the caps, and its late answer still goes into the cache. Nobody waits for it beyond the time-out, counted
 * from when it was begun. A waiter that gives up changes nothing for the others.
 *
 * Caps: `max_open` in all, and a quarter of that (16 at least) for one zone, so that one dead zone can't use up
 * everybody's share. A zone is that of mxw__dns_zone().
 *
 * Threads: shared, in shards with a lock each. mxw__dns_cache_get() and mxw__dns_budgets_take() are called with it held.
 */
typedef struct mxw__inflight mxw__inflight_t;
typedef struct mxw__dns_question mxw__dns_question_t;

typedef enum mxw__inflight_begin {
	MXW__BEGIN_NEW,     /* to be sent by the caller, or finished */
	MXW__BEGIN_JOINED,
	MXW__BEGIN_CACHED,  /* it was answered in the meantime */
	MXW__BEGIN_REFUSED, /* a budget or cap is used up */
	MXW__BEGIN_NO_MEMORY
} mxw__inflight_begin_t;

struct mxw__inflight_options {
	unsigned max_open, timeout_ms;
	struct mxw__dns_lifetimes lifetimes;
	/* Borrowed for its life. */
	mxw__dns_cache_t *cache;
	mxw__dns_budgets_t *budgets;
	const struct mxw_clock *clock;
	struct mxw__hashkey hashkey;
};
mxw__inflight_t *mxw__inflight_new(const struct mxw__inflight_options *options);
/* Nobody may be waiting. Frees the questions that are open, too. */
void mxw__inflight_free(mxw__inflight_t *inflight);
/*
 * Joins an equal question or begins one. `budget` (may be NULL) is charged for a new one only: who asked early and
 * asks again to wait pays once. NEW and JOINED give a question to be waited for or let go; CACHED gives an answer;
 * REFUSED says why.
 */
mxw__inflight_begin_t mxw__inflight_begin(mxw__inflight_t *inflight, const struct mxw__dns_key *key,
					  struct mxw_dns_budget *budget, mxw__dns_question_t **ret_question,
					  mxw_dns_answer_t **ret_answer, mxw__dns_refusal_t *ret_why);
/* What libunbound is to call back. */
struct mxw__dns_pending *mxw__inflight_pending(mxw__dns_question_t *question);
/* The answer is here: caches it, wakes all waiters. Takes over `answer`. */
void mxw__inflight_finish(mxw__dns_question_t *question, mxw_dns_answer_t *answer);
/* Waits for the answer until `deadline_ms`; NULL if that came first. Lets go of the question in any case. */
mxw_dns_answer_t *mxw__inflight_wait(mxw__dns_question_t *question, int64_t deadline_ms);
/* Lets go without waiting. */
void mxw__inflight_leave(mxw__dns_question_t *question);
unsigned mxw__inflight_open(const mxw__inflight_t *inflight);
/* How many ended in MXW_TEMPORARY, and in failed validation (these are among the former). */
uint64_t mxw__inflight_failures(const mxw__inflight_t *inflight);
uint64_t mxw__inflight_bogus(const mxw__inflight_t *inflight);

#endif
