/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory.h: where recipients are looked up. Each source (file.c, system.c, ldap*.c, callahead*.c) ends in one const
 * struct of callbacks; directory.c names them all and asks those of a domain in their order; domains.c knows which
 * domains are ours; probe.c says under which addresses a recipient is to be looked for.
 *
 * Who may call: check (recipient.c), session (to make and end a set).
 * Threads: a look-up may come from any thread at any time; each source says what it locks. No network or disk
 *          call happens under a lock. A set has threads of its own: make it after the process has forked.
 * Memory:  a set belongs to the snapshot and ends with it; results are the caller's struct.
 * Errors:  the four outcomes. A source that can't be opened becomes one that answers MXW_TEMPORARY or
 *          MXW_MISCONFIGURED to every question and goes on trying: the daemon serves on with less.
 */
#ifndef MXW_SRC_DIRECTORY_DIRECTORY_H
#define MXW_SRC_DIRECTORY_DIRECTORY_H

#include "src/base/base.h"
#include "src/conf/conf.h"
#include "src/mail/mail.h"

typedef struct mxw__directories mxw__directories_t;
/* What sources have said; cache.h. */
typedef struct mxw__rcpt_cache mxw__rcpt_cache_t;

/* How a source speaks of its own health: "directory staff: ldap1...: Can't contact LDAP server". Rate-limited by the
 * callee (a change of state is told once). Same levels and rules as mxw_engine_options.log. */
typedef void (*mxw__notice_fn)(void *ctx, bool is_error, const char *text);

struct mxw__rcpt_result;

/* What a question may cost and use. */
typedef enum mxw__rcpt_asking {
	MXW__ASK_ANY = 0, /* what is kept, else the source */
	MXW__ASK_SOURCE,  /* the source, whatever is kept */
	MXW__ASK_FORGET   /* nobody: forgets what is kept, under every address that would be looked for. Not found. */
} mxw__rcpt_asking_t;

struct mxw__rcpt_query {
	const struct mxw__address *address;
	int64_t deadline_ms; /* monotonic, on `clock` */
	mxw__rcpt_asking_t asking;
	bool is_respelt; /* the address was asked for before, with another `text` */
	/* Is told what each directory said of each address it was asked for. NULL: nobody wants to know. (After
	 * MXW__ASK_FORGET the origin is MXW__ORIGIN_CACHE where something was forgotten.) */
	void (*told)(void *ctx, const struct mxw__rcpt_query *query, const struct mxw__rcpt_result *one);
	void *told_ctx;
};

/* Where an answer comes from. */
typedef enum mxw__rcpt_origin {
	MXW__ORIGIN_LIVE,  /* the source was asked and said so */
	MXW__ORIGIN_CACHE, /* it said so before, within the lifetime of the answer */
	MXW__ORIGIN_STALE, /* it said so before; now it can't answer */
	MXW__ORIGIN_COPY   /* it can't answer; its offline copy has the address */
} mxw__rcpt_origin_t;

/* What the offline copy says of an address that its source could not be asked about. */
typedef enum mxw__rcpt_copy {
	MXW__COPY_NONE,   /* there is none, or it was not needed */
	MXW__COPY_KNOWN,  /* it has the address: found */
	MXW__COPY_ABSENT, /* it is fresh and does not have it: no positive fact, but policy may look at it */
	MXW__COPY_OLD     /* it does not have it, and is too old or too doubtful to say more */
} mxw__rcpt_copy_t;

#define MXW__RCPT_CLASS_MAX 31

/* What a source says of a recipient that exists. */
struct mxw__rcpt_settings {
	bool is_disabled;      /* the account is switched off */
	bool is_internal_only; /* takes no mail from outside */
	char class[MXW__RCPT_CLASS_MAX + 1]; /* of its own, for rules; printable; "": none */
};

struct mxw__rcpt_result {
	mxw_outcome_t outcome;
	/* With MXW_FOUND: the source takes every address and can't tell whether this one exists. */
	bool is_unverifiable;
	/* With MXW_NOT_FOUND: the source has an entry that says so. Nothing else is looked for, and no other asked. */
	bool is_refused;
	mxw__rcpt_origin_t origin;
	mxw__rcpt_copy_t copy;
	int64_t age_ms;      /* how long ago the source said so, if it was not asked */
	struct mxw__rcpt_settings settings;
	const char *source;  /* the directory's name that decided; borrowed from the configuration */
	char reason[160];    /* for a temporary failure or misconfiguration: one line, no secret, no peer data */
};

/* Their words: "found", "unverifiable", "unknown", "unavailable", "misconfigured"; "live", "cache", "stale", "copy"; "",
 * "known", "absent", "old". Static. */
