/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldap_pool.h: how directory type "ldap" works inside.
 *
 * The way of one look-up. ldap.c fills the address into base and filter and looks whether the same question is
 * in flight (ldap_question.c); if not it makes one for the connection that has least to do. If the thread of that one (ldap_conn.c) has
 * nothing to do but to wait for the socket, the look-up sends the search itself (ldap_direct.c); if it is the only one in
 * flight it also waits for the answer and reads it: to wake another thread and be woken by it takes longer than all
 * the rest. Else the question is left in the connection's queue. It is the thread that otherwise sends, polls the socket,
 * reads, matches answers to questions by message id and finishes them; the look-up waits on the
 * question's condition with its own deadline. A connection
 * that is lost gives its questions back to be sent once more. ldap_link.c makes a
 * connection: resolve, connect, TLS, bind, every step ended by a time-out or by mxw__ldap_link_cancel().
 * ldap_server.c knows which servers fail: connections only go to servers that do not, in the
 * configured order; one thread per server tries a failed one until it answers and then calls the connections
 * back. While every server fails, a look-up is answered at once.
 *
 * Who may call: ldap*.c only.
 * Threads: `lock` guards what is marked so; every other field is immutable after open or belongs to one thread.
 *          Lock order: a connection's `handle`, mxw__ldap.lock; a link's lock is a leaf and never taken with
 *          another one. No network and no notice under a lock, but for `handle`, which says who may use the LDAP
 *          handle. Nobody waits for the network with it: who sends has looked whether there is room, who reads whether
 *          something has come. A look-up that finds it taken leaves its question in the queue.
 *          A question's wait_lock is a leaf: who waits for an answer holds no other lock, so that being woken costs nobody
 *          else anything.
 * Memory:  a question is counted: one for each that waits for it, one for the table of questions in flight.
 * Errors:  the four outcomes; "not found" only from a search that ended with success and covered the base.
 * Standards: RFC 4511 (protocol), RFC 4513 (bind, TLS), RFC 4514 (DN), RFC 4515 (filter), RFC 4516 (URI).
 */
#ifndef MXW_SRC_DIRECTORY_LDAP_POOL_H
#define MXW_SRC_DIRECTORY_LDAP_POOL_H

#include <ldap.h>
#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "src/directory/source.h"

/* ---- base and filter ---- */

typedef enum mxw__ldap_escape { MXW__LDAP_FILTER, MXW__LDAP_DN } mxw__ldap_escape_t;

/*
 * Appends `s` so that it is a value and nothing else: in a filter (RFC 4515 section 3) or in a distinguished name
 * (RFC 4514 section 2.4). Everything that is not plain is written as \XX.
 */
void mxw__ldap_add_escaped(struct mxw__buf *buf, mxw__ldap_escape_t how, const char *s, size_t len);
/* Refuses unknown placeholders and, with MXW__LDAP_DN, {addr} and {user}: a base must not depend on the mailbox. */
mxw_status_t mxw__ldap_template_check(const char *tmpl, mxw__ldap_escape_t how, struct mxw_error *err);
/* Fills {addr}, {user} and {domain} in. The template was checked. */
void mxw__ldap_template_fill(struct mxw__buf *buf, const char *tmpl, mxw__ldap_escape_t how,
			     const struct mxw__address *address);

/* ---- what a server said ---- */

/* `text`: fit for a result: no peer data. `detail`: for a notice, escaped; may be "". */
struct mxw__ldap_failure {
	mxw_outcome_t outcome; /* MXW_TEMPORARY or MXW_MISCONFIGURED */
	int code;
	char text[120];
	char detail[200];
	const char *base; /* of a search; borrowed from the configuration; NULL: the first */
};
/* `diagnostic` is what the server or libldap added, unescaped; may be NULL. */
void mxw__ldap_fail(struct mxw__ldap_failure *failure, mxw_outcome_t outcome, int code, const char *text,
		    const char *diagnostic);
