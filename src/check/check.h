/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h: a check looks at one side of a session and states facts. It decides nothing, logs no verdict and
 * knows no milter. Each is one file that ends in one const struct; check_list.c names them all.
 *
 * The engine drives a check like this. `gather` is called at every stage as soon as the client's words are known, and again with
 * the answers that have come: what can be asked early is asked here, and never waited for (gather.h). `run` is called when the facts of the check are wanted: at its own stage
 * for a cheap check, else at the first stage whose rules name one of its facts, and at the end of the message at the
 * latest if the Authentication-Results field wants it. Until the scope of its facts ends it is not called again.
 *
 * Who may call: session.
 * Threads: a call runs on whatever thread serves the session; calls of one session never overlap. A check has no memory but
 *          what it keeps in the context.
 * Memory:  what lives as long as the session or message comes from the context's arenas; a resource that must be given back is
 *          given back in `reset`.
 */
#ifndef MXW_SRC_CHECK_CHECK_H
#define MXW_SRC_CHECK_CHECK_H

#include <mxward/dns.h>
#include <mxward/session.h>

#include "src/auth/arc.h"
#include "src/auth/dkim.h"
#include "src/auth/dmarc.h"
#include "src/auth/spf.h"
#include "src/base/base.h"
#include "src/check/dnsbl.h"
#include "src/check/gather.h"
#include "src/conf/conf.h"
#include "src/directory/directory.h"
#include "src/mail/from.h"
#include "src/mail/mail.h"
#include "src/mail/smuggle.h"
#include "src/policy/facts.h"

typedef enum mxw__client_class {
	MXW__CLIENT_OUTSIDE,
	MXW__CLIENT_INTERNAL,
	MXW__CLIENT_RELAY,
	MXW__CLIENT_LOCAL
} mxw__client_class_t;

/* An Authentication-Results field that is taken out. */
struct mxw__authres_removal {
	unsigned index;                      /* among those of the name, from 1 */
	unsigned position;                   /* among all fields, from 1 */
	char *value;                         /* for the name that it gets instead; NULL: it just goes. malloc'ed */
};

/* What is known of the session beyond single facts. The engine fills it in; "" where nothing is known. */
struct mxw__envelope {
	struct mxw_ip client;
	char client_text[MXW_IP_TEXT_MAX];
	const char *client_name;
	mxw__client_class_t client_class;
	const char *daemon_name;
	uint16_t daemon_port;
	const char *helo;
	mxw__helo_kind_t helo_kind;
	struct mxw_ip helo_ip;
	/* of the message */
	const char *sender_path;             /* as the MTA gave it */
	struct mxw__address sender;
	bool sender_is_valid;
	bool is_utf8;                        /* the client asked for SMTPUTF8 */
	const char *auth_user;
	const char *tls_version;
	/* of the recipient */
	const char *rcpt_path;
	struct mxw__address rcpt;
	bool rcpt_is_valid;
	bool rcpt_refused_by_mta, rcpt_deferred_by_mta;
	const struct mxw__domain_conf *rcpt_domain; /* NULL: not ours */
	bool rcpt_domain_is_known;           /* no: the section's list of domains, which may have it, can't be read */
	/* of the content */
	struct mxw__from from;               /* from the end of the header on; set by the check "from" */
	/*
	 * Whose address counts for SPF, block lists and the tracker: the client's, or, from the end of the header on, the one that
	 * a relay of ours recorded. Family 0: it is not known.
	 */
	struct mxw_ip origin;
	const char *origin_helo, *origin_name; /* "" where not known */
	struct mxw__field *fields;           /* in the message's order, kept until its end */
	struct mxw__field **fields_end;
	uint64_t header_bytes;
	uint64_t body_bytes;
	bool header_overflow;                /* not all fields were kept, for lack of room or of memory */
	bool header_is_too_large;            /* larger than limits header-bytes */
	bool has_signature;
	unsigned nsignatures;                /* DKIM-Signature fields so far */
	struct mxw__authres_removal *authres; /* Authentication-Results fields that do not stay, in their order; malloc'ed */
	size_t nremoved_authres, nforged_authres;
	size_t renamed_bytes;
	unsigned nfields, nauthres;          /* so far, of any name and of this one */
	bool has_lost_authres;               /* one could not be remembered */
};

