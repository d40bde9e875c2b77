/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * callahead.h: how directory type "call-ahead" works inside.
 *
 * The way of one look-up. callahead.c writes the recipient as an SMTP path and looks whether the same question is in
 * flight; if not it queues one and wakes a connection. The connection's thread (callahead_conn.c) takes it,
 * connects if it has to (callahead_smtp.c, over callahead_link.c and callahead_tls.c), asks RCPT after MAIL FROM:<>,
 * and has the reply judged (callahead_reply.c). What is accepted is believed only if the host refuses a recipient that
 * can't exist (callahead_trust.c remembers), and what is refused without a code that speaks of the mailbox only if the
 * host then accepts an ordinary one that exists: the configured one, or the last that it accepted before
 * (callahead_trust.c again). Postmaster and abuse don't count: hosts that refuse us spare them. callahead_host.c knows which hosts fail: connections only go to
 * hosts that do not, in the configured order; one thread per host tries a failed one until it answers. While every host
 * fails, a look-up is answered at once. Nothing but EHLO, HELO, STARTTLS, MAIL, RCPT, RSET and QUIT is ever sent, and
 * only to the hosts of the configuration.
 *
 * Who may call: callahead*.c only.
 * Threads: `lock` guards what is marked so; every other field is immutable after open or belongs to one thread.
 *          No other lock is taken under it; no network and no notice under it.
 * Memory:  a question is freed by the last of: its waiters, the table of questions in flight.
 * Errors:  the four outcomes; "not found" only from a refusal that speaks of this mailbox.
 * Standards: RFC 5321 (SMTP), RFC 2034 and 3463 (enhanced status codes), RFC 3207 (STARTTLS), RFC 6531 (SMTPUTF8),
 *          RFC 7435 (opportunistic security).
 */
#ifndef MXW_SRC_DIRECTORY_CALLAHEAD_H
#define MXW_SRC_DIRECTORY_CALLAHEAD_H

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "src/directory/source.h"

enum {
	MXW__CALL_LINE_MAX = 1000,        /* octets of a reply line; RFC 5321 section 4.5.3.1.5 has 512 */
	MXW__CALL_LINES_MAX = 100,        /* of one reply */
	MXW__CALL_RCPTS_MAX = 50,         /* in one transaction; RFC 5321 asks servers to take 100 */
	MXW__CALL_TRANSACTIONS_MAX = 20,  /* over one connection */
	MXW__CALL_ACCEPTED_MAX = 320,     /* octets of a recipient that is remembered: 64, @ and 253 fit */
	MXW__CALL_REFUSALS_MAX = 8,       /* over one connection: servers slow down who makes many errors (Postfix: 10) */
	MXW__CALL_IDLE_MS = 30000         /* servers wait for minutes, Postfix under stress for 10 s */
};

/* ---- what a host said ---- */

struct mxw__call_reply {
	unsigned code;         /* 200 to 599 */
	bool has_enhanced;     /* and it fits the code, and all lines agree */
	unsigned enhanced[3];
	bool has_starttls;     /* as keywords of an EHLO reply */
	bool has_smtputf8;
	char name[256];        /* the first word of the first line, as it came: a greeting's host name */
	char text[120];        /* the first line after its code, as it came: escape it */
	size_t text_len;
};

typedef enum mxw__call_read { MXW__CALL_MORE, MXW__CALL_DONE, MXW__CALL_GARBAGE } mxw__call_read_t;

struct mxw__call_reader {
	char line[MXW__CALL_LINE_MAX + 1];
	size_t len;
	unsigned nlines;
	bool disagrees;        /* two lines have different enhanced codes */
	struct mxw__call_reply reply;
};
void mxw__call_reader_init(struct mxw__call_reader *reader);
/* Takes octets up to the end of one reply; `ret_used` is how many. */
mxw__call_read_t mxw__call_reader_feed(struct mxw__call_reader *reader, const char *data, size_t len, size_t *ret_used);