/* What the result of a bind or StartTLS (not LDAP_SUCCESS) means. */
mxw_outcome_t mxw__ldap_judge_bind(int code);
/* What the end of a search means. `is_elsewhere`: part of the base is on another server. */
mxw_outcome_t mxw__ldap_judge_search(int code, unsigned nentries, bool is_elsewhere);
/* Does this continuation reference lead out of what can hold mailboxes? Active Directory sends three with every
 * search of a whole domain: DomainDnsZones, ForestDnsZones, Configuration, none of which has any. */
bool mxw__ldap_reference_counts(const char *url);

/* ---- entries: ldap_entry.c ---- */

enum { MXW__LDAP_ATTRIBUTES_MAX = 64 };

struct mxw__ldap;

/* Where addresses stand: CLASS/NAME=PREFIX; `class` and `prefix` may be "". */
struct mxw__ldap_address_attribute {
	char *text; /* holds the others */
	const char *class, *name, *prefix;
};

/* Sets what stands under "entries" in struct mxw__ldap. */
mxw_status_t mxw__ldap_entries_init(struct mxw__ldap *ldap, struct mxw_error *err);
void mxw__ldap_entries_fini(struct mxw__ldap *ldap);
/* What an entry says of its recipient; `ret_settings` is set wholly. From any thread that owns `ld`. */
void mxw__ldap_read_settings(struct mxw__ldap *ldap, LDAP *ld, LDAPMessage *entry,
			     struct mxw__rcpt_settings *ret_settings);
/*
 * Is this value of the entry's attribute (whose name may have options: "proxyAddresses;range=0-1499") an address, by
 * conf->address_attributes? `ret_address` points into it: without its prefix. It may be a local part alone, which is
 * then good in every domain that asks this directory.
 */
bool mxw__ldap_is_address(const struct mxw__ldap *ldap, LDAP *ld, LDAPMessage *entry, const char *attribute,
			  const struct berval *value, struct berval *ret_address);

/* ---- one connection ---- */

/* A file as it was when it was read. */
struct mxw__ldap_tls_file {
	uint64_t device, inode, size, changed_s, changed_ns;
};
enum { MXW__LDAP_TLS_FILES = 3 }; /* of authorities, our certificate, its key */

struct mxw__ldap_link {
	mxw__jobs_t *jobs;    /* for names to be resolved */
	int wake_fd;          /* eventfd: ends a wait */
	LDAP *ld;             /* the owner's, as the next three */
	LDAP *tls_keeper;     /* without a connection: keeps the context for the next one; NULL: there is none yet */
	void *tls_context;
	struct mxw__ldap_tls_file tls_files[MXW__LDAP_TLS_FILES];
	pthread_mutex_t lock; /* the rest */
	int fd;               /* our own handle on the socket, -1 when there is none */
	bool is_cancelled;
};
/* `jobs` is borrowed. */
mxw_status_t mxw__ldap_link_init(struct mxw__ldap_link *link, mxw__jobs_t *jobs, struct mxw_error *err);
void mxw__ldap_link_fini(struct mxw__ldap_link *link);
void mxw__ldap_link_wake(struct mxw__ldap_link *link);
/* Makes whatever the owner waits for end at once, for good. From any thread. */
void mxw__ldap_link_cancel(struct mxw__ldap_link *link);
/* Waits for the socket (fd < 0: for a wake-up only), at most `timeout_ms` (< 0: for ever). True: it is ready. */
bool mxw__ldap_link_wait(struct mxw__ldap_link *link, int fd, short events, int64_t timeout_ms);
bool mxw__ldap_link_is_cancelled(struct mxw__ldap_link *link);
/* Connects, starts TLS and binds, within conf->connect_timeout_ms. */
bool mxw__ldap_link_open(struct mxw__ldap_link *link, const struct mxw__directory_conf *conf, const char *uri,
			 const LDAPURLDesc *url, struct mxw__ldap_failure *ret_failure);
/* Waits for the result of one operation and says what code it ended with; -1 when there was none in time. */
int mxw__ldap_link_result(struct mxw__ldap_link *link, int msgid, int64_t deadline_ms,
			  struct mxw__ldap_failure *ret_failure);
