/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread.h: the inside of share.h.
 *
 * The thread connects (greet.c: who we are, the scripts, whether Redis still has its data), and then goes round: push.c, pull.c. Each
 * command that was sent stands in a ring, with what its reply is for; replies come in the same order.
 */
#ifndef MXW_SRC_SHARE_THREAD_H
#define MXW_SRC_SHARE_THREAD_H

#include <stdatomic.h>

#include "src/share/link.h"
#include "src/share/share.h"

enum {
	MXW__SHARE_RING = 4096,         /* commands without a reply so far */
	MXW__SHARE_WISHES_MAX = 1024,   /* of sessions, that wait to be sent */
	MXW__SHARE_BATCH = 32,          /* records pushed at once: what is asked behind them waits for all of them */
	MXW__SHARE_CHANGES = 32,        /* fetched at once */
	MXW__SHARE_ARGS_MAX = 10 + 3 * MXW__STATE_FIELDS_MAX,
	MXW__SHARE_KEY_MAX = MXW__REDIS_PREFIX_MAX + 64 + MXW__STATE_KEY_MAX,
	MXW__SHARE_ID_MAX = 20,
	MXW__SHARE_ASKED = 8192,        /* keys asked lately; a power of two */
};

/* ---- settings.c ---- */

/* The section redis, made ready; its own copy of everything. Immutable but for the owner's end. */
struct mxw__share_settings {
	size_t nservers;
	struct mxw__link_server servers[MXW__REDIS_SERVERS_MAX];
	char *user, *password;          /* secrets */
	unsigned database;
	char prefix[MXW__REDIS_PREFIX_MAX + 1];
	bool wants_tls;
	SSL_CTX *tls;                   /* NULL where it is not wanted, or can't be had: then why_no_tls says why */
	char why_no_tls[MXW__LINK_WHY_MAX];
	int64_t wait_ms, timeout_ms, connect_timeout_ms, retry_ms, push_interval_ms;
};

/* NULL without memory. */
struct mxw__share_settings *mxw__share_settings_new(const struct mxw__redis_conf *conf);
void mxw__share_settings_free(struct mxw__share_settings *settings);
/* Frees what is OpenSSL's. NULL is allowed. */
void mxw__share_settings_end_tls(struct mxw__share_settings *settings);

/* ---- asked.c ---- */

/* Which keys were asked for lately. A bounded table: of many, some are forgotten early and asked for again. */
struct mxw__share_asked {
	struct mxw__hashkey hashkey;
	struct {
		uint64_t hash;
		int64_t at_ms;
	} slots[MXW__SHARE_ASKED];
};

void mxw__share_asked_init(struct mxw__share_asked *asked);
/* False if it was asked for lately; else it is now. */
bool mxw__share_asked_note(struct mxw__share_asked *asked, size_t state, const char *key, int64_t now_ms);

/* ---- what goes between sessions and the thread ---- */

/* One step's keys. Counted: by the session while it waits, and by the thread. */
struct mxw__share_wish {
	struct mxw__share_wish *next;
	unsigned refs;                  /* guarded by the share's mutex, as the next */
	bool is_done;
	pthread_cond_t done;
	size_t n;
	struct {
		size_t state;
		char key[MXW__STATE_KEY_MAX];
	} keys[];
};

/* What the reply to a command is for. */
struct mxw__share_expected {
	enum { MXW__EXPECT_PUSH, MXW__EXPECT_WISH, MXW__EXPECT_CHANGES, MXW__EXPECT_EPOCH } kind;
	size_t index;                   /* of the record in the batch, or of the state */
	struct mxw__share_wish *wish;
	int64_t sent_ms;
};

struct mxw__share_push {
	size_t state;
	uint64_t number;                /* by which the script knows that it has seen it */
	bool is_over;
	struct mxw__state_record record;
};

/* How far the index of changes of a sort has been read. */
struct mxw__share_reading {
	bool is_asked;                  /* and not answered yet */
	long long from, next_from;      /* in Redis' time */
	unsigned offset;
};

typedef enum mxw__share_script { MXW__SCRIPT_MERGE, MXW__SCRIPT_FETCH, MXW__SCRIPT_CHANGES, MXW__SCRIPTS } mxw__share_script_t;
/* script.c */
extern const char *const mxw__share_scripts[MXW__SCRIPTS];

struct mxw__share {
	struct mxw_clock clock;         /* immutable, as the next */
	void (*notice)(void *ctx, const char *text);
	void *notice_ctx;
	size_t nstates;
	struct mxw__state states[MXW__STATE_SORTS_MAX];
	int wake_fd;
	char id[MXW__SHARE_ID_MAX];     /* of this host, and this start of it */
	pthread_t thread;
	bool has_thread;                /* new, configure and free only */
	atomic_bool is_up, is_prompt, is_stopping;
	_Atomic int64_t wait_ms;
	_Atomic uint64_t pushed, pulled, late, longest_us, failed, dropped;
	pthread_mutex_t mutex;          /* guards the next; a leaf */
	pthread_cond_t changed;         /* a flush is done, the thread has stopped */
	bool is_on, is_looking_up, has_stopped, is_abandoned;
	struct mxw__share_settings *next_settings; /* to be taken over by the thread */
	struct mxw__share_asked asked;
	struct mxw__share_wish *first, **last;
	size_t nwishes;
	unsigned flushes_wanted, flushes_done, round_flushes; /* asked for in all, over, and before the latest round began */
	char server[256];
	/* The thread's own. */
	struct mxw__share_settings *settings;
	struct mxw__link link;
	size_t current;                 /* of the servers */
	unsigned tried;                 /* servers in a row, without success */
	int64_t retry_at_ms, pause_ms, up_since_ms, away_since_ms, look_back_ms, stop_at_ms; /* the last: of the last push */
	bool is_told_away, is_told_why; /* the second: what it is told to be, after it was another thing at first */
	char told_why[MXW__LINK_WHY_MAX];
	int64_t told_ms;
	char told_server[280];
	char sha[MXW__SCRIPTS][48];
	char epoch[MXW__SHARE_ID_MAX];  /* of the data in Redis; "" before it was seen */
	char own_epochs[MXW__REDIS_SERVERS_MAX][MXW__SHARE_ID_MAX]; /* what a server without one is told; "" when it is in force */
	struct mxw__share_expected ring[MXW__SHARE_RING];
	size_t ring_first, ring_n;
	struct mxw__share_push batch[MXW__SHARE_BATCH];
	struct mxw__state_record taken[MXW__SHARE_BATCH];
	size_t nbatch, nover;
	size_t next_state;              /* where the next batch begins to look */
	uint64_t number;
	int64_t next_push_ms, full_at_ms;
	bool is_in_round;
	uint64_t nsent, nanswered, round_end; /* commands in all; so many were sent when the round was over */
	struct mxw__share_reading readings[MXW__STATE_SORTS_MAX];
};