/* What the reply to RCPT means. */
typedef enum mxw__call_verdict {
	MXW__CALL_ACCEPTED,
	MXW__CALL_DISABLED,    /* exists, is switched off */
	MXW__CALL_INTERNAL,    /* exists, takes no mail from outside */
	MXW__CALL_EXISTS,      /* exists, but takes nothing now: full */
	MXW__CALL_CANT_TELL,
	MXW__CALL_UNKNOWN,     /* the mailbox does not exist, and the code says so */
	MXW__CALL_DOUBTFUL,    /* refused, and nothing says whether because of the mailbox or because of us */
	MXW__CALL_REFUSES_US,  /* refused for another reason than the mailbox */
	MXW__CALL_LATER,
	MXW__CALL_TOO_MANY,    /* recipients in this transaction */
	MXW__CALL_CLOSING      /* 421 */
} mxw__call_verdict_t;
mxw__call_verdict_t mxw__call_judge_rcpt(const struct mxw__call_reply *reply);

/*
 * Appends what may stand between < and > of a RCPT command: the local part quoted where it must be. False for what can't
 * be written so: control characters, something too long.
 */
bool mxw__call_add_path(struct mxw__buf *buf, const char *local, const char *domain);

/* `text`: fit for a result: no peer data. `detail`: for a notice, escaped; may be "". */
struct mxw__call_failure {
	mxw_outcome_t outcome; /* MXW_TEMPORARY or MXW_MISCONFIGURED */
	bool is_tls;           /* TLS could not be agreed on: it may go without */
	char text[120];
	char detail[200];
};
/* `reply` may be NULL. Always false, so that a failing path is one statement. */
bool mxw__call_fail(struct mxw__call_failure *failure, mxw_outcome_t outcome, const struct mxw__call_reply *reply,
		    const char *fmt, ...) MXW_PRINTF(4, 5);
/* "550 5.1.1" or "550": the numbers of a reply. */
const char *mxw__call_code_text(const struct mxw__call_reply *reply, char text[32]);

/* ---- one connection ---- */

struct mxw__call_link {
	mxw__jobs_t *jobs;     /* for names to be resolved */
	int wake_fd;           /* eventfd: ends a wait */
	atomic_bool is_cancelled;
	/* of the owner's thread */
	int fd;                /* -1: not connected */
	SSL *ssl;              /* NULL: not encrypted */
	char in[4096];
	size_t in_start, in_end;
	bool is_in_step;       /* no reply is owed: QUIT may be sent */
	/* of the SMTP session */
	bool has_smtputf8;
	bool in_transaction;
	bool is_utf8;          /* the transaction */
	unsigned nrcpts;       /* in this transaction */
	unsigned ntransactions, nrefused;
};
mxw_status_t mxw__call_link_init(struct mxw__call_link *link, mxw__jobs_t *jobs, struct mxw_error *err);
void mxw__call_link_fini(struct mxw__call_link *link);
void mxw__call_link_wake(struct mxw__call_link *link);
/* Makes whatever the owner waits for end at once, for good. From any thread. */
void mxw__call_link_cancel(struct mxw__call_link *link);
/* Waits for the socket (fd < 0: for a wake-up only) until then. True: it is ready. */
bool mxw__call_link_wait(struct mxw__call_link *link, int fd, short events, int64_t deadline_ms);
/* The same, but a wake-up that is no cancellation does not end it. */
bool mxw__call_link_wait_io(struct mxw__call_link *link, int fd, short events, int64_t deadline_ms);
bool mxw__call_link_connect(struct mxw__call_link *link, const char *host, unsigned port, int64_t deadline_ms,
			    struct mxw__call_failure *ret_failure);
/* Does the host keep the connection and its peace? What came without being asked for would be taken for an answer. */
bool mxw__call_link_is_quiet(struct mxw__call_link *link);
bool mxw__call_link_send(struct mxw__call_link *link, const char *data, size_t len, int64_t deadline_ms,
			 struct mxw__call_failure *ret_failure);
/* Reads one reply. */
bool mxw__call_link_reply(struct mxw__call_link *link, int64_t deadline_ms, struct mxw__call_reply *ret_reply,
			  struct mxw__call_failure *ret_failure);
