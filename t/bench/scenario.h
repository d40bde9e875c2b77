/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario.h: what the clients of the load do: kinds of SMTP sessions, how often each comes, and messages.
 *
 * A scenario file has one line for each kind of session; a line that starts with '#' is a comment:
 *
 *     NAME weight=3 client=198.18.%h.%l ptr=mail.example.net helo=mail.example.net \
 *          sender=<a%d@example.net> rcpt=<a@example.org>,!<b@example.org> message=FILE unknown=1 expect=accept
 *
 * (on one line). weight: how many of the sum of weights. A recipient after '!' is one that the MTA itself refuses.
 * message: a file beside the scenario, or '-': the client leaves after the recipients. unknown: commands the
 * MTA does not know, before MAIL. expect: accept, discard or the code of the refusal; counted, not enforced.
 * In client, ptr, helo, sender and rcpt stand %d for the number of the session, %m for that of the message,
 * %h and %l for the two low octets of the session's number, %% for itself.
 *
 * Threads: immutable after it was read.
 * Memory:  the scenario owns its rows and messages.
 */
#ifndef MXW_T_BENCH_SCENARIO_H
#define MXW_T_BENCH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mload_header {
	const char *name;
	const char *value; /* after the colon, leading blanks included, folds as LF */
};

struct mload_message {
	char *path;
	char *text; /* what the header fields point into */
	struct mload_header *headers;
	size_t nheaders;
	unsigned char *body; /* lines end with CRLF, as on the wire */
	size_t body_len;
};

/* What the client saw of a message, as a number: a refusal's code or one of these. */
#define MLOAD_OUTCOME_NONE 0
#define MLOAD_OUTCOME_ACCEPT 250
#define MLOAD_OUTCOME_DISCARD 251

struct mload_row {
	char *name;
	unsigned weight;
	char *client;
	char *ptr;
	char *helo;
	char *sender;
	char **rcpts; /* with the '!' */
	size_t nrcpts;
	const struct mload_message *message; /* NULL: the client leaves after the recipients */
	unsigned unknowns;
	int expect; /* MLOAD_OUTCOME_NONE: anything */
};

struct mload_scenario {
	struct mload_row *rows;
	size_t nrows;
	struct mload_message **messages;
	size_t nmessages;
	unsigned *schedule; /* row numbers, each as often as its weight, in an order that the seed decides */
	size_t nschedule;
};

/* What makes up the one kind of session of a scenario without a file. */
struct mload_simple {
	const char *client;
	const char *helo;
	const char *sender;
	const char *rcpts;  /* separated by commas */
	const char *corpus; /* directory of *.eml files, used in turn; NULL: one message of `size` octets */
	size_t size;
	unsigned unknowns;
};

/* Both say what is wrong on standard error and return NULL. */
struct mload_scenario *mload_scenario_read(const char *path, unsigned seed);
struct mload_scenario *mload_scenario_simple(const struct mload_simple *simple, unsigned seed);
void mload_scenario_free(struct mload_scenario *scenario);

/* Reads a message with LF or CRLF line ends. NULL with a complaint on standard error. */
struct mload_message *mload_message_read(const char *path);
/* Takes over `text`, which is NUL-terminated. */
struct mload_message *mload_message_new(const char *path, char *text, size_t len);
void mload_message_free(struct mload_message *message);

/* Writes the template with its numbers filled in, cut to `size`. Returns `ret`. */
char *mload_expand(const char *format, unsigned session, unsigned message, char *ret, size_t size);

/* Chance that a seed repeats (splitmix64, Steele, Lea and Flood 2014). */
uint64_t mload_random(uint64_t *state);

#endif