const char *mxw__rcpt_outcome_word(const struct mxw__rcpt_result *result);
const char *mxw__rcpt_origin_word(mxw__rcpt_origin_t origin);
const char *mxw__rcpt_copy_word(mxw__rcpt_copy_t copy);

/* What a source is given. Everything is borrowed and outlives the source. */
struct mxw__directory_env {
	const struct mxw__directory_conf *conf;
	const struct mxw_clock *clock;
	mxw__notice_fn notice;
	void *notice_ctx;
	/* The domains that are looked up in it, in lower case; those read from files are not among them. */
	struct mxw__strings domains;
	const char *state_dir; /* NULL: nothing is kept on disk */
	bool is_read_only;     /* what is there is read and left alone */
};

/* Called for each address of a complete list; `settings` as for a look-up. False: it is enough. */
typedef bool (*mxw__rcpt_visit_fn)(void *ctx, const char *address, size_t len,
				   const struct mxw__rcpt_settings *settings);

struct mxw__directory_ops {
	const char *type;
	/* To ask it costs time: its answers are worth keeping. */
	bool is_remote;
	/* It goes by the address's local part and domain, never by its `text`: one spelling is enough. */
	bool ignores_text;
	/* Makes the source; must not touch the network. `ret_self` is handed to the others. */
	mxw_status_t (*open)(const struct mxw__directory_env *env, void **ret_self, struct mxw_error *err);
	/* Sets outcome, reason, is_unverifiable and settings; `ret_result` comes zeroed but for MXW_TEMPORARY. */
	void (*lookup)(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result);
	/*
	 * Lists every valid address; NULL if it can't. One thread at a time. MXW_FOUND: the list was complete. Any other
	 * outcome with its reason: what was visited says nothing. `may_stop` (may be NULL) is asked now and then
	 * whether to give up. It has ended before close() is called.
	 */
	void (*enumerate)(void *self, mxw__rcpt_visit_fn visit, bool (*may_stop)(void *ctx), void *ctx,
			  struct mxw__rcpt_result *ret_result);
	/* Makes an enumerate() that is under way, or begins later, end at once. May be NULL. From any thread. */
	void (*interrupt)(void *self);
	void (*close)(void *self);
};

extern const struct mxw__directory_ops mxw__directory_file;
extern const struct mxw__directory_ops mxw__directory_system;
extern const struct mxw__directory_ops mxw__directory_ldap;
extern const struct mxw__directory_ops mxw__directory_sqlite;
extern const struct mxw__directory_ops mxw__directory_call_ahead;

/* What a set is given beside the configuration. */
struct mxw__directories_env {
	const struct mxw_clock *clock;
	mxw__notice_fn notice; /* may be NULL */
	void *notice_ctx;
	const char *state_dir; /* NULL: nothing is kept on disk */
	bool is_read_only;     /* what is there is read and left alone: another process is its owner */
	mxw__rcpt_cache_t *cache; /* NULL: no answer is kept */
};

/* Opens every directory of the configuration, which must outlive the set, as `env` must what it points to. */
mxw_status_t mxw__directories_new(const struct mxw_conf *conf, const struct mxw__directories_env *env,
				  mxw__directories_t **ret_directories, struct mxw_error *err);
void mxw__directories_free(mxw__directories_t *directories);

/*
 * The domain section that serves this domain, or NULL: not ours. `domain` as in struct mxw__address (see
 * mxw__domain_to_ascii() for names of other origin).
 */
const struct mxw__domain_conf *mxw__directories_domain(const mxw__directories_t *directories, const char *domain);
/* Is it one of them by its own name, not by a "*.example.net" only? Below a domain others may have hosts that are not ours. */
bool mxw__directories_has_name(const mxw__directories_t *directories, const char *domain);
/*
 * mxw__directories_domain() for a recipient: postmaster without a domain (RFC 5321 section 4.5.1) belongs to the first section that accepts its
 * postmaster; any other local part alone is for the MTA to complete, and not ours. MXW_TEMPORARY: a list of domains that might have
 * it was never readable; `ret_domain` is the section whose list it is.
 */
mxw_outcome_t mxw__directories_domain_of(const mxw__directories_t *directories, const struct mxw__address *address,
					 const struct mxw__domain_conf **ret_domain);

/*
 * Looks for a recipient under all addresses that it may be known by, in the order that probe.c says, until one is found.
 * postmaster and abuse are found, unless the domain says that they are to be looked up. Sources are asked with addresses that
 * are made here: what they compare is in lower case if it can be. The address of a catch-all has the local part "" and the
 * text "@example.net". A look-up that the first address answers allocates nothing.
 */
void mxw__directories_lookup(mxw__directories_t *directories, const struct mxw__domain_conf *domain,
			     const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result);

#endif