/* Says QUIT if that can be done without waiting. */
void mxw__call_link_close(struct mxw__call_link *link);

/* ---- TLS ---- */

/* NULL with MXW_OK: conf->tls is no. */
mxw_status_t mxw__call_tls_new(const struct mxw__directory_conf *conf, SSL_CTX **ret_ctx, struct mxw_error *err);
/* The handshake. What was read before it is thrown away. */
bool mxw__call_tls_start(struct mxw__call_link *link, SSL_CTX *ctx, bool is_verified, const char *host,
			 int64_t deadline_ms, struct mxw__call_failure *ret_failure);
/* Like recv() and send(), without waiting; -1 with *ret_events 0 for an error, else what to wait for. */
ssize_t mxw__call_tls_read(struct mxw__call_link *link, void *data, size_t len, short *ret_events);
ssize_t mxw__call_tls_write(struct mxw__call_link *link, const void *data, size_t len, short *ret_events);
void mxw__call_tls_end(struct mxw__call_link *link);

/* ---- hosts ---- */

struct mxw__call;

struct mxw__call_host {
	struct mxw__call *call;
	const char *text;      /* as in the configuration */
	char name[256];
	uint16_t port;
	size_t rank;           /* position in the configuration */
	struct mxw__call_link probe_link;
	pthread_t prober;
	bool has_prober;
	/* under lock */
	bool is_failed;
	struct mxw__call_failure failure;
	int64_t tried_ms;      /* when it failed last */
	int64_t good_ms;       /* when it came back */
	int64_t pause_ms;
	int64_t plain_until_ms; /* it offers TLS that does not work: not tried until then */
	unsigned unanswered;   /* questions in a row that it did not answer */
};
mxw_status_t mxw__call_hosts_init(struct mxw__call *call, struct mxw_error *err);
mxw_status_t mxw__call_hosts_start(struct mxw__call *call, struct mxw_error *err);
void mxw__call_hosts_fini(struct mxw__call *call);
/* The first that does not fail; NULL if there is none. */
struct mxw__call_host *mxw__call_best_host_locked(struct mxw__call *call);
/* To be called without the lock. Answers all that waits when this was the last one. */
void mxw__call_host_failed(struct mxw__call_host *host, const struct mxw__call_failure *failure);
/* What a look-up gets while every host fails. */
mxw_outcome_t mxw__call_down_locked(const struct mxw__call *call, char *ret_reason, size_t size);

/* ---- the SMTP session ---- */

/* Connects, greets, starts TLS where that is wanted, within conf->connect_timeout_ms. */
bool mxw__call_open(struct mxw__call_link *link, struct mxw__call_host *host, struct mxw__call_failure *ret_failure);
/* Sends one line and reads the reply. */
bool mxw__call_command(struct mxw__call_link *link, int64_t deadline_ms, struct mxw__call_reply *ret_reply,
		       struct mxw__call_failure *ret_failure, const char *fmt, ...) MXW_PRINTF(5, 6);
/* Begins a transaction, ending another. False: the host will have none; `ret_is_lost`: the connection is no good. */
bool mxw__call_begin(struct mxw__call_link *link, bool is_utf8, int64_t deadline_ms, bool *ret_is_lost,
		     struct mxw__call_failure *ret_failure);

/* ---- what hosts do with unlikely recipients, and whom they accept ---- */

typedef enum mxw__call_trust {
	MXW__CALL_NOT_TRIED,
	MXW__CALL_REFUSES_SOME, /* an acceptance means something */
	MXW__CALL_ACCEPTS_ALL,
	MXW__CALL_UNDECIDED     /* it could not be found out a moment ago */
} mxw__call_trust_t;

struct mxw__call_trusts;
struct mxw__call_trusts *mxw__call_trusts_new(void);
void mxw__call_trusts_free(struct mxw__call_trusts *trusts);
mxw__call_trust_t mxw__call_trusts_get(struct mxw__call_trusts *trusts, size_t rank, const char *domain, int64_t now_ms);
void mxw__call_trusts_set(struct mxw__call_trusts *trusts, size_t rank, const char *domain, mxw__call_trust_t trust,
			  int64_t now_ms);
