/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redisd.h: a real Redis server of a test's own, on a free port of loopback, with TLS on another, and on a unix socket.
 *
 * Anybody may do anything there as the default user; user "mxward", password "opensesame", may do what mxward(8) says it needs, below
 * the prefix "mxward:". What it has is lost when it is killed, unless it keeps its data.
 */
#ifndef MXW_T_FAKES_REDISD_H
#define MXW_T_FAKES_REDISD_H

#include <stdbool.h>
#include <sys/types.h>

#include "t/fakes/scratch.h"

struct redisd {
	struct scratch scratch;
	pid_t pid;              /* 0: not running */
	bool keeps_data;        /* over restarts; in force with the next start */
	unsigned port, tls_port;
	char server[64];        /* 127.0.0.1:PORT */
	char tls_server[64];    /* the certificate is for 127.0.0.1 */
	char wrong_name_server[64]; /* localhost:TLSPORT, for which the certificate is not */
	char unix_server[128];  /* unix:PATH */
	char ca_file[128];
	char password_file[128];
};

/* Starts it. Ends the test program with a message when redis-server is missing or does not start. */
void redisd_init(struct redisd *redisd);
void redisd_start(struct redisd *redisd);
void redisd_kill(struct redisd *redisd);
/* SIGSTOP, SIGCONT. */
void redisd_signal(struct redisd *redisd, int sig);
void redisd_fini(struct redisd *redisd);

/* Runs one command as the default user and returns its reply as text, "" for nil, to be freed; array elements end in a newline each. */
char *redisd_ask(struct redisd *redisd, const char *const *argv);
#define REDISD_ASK(redisd, ...) redisd_ask(redisd, (const char *const[]){__VA_ARGS__, NULL})

#endif