/* `is_lost`: nothing more is sent over it. */
void mxw__ldap_link_close(struct mxw__ldap_link *link, bool is_lost);

/* Gives link->ld what TLS needs. */
bool mxw__ldap_tls_prepare(struct mxw__ldap_link *link, const struct mxw__directory_conf *conf,
			   struct mxw__ldap_failure *ret_failure);
void mxw__ldap_tls_forget(struct mxw__ldap_link *link);

/* Looks a host up. NULL: `ret_failure` says why. To be freed with freeaddrinfo(). */
struct addrinfo *mxw__ldap_resolve(struct mxw__ldap_link *link, const char *host, int port, int64_t deadline_ms,
				   struct mxw__ldap_failure *ret_failure);

/* ---- servers ---- */

struct mxw__ldap_server {
	struct mxw__ldap *ldap;
	const char *uri;
	LDAPURLDesc *url;
	size_t rank; /* position in the configuration */
	struct mxw__ldap_link probe_link;
	pthread_t prober;
	bool has_prober;
	/* under lock */
	bool is_failed;
	bool is_silent;   /* failed by not answering what was sent: its other connections are not trusted either */
	struct mxw__ldap_failure failure;
	int64_t tried_ms; /* when it failed last */
	int64_t good_ms;  /* when it came back */
	int64_t pause_ms;
};
mxw_status_t mxw__ldap_servers_init(struct mxw__ldap *ldap, struct mxw_error *err);
void mxw__ldap_servers_fini(struct mxw__ldap *ldap);
mxw_status_t mxw__ldap_servers_start(struct mxw__ldap *ldap, struct mxw_error *err);
/* The first that does not fail; NULL if there is none. */
struct mxw__ldap_server *mxw__ldap_best_server_locked(struct mxw__ldap *ldap);
/* Where connection number `index` belongs now; NULL if there is no server that does not fail. */
struct mxw__ldap_server *mxw__ldap_server_for_locked(struct mxw__ldap *ldap, size_t index);
/* To be called without the lock. Answers all that waits when this was the last one. A silent one is tried again
 * at once: it may be one connection only that a firewall has forgotten. */
void mxw__ldap_server_failed(struct mxw__ldap_server *server, const struct mxw__ldap_failure *failure, bool is_silent);

/* ---- questions ---- */

struct mxw__ldap_conn;

typedef enum mxw__ldap_state {
	MXW__LDAP_QUEUED, /* in the queue of `conn`, or with NULL in ldap->pending */
	MXW__LDAP_SENT,   /* in one of the lists of `conn` */
	MXW__LDAP_DONE    /* in no list and no table */
} mxw__ldap_state_t;

struct mxw__ldap_question {
	uint64_t hash;
	char *base;
	char *filter;
	const char *base_template; /* borrowed from the configuration */
	atomic_uint refs;
	pthread_mutex_t wait_lock;
	pthread_cond_t done;
	bool is_answered; /* under wait_lock; then outcome and reason change no more */
	/* under lock */
	LIST_ENTRY(mxw__ldap_question) in_table;
	TAILQ_ENTRY(mxw__ldap_question) in_queue; /* while MXW__LDAP_SENT: of who holds the handle */
	mxw__ldap_state_t state;
	struct mxw__ldap_conn *conn;
	unsigned waiters;
	unsigned sends;
	mxw_outcome_t outcome; /* while MXW__LDAP_SENT: of who holds the connection's handle */
	char reason[160];
	/* of who holds the connection's handle, while MXW__LDAP_SENT; then of all */
	struct mxw__rcpt_settings settings;
	/* of who holds the connection's handle, while MXW__LDAP_SENT */
	LIST_ENTRY(mxw__ldap_question) in_ids;
	int msgid;
	int64_t sent_ms;
	unsigned nentries;
	bool is_elsewhere;
};
TAILQ_HEAD(mxw__ldap_queue, mxw__ldap_question);
LIST_HEAD(mxw__ldap_bucket, mxw__ldap_question);

