/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * received.h: whom a mail server says it has a message from.
 *
 * Every kind of mail server writes its Received field in a form of its own, and in most of them words of the client stand beside
 * the server's own: "from HELO (NAME [ADDRESS])". A stranger's HELO may have blanks, parentheses, brackets and
 * addresses, so an address is taken only from the one place where the form has it, and only if the whole field has that form
 * and no other reading. Anything else is not readable: no address is better than one that a stranger wrote.
 *
 *	HELO (NAME [ADDRESS])             Postfix, sendmail, Courier, Haraka, OpenSMTPD, Google, Mimecast, Proofpoint, Barracuda,
 *	                                  FortiMail, Symantec, Stalwart; NAME with IDENT before it or "may be forged" behind it
 *	HELO ([ADDRESS])                  the same without a name; Domino, Kerio, MDaemon, Axigen
 *	HELO (ADDRESS)                    Exchange, qmail
 *	HELO (Not Verified[ADDRESS])      MailMarshal
 *	NAME (HELO word) ([ADDRESS])      Cisco ESA (IronPort), James; (ADDRESS) or (IDENT@ADDRESS): qmail, Haraka, Zimbra (LHLO)
 *	NAME ([ADDRESS]:PORT helo=HELO)   Exim; [ADDRESS] (helo=HELO), [ADDRESS]
 *	NAME ([ADDRESS]:PORT "EHLO HELO" rhost-flags...)    ZMailer
 *	NAME ([ADDRESS] verified)         CommuniGate Pro; [ADDRESS] (HELO word), [ADDRESS] (account USER ...)
 *
 * A server that writes its client's HELO as it came and no address behind it can't be read safely: what it writes, a stranger
 * writes. None of those above does.
 *
 * Who may call: check.
 * Threads: no state.
 * Memory:  results are in the caller's struct. Bounded: a field of more than MXW__RECEIVED_MAX octets is not read.
 * Standards: RFC 5321 section 4.4, RFC 3848 and 6531 (protocol words); the forms themselves are in no standard.
 */
#ifndef MXW_SRC_MAIL_RECEIVED_H
#define MXW_SRC_MAIL_RECEIVED_H

#include "src/mail/mail.h"

enum { MXW__RECEIVED_MAX = 4096, MXW__RECEIVED_NAME_MAX = 255, MXW__RECEIVED_PROTOCOL_MAX = 63 };

typedef enum mxw__received_kind {
	MXW__RECEIVED_CLIENT,     /* from the SMTP client at `address` */
	MXW__RECEIVED_QUEUE,      /* a note of the server's own about its queue: the field below it says more (qmail) */
	MXW__RECEIVED_UNREADABLE
} mxw__received_kind_t;

/* "" for what the field does not have, or has in a way that can't be told apart from other words. */
struct mxw__received {
	mxw__received_kind_t kind;
	struct mxw_ip address;
	char helo[MXW__RECEIVED_NAME_MAX + 1];
	char name[MXW__RECEIVED_NAME_MAX + 1];  /* what the server found for the address; not verified */
	char by[MXW__RECEIVED_NAME_MAX + 1];
	char protocol[MXW__RECEIVED_PROTOCOL_MAX + 1];
	bool is_authenticated;    /* the client has logged in */
};

/* Reads the value of a field, folded or not. */
void mxw__received_parse(const char *value, struct mxw__received *ret_received);

/* ---- parts of it: received_items.c ---- */

/* A part of the field. */
struct mxw__span {
	const char *s;
	size_t len;
};

typedef enum mxw__item_kind {
	MXW__ITEM_WORD,
	MXW__ITEM_COMMENT,
	MXW__ITEM_ANGLE,     /* in angle brackets */
	MXW__ITEM_SEMICOLON,
	MXW__ITEM_END,
	MXW__ITEM_BAD        /* what begins and does not end, or hides its end */
} mxw__item_kind_t;

struct mxw__item {
	mxw__item_kind_t kind;
	struct mxw__span text; /* without parentheses or angle brackets */
};

/* The next part from `*s` on, which is moved behind it. */
struct mxw__item mxw__item_next(const char **s);
bool mxw__item_is_word(const struct mxw__item *item, const char *word);

/* ---- received_host.c ---- */

/* What a comment behind "from HOST" is. */
typedef enum mxw__received_comment {
	MXW__RECEIVED_HOST,       /* has the client's address, at its end or as a whole */
	MXW__RECEIVED_HOST_FIRST, /* has the client's address at its beginning; the HELO name may follow */
	MXW__RECEIVED_HELO,       /* HELO word, EHLO word, LHLO word */
	MXW__RECEIVED_ACCOUNT,    /* account USER ...: CommuniGate */
	MXW__RECEIVED_EXIM,       /* helo=..., port=..., ident=... */
	MXW__RECEIVED_OTHER,      /* of TLS or authentication */
	MXW__RECEIVED_UNKNOWN
} mxw__received_comment_t;

/* `ret_name` and `ret_helo` are filled in where the comment has them; `ret_ip` for the first two. */
mxw__received_comment_t mxw__received_comment(struct mxw__span comment, struct mxw_ip *ret_ip, struct mxw__span *ret_name,
					      struct mxw__span *ret_helo);
/* "[192.0.2.1]", "[IPv6:2001:db8::1]" and, unless `is_bracketed`, the same without brackets. Zones of scoped addresses are dropped. */
bool mxw__received_address(struct mxw__span text, bool is_bracketed, struct mxw_ip *ret_ip);
bool mxw__span_is(struct mxw__span span, const char *word);
bool mxw__span_begins(struct mxw__span span, const char *words);
bool mxw__span_has(struct mxw__span span, const char *word);

#endif
