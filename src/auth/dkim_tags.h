/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_tags.h: the tag lists of DKIM-Signature fields and of key records.
 *
 * Who may call: dkim_sig.c, dkim_key.c.
 * Threads: no state.
 * Memory:  a struct of the caller's; it is large.
 * Standards: RFC 6376 section 3.2.
 */
#ifndef MXW_SRC_AUTH_DKIM_TAGS_H
#define MXW_SRC_AUTH_DKIM_TAGS_H

#include "src/auth/dkim_sig.h"

/* The tags that matter, of signatures and of keys. */
enum mxw__dkim_tag {
	TAG_V, TAG_A, TAG_B, TAG_BH, TAG_C, TAG_D, TAG_H, TAG_I, TAG_K, TAG_L, TAG_P, TAG_Q, TAG_S, TAG_T, TAG_X, NTAGS
};

enum { MXW__DKIM_MAX_UNKNOWN = 32 };

/* Values without any blanks, one behind the other in `buf`. */
struct mxw__dkim_tags {
	const char *value[NTAGS]; /* NULL: absent */
	int first;                /* the tag that comes first; -1 if it is none of these */
	bool is_odd;              /* libopendkim would take the wrong tag for b= */
	bool is_beyond_ascii;     /* reading stopped at an octet that is not in ASCII */
	unsigned nunknown;
	const char *unknown[MXW__DKIM_MAX_UNKNOWN]; /* names of other tags, in the text */
	size_t unknown_len[MXW__DKIM_MAX_UNKNOWN];
	size_t used;
	char buf[MXW__DKIM_MAX_FIELD + NTAGS];
};

/* False if it is no tag list, or one that libopendkim would read in another way. What was read until then is kept. */
bool mxw__dkim_tags_read(struct mxw__dkim_tags *tags, const char *text, size_t len);

/* Is the word in a list with colons? Without case. */
bool mxw__dkim_list_has(const char *list, const char *word);

bool mxw__dkim_is_base64(const char *s);

#endif