typedef enum mxw__iprev_result {
	MXW__IPREV_PASS,
	MXW__IPREV_FAIL,
	MXW__IPREV_TEMPERROR,
	MXW__IPREV_PERMERROR                 /* it has no name */
} mxw__iprev_result_t;
/* "pass", "fail", ... Static. */
const char *mxw__iprev_result_name(mxw__iprev_result_t result);

/* Whom a relay names as the one it has the message from. */
typedef enum mxw__origin {
	MXW__ORIGIN_UNREADABLE,
	MXW__ORIGIN_RECEIVED,
	MXW__ORIGIN_INTERNAL,                /* a host of ours */
	MXW__ORIGIN_USER                     /* somebody who had logged in */
} mxw__origin_t;

/* How far the Received fields have been followed. */
struct mxw__origin_walk {
	bool is_over;
	unsigned hops;
	mxw__origin_t origin;
	struct mxw_ip address;               /* family 0: none was found */
};

/* Results with more to them than a word, for the Authentication-Results field and for DMARC. */
struct mxw__auth_results {
	bool has_spf, has_spf_helo, has_dkim, has_iprev, has_dmarc, has_arc;
	mxw__iprev_result_t iprev;           /* lasts as long as the session, as spf_helo does */
	char iprev_name[MXW__DOMAIN_MAX + 1]; /* confirmed; "" if none is */
	struct mxw__dmarc_answer dmarc;
	const char *arc;                     /* the word of the fact arc */
	char arc_sealer[MXW__DOMAIN_MAX + 1];
	struct mxw__spf_answer spf, spf_helo;
	const struct mxw__dkim_signature *signatures;
	size_t nsignatures;
};

struct mxw__check_ctx {
	const struct mxw_conf *conf;
	const struct mxw_clock *clock;
	mxw_resolver_t *resolver;
	struct mxw_dns_budget *budget;
	mxw__dnsbl_health_t *dnsbl_health;
	mxw__directories_t *directories;
	mxw__dkim_lib_t *dkim_lib;
	const char *session_id;
	/* Tells the log something that a person should look at, with the key only once an hour; the line has the form of any other. */
	void (*warn)(void *ctx, const char *key, const char *line);
	void *warn_ctx;
	mxw_facts_t *facts;
	mxw__arena_t *session_arena;
	mxw__arena_t *message_arena;
	int64_t deadline_ms;
	struct mxw__envelope *env;
	struct mxw__auth_results *results;
	struct mxw__smuggle smuggle;         /* the content check's own */
	struct mxw__from_work *from_work;    /* the from check's own; malloc'ed, NULL until there is a header */
	struct mxw__origin_walk origin;      /* the origin check's own */
	mxw__dkim_t *dkim;                   /* the dkim check's own */
	bool dkim_wants_body;
	bool spf_is_gathered, spf_record_is_gathered; /* of the message: nothing is left to ask for */
	mxw__arc_t *arc;                     /* the arc check's own, as the next */
	bool arc_is_short;
};

struct mxw__check {
	const char *name;
	mxw_stage_t stage;                   /* the first stage at which it can run */
	mxw_fact_scope_t scope;              /* it runs at most once for each session, message or recipient */
	bool is_lazy;                        /* costs a wait: run only when wanted */
	size_t nfacts;
	const mxw_fact_id_t *facts;          /* what it can state */
	const struct mxw__check *const *needs; /* NULL-terminated: these run before it, whatever the rules name; earlier in the list */
	/* Any of these may be NULL. */
	bool (*is_enabled)(const struct mxw_conf *conf);
	void (*gather)(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather);
	bool (*is_due)(const struct mxw__check_ctx *ctx, mxw_stage_t stage); /* no: `run` is left for a later stage */
	void (*run)(struct mxw__check_ctx *ctx);
	void (*header)(struct mxw__check_ctx *ctx, const char *name, const char *value);
	void (*end_of_headers)(struct mxw__check_ctx *ctx);
	bool (*body)(struct mxw__check_ctx *ctx, const unsigned char *data, size_t len); /* false: enough */
	void (*reset)(struct mxw__check_ctx *ctx); /* the message is over */
};

