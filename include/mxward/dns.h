/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.h: the one resolver under every check.
 *
 * A resolver answers questions from any thread, each with a deadline. Answers are immutable and
 * counted; an answer stays good until its last holder lets go of it. The interface is a struct of
 * functions, so that tests hand in scripted answers instead of libunbound's.
 *
 * Threads: every function may be called from any thread; mxw_resolver_ask() blocks, and never
 *          beyond the deadline; mxw_resolver_prefetch() and mxw_resolver_peek() never block.
 * Memory:  answers are released with mxw_dns_answer_unref().
 * Errors:  the four outcomes of status.h. A name that can't be asked (a label over 63 octets, an
 *          empty label, over 253 octets in all) is MXW_NOT_FOUND with `rcode` 3, since no such name exists.
 * Standards: RFC 1035, RFC 2308 (negative answers), RFC 6761.
 */
#ifndef MXWARD_DNS_H
#define MXWARD_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mxward/clock.h>
#include <mxward/net.h>
#include <mxward/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mxw_resolver mxw_resolver_t;

enum mxw_dns_type {
	MXW_DNS_A = 1,
	MXW_DNS_NS = 2,
	MXW_DNS_CNAME = 5,
	MXW_DNS_SOA = 6,
	MXW_DNS_PTR = 12,
	MXW_DNS_MX = 15,
	MXW_DNS_TXT = 16,
	MXW_DNS_AAAA = 28
};

/* One record's data. */
struct mxw_dns_rr {
	/* A: 4 octets; AAAA: 16; TXT: all strings joined, may hold NULs; PTR, NS, CNAME, MX: "" ; any other type: as
	 * in the message. TXT has a NUL after its `len` octets. */
	const uint8_t *data;
	size_t len;
	/* PTR, NS, CNAME, MX: the name, lower case, without the final dot ("" is the root). NULL otherwise.
	 * A label with octets that are no printable ASCII, or with a dot inside, is written with \DDD escapes. */
	const char *name;
	uint16_t preference; /* MX only */
};

typedef struct mxw_dns_answer {
	mxw_outcome_t outcome; /* MXW_FOUND has at least one record; NODATA and NXDOMAIN are MXW_NOT_FOUND */
	int rcode;             /* 0 with MXW_NOT_FOUND is NODATA, 3 is NXDOMAIN; 2 for a server failure */
	uint32_t ttl_s;        /* how long the answer may be kept, counted from when it arrived */
	bool is_secure;        /* validated by DNSSEC, with every CNAME on the way; false where nobody validates */
	bool is_bogus;         /* failed DNSSEC validation: the outcome is MXW_TEMPORARY */
	bool is_over_budget;   /* not asked: a budget or cap was used up; MXW_TEMPORARY, and not kept */
	size_t nrecords;
	const struct mxw_dns_rr *records;
} mxw_dns_answer_t;

/*
 * How many questions a session may still cause. Counted is what is really sent: not what comes from the cache or from
 * local data, nor what joins an equal question in flight. One owner at a time, as the session itself.
 */
struct mxw_dns_budget {
	unsigned asked;
	unsigned limit;       /* 0: no limit */
	/*
	 * On whose account it goes: an IPv4 address, or the /64 of an IPv6 address. Family 0: nobody's, for clients that are trusted.
	 */
	struct mxw_ip client;
};

/*
 * What a resolver is. Each implementation embeds this struct as its first member.
 * Ownership: `ask` returns an answer the caller must unref, never NULL: when memory is gone it is a
 * static MXW_TEMPORARY answer.
 */
struct mxw_resolver_ops {
	mxw_dns_answer_t *(*ask)(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
				 int64_t deadline_ms, struct mxw_dns_budget *budget);
	void (*prefetch)(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
			 struct mxw_dns_budget *budget);
	/* NULL, or a reference for the caller. */
	mxw_dns_answer_t *(*peek)(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type);
	void (*destroy)(mxw_resolver_t *resolver);
};

struct mxw_resolver {
	const struct mxw_resolver_ops *ops;
	unsigned refs; /* the library's own, atomic; set by mxw_resolver_init() */
};

