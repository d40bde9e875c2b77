/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtpd.h: an SMTP server that behaves as well or as badly as a test wants, on 127.0.0.1. It takes no message: DATA and
 * whatever a call-ahead has no use for is counted.
 *
 * Threads: one for each connection; the settings may be changed while it runs.
 */
#ifndef MXW_T_FAKES_SMTPD_H
#define MXW_T_FAKES_SMTPD_H

#include <stdatomic.h>
#include <stdbool.h>

struct smtpd;

enum smtpd_mode {
	SMTPD_ANSWER,         /* as set below */
	SMTPD_MUTE,           /* accepts connections and says nothing, not even hello */
	SMTPD_HANG_UP,        /* closes each connection at once */
	SMTPD_RCPT_SILENT,    /* no reply to RCPT */
	SMTPD_RCPT_DROP,      /* closes the connection on RCPT */
	SMTPD_RCPT_HALF,      /* half a reply, and nothing more */
	SMTPD_RCPT_HALF_DROP, /* half a reply, and the end */
	SMTPD_RCPT_ENDLESS,   /* lines and lines of one reply */
	SMTPD_RCPT_HUGE,      /* one line without an end */
	SMTPD_RCPT_DRIP,      /* an octet now and then */
	SMTPD_RCPT_TWICE      /* "550 5.1.1" after the reply, unasked */
};

enum smtpd_tls {
	SMTPD_TLS_NONE,
	SMTPD_TLS_GOOD,
	SMTPD_TLS_REFUSED, /* offered; 454 to STARTTLS */
	SMTPD_TLS_BROKEN,  /* 220, then what is no TLS */
	SMTPD_TLS_MUTE,    /* 220, then nothing */
	SMTPD_TLS_JUNK     /* "250" replies in the clear behind the 220, then good TLS */
};

/* Whole replies without the last CRLF; NULL: the usual one. */
struct smtpd_settings {
	_Atomic enum smtpd_mode mode;
	_Atomic enum smtpd_tls tls;
	_Atomic(const char *) greeting, ehlo, helo, mail, rset;
	atomic_bool has_smtputf8;
	atomic_int delay_ms;       /* of the reply to RCPT */
	atomic_bool is_held;       /* no reply to RCPT while this is set */
	atomic_int max_rcpts;      /* in a transaction, 452 after them; 0: any number */
	atomic_int max_mails;      /* on a connection, 421 after them; 0: any number */
	atomic_int drops;          /* so many RCPT close their connection, then mode counts */
};

struct smtpd_counts {
	atomic_uint connections, open, open_most;
	atomic_uint ehlos, mails, rcpts, rsets, quits, handshakes;
	atomic_uint others;        /* commands that a call-ahead must not send */
};

/* Ends the test program when it can't be started. */
struct smtpd *smtpd_start(void);
void smtpd_stop(struct smtpd *server);
struct smtpd_settings *smtpd_settings(struct smtpd *server);
struct smtpd_counts *smtpd_counts(struct smtpd *server);
/* "127.0.0.1:PORT". Borrowed. */
const char *smtpd_host(const struct smtpd *server);
/*
 * The reply to RCPT for a local part that begins with `start`; the first that fits counts, "550 5.1.1 no such user" if
 * none does. At most 16; the strings are borrowed. Replaces one that is there.
 */
void smtpd_rcpt(struct smtpd *server, const char *start, const char *reply);
/* Has this stood in a command line? */
bool smtpd_heard(struct smtpd *server, const char *part);
/* Closes every connection, as a server does with idle ones. */
void smtpd_drop_all(struct smtpd *server);
/* A file with its certificate, for 127.0.0.1. Borrowed. */
const char *smtpd_ca_file(const struct smtpd *server);

#endif
