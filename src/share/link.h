/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h: one connection to one Redis: commands out, replies in. hiredis makes the one and reads the other; the socket is ours, so that each
 * wait has its own end, and TLS is OpenSSL's, whatever hiredis was built with.
 *
 * Who may call: share.
 * Threads: one owner at a time.
 * Memory:  what waits to be sent is bounded, and so is a reply: its octets and its elements are counted while it is read.
 * Errors:  a function that returns false has put the reason into link->why; the connection is then of no more use.
 * Standards: Redis serialization protocol, version 2.
 */
#ifndef MXW_SRC_SHARE_LINK_H
#define MXW_SRC_SHARE_LINK_H

#include <hiredis/hiredis.h>
#include <openssl/ssl.h>

#include "src/base/base.h"

enum {
	MXW__LINK_WHY_MAX = 200,
	MXW__LINK_OUT_MAX = 4 << 20,
	MXW__LINK_REPLY_MAX = 512 << 10,
	MXW__LINK_ELEMENTS_MAX = 16384
};

struct mxw__link_server {
	char text[280];         /* as written in the settings */
	char host[256];         /* or a path */
	uint16_t port;          /* 0: it is a path */
};

struct mxw__link {
	int wake_fd;            /* borrowed; readable: somebody wants something */
	int fd;                 /* -1: not connected */
	SSL *ssl;
	redisReader *reader;
	redisReplyObjectFunctions functions;
	const redisReplyObjectFunctions *default_functions; /* hiredis' own */
	size_t nelements;       /* of the reply that is being read */
	struct mxw__buf out;
	size_t nsent;           /* of it */
	short want_events;      /* what TLS waits for, beside input */
	char why[MXW__LINK_WHY_MAX];
};

void mxw__link_init(struct mxw__link *link, int wake_fd);
/* Closes it. May be called again. */
void mxw__link_close(struct mxw__link *link);
static inline bool mxw__link_is_open(const struct mxw__link *link) { return link->fd >= 0; }

/* On whose behalf it is connected; both may end it. */
struct mxw__link_owner {
	bool (*is_cancelled)(void *ctx);     /* asked after each wait */
	/*
	 * Told before and after a name is looked up, which may take as long as the system's resolver likes. False: no further. In between nothing is
	 * touched but the link's server.
	 */
	bool (*set_looking_up)(void *ctx, bool is_looking_up);
	void *ctx;
};

/* Looks the name up, and connects until `deadline_ms` (of the system's monotonic clock). `tls` may be NULL. */
bool mxw__link_connect(struct mxw__link *link, const struct mxw__link_server *server, SSL_CTX *tls, int64_t deadline_ms,
		       const struct mxw__link_owner *owner);

/* Puts a command behind those that wait to be sent. */
bool mxw__link_command(struct mxw__link *link, size_t argc, const char *const *argv, const size_t *lens);
/* Waits for something to do: input, room for output, the wake-up; at most so long. What woke it up is taken away. */
void mxw__link_wait(struct mxw__link *link, int64_t timeout_ms);
/* Sends and reads what can be, without waiting. */
bool mxw__link_work(struct mxw__link *link);
/* The next reply that is complete, to be freed with freeReplyObject(); NULL if there is none yet. */
bool mxw__link_next(struct mxw__link *link, redisReply **ret_reply);

/* ---- tls.c ---- */

/* NULL: `ret_why` says why not. Certificates of servers must be valid, and for the host named. */
SSL_CTX *mxw__link_tls_new(const char *ca_file, const char *certificate_file, const char *key_file,
			   char ret_why[MXW__LINK_WHY_MAX]);
bool mxw__link_tls_begin(struct mxw__link *link, SSL_CTX *tls, const char *host);
/* One step of the handshake. 1: done. 0: wait for `want_events`. -1: refused, and `why` says it. */
int mxw__link_tls_shake(struct mxw__link *link);
/* As recv() and send(); -1 with errno EAGAIN sets `want_events`. */
ssize_t mxw__link_tls_read(struct mxw__link *link, void *data, size_t len);
ssize_t mxw__link_tls_write(struct mxw__link *link, const void *data, size_t len);
/* Without TLS nothing of OpenSSL is called. */
void mxw__link_tls_end(struct mxw__link *link);

#endif