/* ---- connections ---- */

enum { MXW__LDAP_ID_BUCKETS = 256, MXW__LDAP_IN_FLIGHT_MAX = 512 };

struct mxw__ldap_conn {
	struct mxw__ldap *ldap;
	struct mxw__ldap_link link;
	pthread_t thread;
	bool has_thread;
	/* under lock */
	bool is_ready;                /* takes questions */
	bool is_asleep;               /* must be woken to see a new one */
	bool is_light;                /* wakes up by itself within timeout_ms */
	unsigned load;                /* questions it has, queued or sent */
	struct mxw__ldap_queue queue;
	/* of its thread */
	struct mxw__ldap_server *server;
	unsigned short_lives;         /* one after the other */
	/* of who holds this, as is link.ld */
	pthread_mutex_t handle;
	bool is_open;                 /* for others than the thread */
	bool has_answered;            /* a search, since it was opened */
	bool is_lost;                 /* somebody else found out */
	bool is_leaving;              /* the thread wants to be told when all is answered */
	bool is_led;                  /* a look-up waits for the socket and reads: the thread does not */
	bool was_led;                 /* since the thread looked last */
	bool is_deaf;                 /* the thread waits, and leaves the socket to who reads */
	pthread_cond_t led_no_more;
	struct mxw__ldap_queue sent;  /* oldest first */
	struct mxw__ldap_queue settled; /* outcome and reason are set, who waits is not told yet */
	struct mxw__ldap_bucket ids[MXW__LDAP_ID_BUCKETS];
	unsigned nsent;
	int64_t heard_ms;             /* when the server said something last */
};
mxw_status_t mxw__ldap_conn_start(struct mxw__ldap_conn *conn, struct mxw_error *err);
/* For who holds the handle: ldap_wire.c. */
/* Takes a question off those sent. */
void mxw__ldap_conn_forget(struct mxw__ldap_conn *conn, struct mxw__ldap_question *question);
/* Gives a sent question its outcome. Who waits is told soon, with others, by mxw__ldap_conn_flush(). */
void mxw__ldap_conn_settle(struct mxw__ldap_conn *conn, struct mxw__ldap_question *question, mxw_outcome_t outcome,
			   const char *reason);
/* Is there room in the socket for a question? */
bool mxw__ldap_conn_has_room(const struct mxw__ldap_conn *conn);
/* False: the connection is lost; the question is among those sent all the same. */
bool mxw__ldap_conn_send(struct mxw__ldap_conn *conn, struct mxw__ldap_question *question);
/* Reads what has come. False: the connection is lost. `ret_more`: there may be more, do not wait for it. */
bool mxw__ldap_conn_receive(struct mxw__ldap_conn *conn, bool *ret_more);
/* Tells the settled questions. `is_thread`: who calls is the connection's thread. */
void mxw__ldap_conn_flush(struct mxw__ldap_conn *conn, bool is_thread);

/* ldap_direct.c. Makes a question, in no queue, one that the caller sends: true, and mxw__ldap_direct_ask() follows. */
bool mxw__ldap_direct_claim_locked(struct mxw__ldap_conn *conn, struct mxw__ldap_question *question);
/* Sends it; may wait for the answer until `end_ms` (real time; 0: does not wait). To be called without the lock. */
void mxw__ldap_direct_ask(struct mxw__ldap_conn *conn, struct mxw__ldap_question *question, int64_t end_ms);
/* For the thread, with the handle: takes it from look-ups and waits until none reads any more. */
void mxw__ldap_direct_end(struct mxw__ldap_conn *conn);

/* ---- the directory ---- */

enum { MXW__LDAP_TABLE = 1024, MXW__LDAP_TOLD = 8 };

