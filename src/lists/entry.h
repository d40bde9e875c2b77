/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry.h: what stands on a list that the postmaster keeps: an address, a network, a name, all names below one, or a mailbox; until
 * when, by whom and why.
 *
 * Who may call: lists, session, conf, and the public interface behind mxwardctl.
 * Threads: pure functions.
 */
#ifndef MXW_SRC_LISTS_ENTRY_H
#define MXW_SRC_LISTS_ENTRY_H

#include "src/base/base.h"

/* What a list may have; the words of the option `kind`, in this order. */
typedef enum mxw__list_kind { MXW__LIST_ANY, MXW__LIST_ADDRESSES, MXW__LIST_NAMES } mxw__list_kind_t;

enum {
	MXW__LIST_ENTRY_MAX = 256,   /* of an entry as text, with its NUL */
	MXW__LIST_AUTHOR_MAX = 64,
	MXW__LIST_REASON_MAX = 160,
	MXW__LIST_KEY_MAX = 260,
	MXW__LIST_TIME_MAX = 80,
	MXW__LIST_COMPLAINT_MAX = 120
};

typedef enum mxw__list_key_type {
	MXW__LIST_KEY_IPV4 = 4,
	MXW__LIST_KEY_IPV6 = 6,
	MXW__LIST_KEY_NAME = 'n',
	MXW__LIST_KEY_BELOW = 'b',
	MXW__LIST_KEY_MAILBOX = 'm'
} mxw__list_key_type_t;

/* What is compared, octet by octet: the type; of a network the number of bits and its octets, those beyond the prefix 0; else the name. */
struct mxw__list_key {
	size_t len;
	uint8_t data[MXW__LIST_KEY_MAX];
};

/* A line of a file, or what was added while running. Texts are "" where nothing was said. */
struct mxw__list_line {
	struct mxw__list_key key;
	char entry[MXW__LIST_ENTRY_MAX];     /* as mxw__list_entry_parse() writes it */
	int64_t until_ms;                    /* wall time from which on it does not count; 0: for good */
	char author[MXW__LIST_AUTHOR_MAX];
	char reason[MXW__LIST_REASON_MAX];
};

/*
 * Reads an entry: "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "example.net", ".example.net" or "*.example.net" (all names below it, not
 * itself), "anna@example.net". `ret_entry` gets the one form in which it is shown and kept. NULL, or what is wrong with it (static).
 */
const char *mxw__list_entry_parse(const char *text, size_t len, mxw__list_kind_t kind, struct mxw__list_key *ret_key,
				  char ret_entry[MXW__LIST_ENTRY_MAX]);

/* The keys under which something is looked for. */
void mxw__list_key_of_ip(const struct mxw_ip *ip, unsigned bits, struct mxw__list_key *ret_key);
/* `name` in A-labels; false if it is too long. */
bool mxw__list_key_of_name(mxw__list_key_type_t type, const char *name, size_t len, struct mxw__list_key *ret_key);

/* "2026-12-31" (to the end of that day) or "2026-12-31T18:00:00Z", in UTC. False if it is no time, or before 1970. */
bool mxw__list_time_parse(const char *text, size_t len, int64_t *ret_ms);
/* As the longer form, or "" for 0. Returns `ret_text`. */
char *mxw__list_time_format(int64_t ms, char ret_text[MXW__LIST_TIME_MAX]);

/* An author or reason that can be kept: UTF-8 without controls, and short enough. */
bool mxw__list_text_is_good(const char *text, size_t max);

/*
 * Reads a line of a list: ENTRY [until=TIME] [by=AUTHOR] [reason="TEXT"] [# ...]. `ret_complaint` gets "" if it is a good one or has no entry
 * (false then), else what is wrong.
 */
bool mxw__list_line_parse(const char *line, size_t len, mxw__list_kind_t kind, struct mxw__list_line *ret_line,
			  char ret_complaint[MXW__LIST_COMPLAINT_MAX]);

#endif