extern const struct mxw__check mxw__check_client;
extern const struct mxw__check mxw__check_iprev;
extern const struct mxw__check mxw__check_client_dnsbl;
extern const struct mxw__check mxw__check_iprev_dnsbl;
extern const struct mxw__check mxw__check_helo;
extern const struct mxw__check mxw__check_helo_dnsbl;
extern const struct mxw__check mxw__check_spf_helo;
extern const struct mxw__check mxw__check_sender;
extern const struct mxw__check mxw__check_sender_domain;
extern const struct mxw__check mxw__check_sender_dnsbl;
extern const struct mxw__check mxw__check_spf;
extern const struct mxw__check mxw__check_spf_record;
extern const struct mxw__check mxw__check_recipient;
extern const struct mxw__check mxw__check_directory;
extern const struct mxw__check mxw__check_origin;
extern const struct mxw__check mxw__check_origin_dnsbl;
extern const struct mxw__check mxw__check_authres;
extern const struct mxw__check mxw__check_content;
extern const struct mxw__check mxw__check_from;
extern const struct mxw__check mxw__check_dkim;
extern const struct mxw__check mxw__check_arc;
extern const struct mxw__check mxw__check_dmarc;
extern const struct mxw__check mxw__check_own_domain;

/* The one visible list, in the order in which checks run. NULL-terminated. */
#define MXW__CHECKS_MAX 32
extern const struct mxw__check *const mxw__check_list[];

/* Is one of the facts named by a rule of any stage? A check that costs questions is not enabled if nobody wants to know. */
bool mxw__rules_name(const struct mxw_conf *conf, const mxw_fact_id_t *facts, size_t nfacts);

bool mxw__in_networks(const struct mxw__networks *networks, const struct mxw_ip *ip);
/* Is it a name of this site's hosts: one of helo-names, or in a domain section? In U-labels it is none the less ours. */
bool mxw__is_our_name(const struct mxw__check_ctx *ctx, const char *name);

/* Is there a list of that kind whose points are events of the tracker? */
bool mxw__dnsbl_feeds_tracker(const struct mxw_conf *conf, mxw__dnsbl_kind_t kind);

/* Where an address stands; family 0 is local submission. */
mxw__client_class_t mxw__client_classify(const struct mxw_conf *conf, const struct mxw_ip *client);

/* The caller is a stranger whose behaviour counts: outside and not authenticated. */
bool mxw__is_stranger(const struct mxw__envelope *env);

/* Is it to be known who sent this message? Of strangers' mail, and of what a relay hands on of theirs if it recorded whose it was. */
bool mxw__has_identities(const struct mxw__check_ctx *ctx);
/* The domain that the fact spf is about: of MAIL FROM, or, with a null sender, the HELO name; NULL if there is none. */
const char *mxw__spf_domain(const struct mxw__envelope *env);
/* A signature that counts as one of its domain: it passes, and not only for what an l= covers (dkim trust-length). */
bool mxw__dkim_counts(const struct mxw__check_ctx *ctx, const struct mxw__dkim_signature *signature);
/* Does one that counts speak for `domain`? Relaxed. With MAYBE if one that could not be looked up might. */
mxw__dmarc_tri_t mxw__dkim_speaks_for(const struct mxw__check_ctx *ctx, const char *domain);
/* The same for SPF. */
mxw__dmarc_tri_t mxw__spf_speaks_for(const struct mxw__check_ctx *ctx, const char *domain);

#endif