struct mxw__ldap {
	const struct mxw__directory_conf *conf;
	const struct mxw_clock *clock;
	struct mxw__strings domains;
	struct mxw__noticer noticer;
	struct mxw__hashkey key;
	mxw__jobs_t *jobs;
	int scope;
	/* entries */
	const char *attributes[MXW__LDAP_ATTRIBUTES_MAX + 1];      /* asked for in a look-up, then NULL */
	int size_limit;                                            /* of a look-up: 1 where existence is enough */
	const char *copy_attributes[MXW__LDAP_ATTRIBUTES_MAX + 1]; /* these and those that hold addresses, then NULL */
	size_t naddress_attributes;
	struct mxw__ldap_address_attribute *address_attributes;
	atomic_bool has_told_class;   /* that there is one which can't be used */
	size_t nservers;
	struct mxw__ldap_server *servers;
	size_t nconns;
	struct mxw__ldap_conn *conns;
	struct mxw__ldap_link pull_link; /* of who lists all addresses */
	bool has_pull_link;
	pthread_mutex_t lock;
	pthread_cond_t changed;       /* a server failed or the directory is being closed */
	/* under lock */
	bool is_stopping;
	unsigned nready;
	unsigned nquestions;
	struct mxw__ldap_queue pending; /* no connection is ready, but one may soon be */
	struct mxw__ldap_bucket table[MXW__LDAP_TABLE];
	struct {
		int code;
		const char *base;
		int64_t told_ms;
	} told[MXW__LDAP_TOLD];       /* complaints about searches, so that each is told once a minute */
	unsigned next_told;
};

/* Milliseconds of real time: sockets do not follow a test's clock. */
int64_t mxw__ldap_now_ms(void);
/*
 * The question in flight that asks the same, or a new one; takes base and filter over either way. NULL: no memory.
 * `ret_conn`, unless it becomes NULL: the caller has to send it there, with mxw__ldap_direct_ask().
 */
struct mxw__ldap_question *mxw__ldap_join_locked(struct mxw__ldap *ldap, const char *base_template, char *base,
						 char *filter, struct mxw__ldap_conn **ret_conn);
/* Waits for the answer, at most until `end_ms` (real time), and lets go of the question. To be called without the lock. */
void mxw__ldap_await(struct mxw__ldap *ldap, struct mxw__ldap_question *question, int64_t end_ms,
		     struct mxw__rcpt_result *ret_result);
/* A question that has its outcome: nobody joins it any more. mxw__ldap_answer() follows, best without the lock. */
void mxw__ldap_retire_locked(struct mxw__ldap *ldap, struct mxw__ldap_question *question);
/* Wakes all that wait for it, and lets go of it. */
void mxw__ldap_answer(struct mxw__ldap_question *question);
bool mxw__ldap_is_answered(struct mxw__ldap_question *question);
/* All of it at once. */
void mxw__ldap_finish_locked(struct mxw__ldap *ldap, struct mxw__ldap_question *question, mxw_outcome_t outcome,
			     const char *reason);
/* The ready connection that has least to do; NULL: none is ready. */
struct mxw__ldap_conn *mxw__ldap_best_conn_locked(struct mxw__ldap *ldap);
/* Gives a question in MXW__LDAP_QUEUED, in no queue, to a connection or to those pending. */
void mxw__ldap_dispatch_locked(struct mxw__ldap *ldap, struct mxw__ldap_question *question);
/* No connection and no server left: answers all that is pending. */
void mxw__ldap_fail_pending_locked(struct mxw__ldap *ldap);
/* What a look-up gets while every server fails. */
mxw_outcome_t mxw__ldap_down_locked(const struct mxw__ldap *ldap, char *ret_reason, size_t size);
/* The operations that list all addresses (ldap_pull.c). */
void mxw__ldap_enumerate(void *self, mxw__rcpt_visit_fn visit, bool (*may_stop)(void *ctx), void *ctx,
			 struct mxw__rcpt_result *ret_result);
void mxw__ldap_interrupt(void *self);
/* Tells a complaint about searches, each code once a minute. To be called without the lock. */
void mxw__ldap_complain(struct mxw__ldap *ldap, const struct mxw__ldap_failure *failure, const char *uri);

#endif