/* ---- thread.c ---- */

void *mxw__share_main(void *share);
int64_t mxw__share_steady_ms(void);
int64_t mxw__share_wall_ms(const mxw__share_t *share);
void mxw__share_wake(mxw__share_t *share);
bool mxw__share_is_stopping(void *share);
/* Beginning: false when it is stopping. Ended: false as well, and then only share.is_abandoned may be looked at. */
bool mxw__share_set_looking_up(void *share, bool is_looking_up);
/* Sends EVALSHA: the script's name and the number of keys go before `argv`. */
bool mxw__share_eval(mxw__share_t *share, mxw__share_script_t script, size_t nkeys, size_t argc, const char *const *argv);
/* Notes what the command just put together is for. False: there are too many without a reply, see link.why. */
bool mxw__share_expect(mxw__share_t *share, struct mxw__share_expected expected);

/* ---- share.c ---- */

/* The wish has been answered, or will not be. */
void mxw__share_end_wish(mxw__share_t *share, struct mxw__share_wish *wish);
void mxw__share_destroy(mxw__share_t *share);

/* ---- greet.c ---- */

/* Says who we are and loads the scripts, until `deadline_ms`. False: link.why says why the server does not serve. */
bool mxw__share_greet(mxw__share_t *share, int64_t deadline_ms);
/* For the log: the reply is an error that says nothing of a record but of the server. */
bool mxw__share_is_refusal(const redisReply *reply);
bool mxw__share_send_probe(mxw__share_t *share);
/* False: the data is not what it was. */
bool mxw__share_on_probe(mxw__share_t *share, const redisReply *reply);

/* ---- push.c ---- */

/* To be called with every new connection: what had no reply goes once more. */
bool mxw__share_push_again(mxw__share_t *share);
/* Takes and sends what is due; nothing before what was sent for the last time is answered. */
bool mxw__share_push(mxw__share_t *share);
/* Some of it is without a reply. */
bool mxw__share_is_pushing(const mxw__share_t *share);
/* Somebody waits for a flush, and no round has begun since. */
bool mxw__share_is_flush_wanted(mxw__share_t *share);
/* Says so to who waits for it, if the round is over and answered. */
void mxw__share_end_flush(mxw__share_t *share);
void mxw__share_on_push(mxw__share_t *share, size_t index, const redisReply *reply);
/* All that can be told again without harm is to be pushed; sums only by the one host that tells them for all. */
void mxw__share_mark_all(mxw__share_t *share, bool with_sums);
/* At the end: what is in hand goes back to whom it was taken from. */
void mxw__share_give_back(mxw__share_t *share);

/* ---- pull.c ---- */

/* Sends what sessions want. */
bool mxw__share_pull(mxw__share_t *share);
void mxw__share_on_wish(mxw__share_t *share, struct mxw__share_wish *wish, const redisReply *reply);
/* Asks for what has changed of the sorts of which everything is wanted. */
bool mxw__share_ask_changes(mxw__share_t *share);
bool mxw__share_on_changes(mxw__share_t *share, size_t state, const redisReply *reply);
/* From the beginning. */
void mxw__share_read_all_again(mxw__share_t *share);

/* ---- record.c ---- */

/* The name of a record, or, with key NULL, the index of changes of the sort. */
void mxw__share_name(const mxw__share_t *share, size_t state, const char *key, char ret_name[MXW__SHARE_KEY_MAX]);
/* The key in such a name; NULL if it is none of that sort. */
const char *mxw__share_key_in(const mxw__share_t *share, size_t state, const char *name);

/* Arguments of the merge script, in memory of their own. */
struct mxw__share_args {
	size_t n;
	const char *v[MXW__SHARE_ARGS_MAX];
	size_t nused;
	char text[MXW__SHARE_ARGS_MAX][40];
	char name[MXW__SHARE_KEY_MAX], index[MXW__SHARE_KEY_MAX], words[MXW__STATE_TEXT_MAX];
};
/* Returns how many of them are keys. */
size_t mxw__share_record_args(const mxw__share_t *share, const struct mxw__share_push *push, struct mxw__share_args *ret_args);
/* From the names and values that a script has given, and Redis' time. False: there is nothing of that key. */
bool mxw__share_record_read(const mxw__share_t *share, size_t state, const char *key, long long now, const redisReply *pairs,
			    struct mxw__state_record *ret_record);

#endif