/* How the resolver on libunbound is to work. Strings and arrays are borrowed for the call only. */
struct mxw_resolver_options {
	size_t size;                 /* sizeof(struct mxw_resolver_options) */
	const char *const *forward;  /* "192.0.2.1", "192.0.2.1@5353": ask these; NULL: those of the system */
	size_t nforward;
	bool from_root;              /* resolve from the root and validate ourselves; `forward` is then not looked at */
	bool local_only;             /* answer from local data alone; any other name does not exist */
	const char *const *local_data; /* files of records in zone file form */
	size_t nlocal_data;
	/* 0 or NULL in what follows is the default. */
	unsigned timeout_ms;         /* longest time for one question, whatever deadline the caller has; 3000 */
	/* Questions that may be unanswered at one time, a quarter for one zone; 2000. Never more than 4096 or half the
	 * descriptors that the process may have, whichever is less. */
	unsigned max_open;
	unsigned cache_entries;      /* answers kept, and 1 KB for each in all; 20000 */
	const struct mxw_clock *clock;
	/*
	 * How many questions may be sent in a second, and how many at once after a while without any: for one client
	 * (struct mxw_dns_budget), and for one zone, which is what one operator has below a registry's suffix (the last two labels of
	 * www.example.com, three of www.example.co.uk), or a /16 or /32 of addresses. 0: no limit; a limit has a burst of 1 at least.
	 * What is beyond is not asked: MXW_TEMPORARY and `is_over_budget`.
	 */
	unsigned client_rate, client_burst;
	unsigned zone_rate, zone_burst;
	/* Zones without `zone_rate`, they and all below: DNS block lists, which every session asks for another name. */
	const char *const *unlimited_zones;
	size_t nunlimited_zones;
	/* The longest time for which an answer is kept, whatever its zone says, in seconds: 3600, 900, 30. */
	unsigned positive_max_s, negative_max_s, failure_max_s;
	/*
	 * A file of DS or DNSKEY records in zone file form, by which answers are validated here, also those of `forward`, whose
	 * servers must pass DNSSEC records on. NULL: with `from_root` the root's keys; else nothing is validated.
	 */
	const char *trust_anchor_file;
	/*
	 * Told that questions were not asked for being over a rate or cap; at most once a minute for each of the three. `text`
	 * may hold names that strangers chose, in printable ASCII. From any thread that asks, with no lock held.
	 */
	void (*notice)(void *ctx, const char *text);
	void *notice_ctx;
};

/*
 * Makes the resolver on libunbound with our cache above it, and its one reaper thread.
 * Errors: MXW_ERR_CONF (an unreadable or malformed local data file, with file and line; an address that
 * is none), MXW_ERR_SYSTEM, MXW_ERR_NOMEM.
 */
mxw_status_t mxw_resolver_new(const struct mxw_resolver_options *options, mxw_resolver_t **ret_resolver,
			      struct mxw_error *err);

/* To be called by other implementations of the interface before anything else. */
void mxw_resolver_init(mxw_resolver_t *resolver, const struct mxw_resolver_ops *ops);
mxw_resolver_t *mxw_resolver_ref(mxw_resolver_t *resolver);
/* Lets go; the last one destroys it and waits for its thread. NULL is allowed. */
void mxw_resolver_unref(mxw_resolver_t *resolver);

/*
 * Asks and waits until the answer is there or `deadline_ms` (monotonic) has come, whichever is first.
 * `budget` may be NULL. A deadline that has passed gives what is known already, and sends nothing. Never returns NULL.
 */
mxw_dns_answer_t *mxw_resolver_ask(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
				   int64_t deadline_ms, struct mxw_dns_budget *budget);

/* Starts a question whose answer somebody will soon want, and returns at once. */
void mxw_resolver_prefetch(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
			   struct mxw_dns_budget *budget);

/* What is known already, failures that are remembered included; NULL if the question would have to be asked. Never blocks. */
mxw_dns_answer_t *mxw_resolver_peek(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type);

/*
 * Makes an answer with room for `nrecords` records and `nbytes` octets of their data and names.
 * The records and the octets are the caller's to fill until it hands the answer out.
 */
mxw_dns_answer_t *mxw_dns_answer_new(mxw_outcome_t outcome, int rcode, size_t nrecords, size_t nbytes,
				     struct mxw_dns_rr **ret_records, uint8_t **ret_bytes);
mxw_dns_answer_t *mxw_dns_answer_ref(mxw_dns_answer_t *answer);
void mxw_dns_answer_unref(mxw_dns_answer_t *answer);

/* Counters since the resolver was made; each is read on its own. */
struct mxw_resolver_stats {
	size_t size;          /* sizeof(struct mxw_resolver_stats), set by the caller; what the library does not know stays 0 */
	uint64_t asked;       /* questions of any kind */
	uint64_t cache_hits;
	uint64_t coalesced;   /* joined a question already in flight */
	uint64_t sent;        /* handed to libunbound */
	uint64_t timeouts;    /* deadlines that came before the answer */
	uint64_t over_budget; /* not asked: the sum of the four that follow */
	uint64_t over_session; /* of these, by the budget of the session */
	uint64_t over_client; /* by the client's rate */
	uint64_t over_zone;   /* by the zone's */
	uint64_t over_cap;    /* by the caps on open questions */
	uint64_t failures;    /* server failures and bogus answers */
	uint64_t bogus;       /* of these, answers that failed validation */
	uint64_t open;        /* unanswered now */
};
/* Fills in the counters; all zero for implementations other than mxw_resolver_new(). `ret_stats->size` must be set. */
void mxw_resolver_get_stats(mxw_resolver_t *resolver, struct mxw_resolver_stats *ret_stats);

#ifdef __cplusplus
}
#endif
#endif