/* Remembers a recipient, as a path, that the host has accepted: the last one of each host and domain. */
void mxw__call_trusts_accept(struct mxw__call_trusts *trusts, size_t rank, const char *domain, const char *path);
/* False: none is known. */
bool mxw__call_trusts_accepted(const struct mxw__call_trusts *trusts, size_t rank, const char *domain,
			       char ret_path[MXW__CALL_ACCEPTED_MAX + 1]);
/* Unless another one has taken its place. */
void mxw__call_trusts_forget(struct mxw__call_trusts *trusts, size_t rank, const char *domain, const char *path);
size_t mxw__call_trusts_count(const struct mxw__call_trusts *trusts);

/* ---- questions ---- */

struct mxw__call_answer {
	mxw_outcome_t outcome;
	bool is_unverifiable;
	bool is_disabled;
	bool is_internal_only;
	char reason[160];
};

struct mxw__call_question {
	uint64_t hash;
	char *path;            /* between < and > */
	char *domain;
	bool is_utf8;
	pthread_cond_t done;
	/* under lock */
	LIST_ENTRY(mxw__call_question) in_table;
	TAILQ_ENTRY(mxw__call_question) in_queue;
	bool is_queued;        /* else with a connection, or done */
	bool is_done;
	unsigned waiters;
	struct mxw__call_answer answer;
	/* of the connection that has it */
	unsigned tries;        /* connections lost over it */
};
TAILQ_HEAD(mxw__call_queue, mxw__call_question);
LIST_HEAD(mxw__call_bucket, mxw__call_question);

/* ---- connections ---- */

struct mxw__call_conn {
	struct mxw__call *call;
	struct mxw__call_link link;
	pthread_t thread;
	bool has_thread;
	/* under lock */
	bool is_idle;
	bool is_open;
	/* of its thread */
	struct mxw__call_host *host;
};
mxw_status_t mxw__call_conn_start(struct mxw__call_conn *conn, struct mxw_error *err);

/* ---- the directory ---- */

enum { MXW__CALL_TABLE = 1024, MXW__CALL_TOLD = 8 };

struct mxw__call {
	const struct mxw__directory_conf *conf;
	const struct mxw_clock *clock;
	struct mxw__noticer noticer;
	struct mxw__hashkey key;
	mxw__jobs_t *jobs;
	SSL_CTX *tls;          /* NULL: not used */
	atomic_int idle_ms;    /* MXW__CALL_IDLE_MS; less in tests */
	size_t nhosts;
	struct mxw__call_host *hosts;
	size_t nconns;
	struct mxw__call_conn *conns;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a host failed or the directory is being closed */
	/* under lock */
	bool is_stopping;
	unsigned nquestions;
	struct mxw__call_queue queue;
	struct mxw__call_bucket table[MXW__CALL_TABLE];
	struct mxw__call_trusts *trusts;
	struct {
		unsigned code;
		int64_t told_ms;
	} told[MXW__CALL_TOLD]; /* complaints about replies, so that each is told once a minute */
	unsigned next_told;
};

/* Milliseconds of real time: sockets do not follow a test's clock. */
int64_t mxw__call_now_ms(void);
/* Ends a question, in no queue, with an answer for all its waiters. */
void mxw__call_finish_locked(struct mxw__call *call, struct mxw__call_question *question,
			     const struct mxw__call_answer *answer);
/* Queues a question, or answers it if every host fails. */
void mxw__call_dispatch_locked(struct mxw__call *call, struct mxw__call_question *question);
/* No host left: answers all that is queued. */
void mxw__call_fail_queue_locked(struct mxw__call *call);
/* Tells of a reply, each code once a minute. To be called without the lock. */
void mxw__call_complain(struct mxw__call *call, const struct mxw__call_host *host, bool is_error,
			const struct mxw__call_reply *reply, const char *what);

#endif
