/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_signer.h: a DKIM signer that shares no code with what it tests, and signs anything: the field is written by the caller.
 *
 * A template is the value of a DKIM-Signature field with @BH@ where the body hash goes and @B@ where the signature goes; @B/N@
 * folds the signature each N characters. What it reads of the template itself is a=, c=, h= and l=.
 *
 * Threads: no state.
 * Memory:  what is returned is the caller's to free.
 * Errors:  aborts.
 * Standards: RFC 6376 sections 3.4, 3.5 and 3.7, RFC 8463.
 */
#ifndef MXW_T_FAKES_DKIM_SIGNER_H
#define MXW_T_FAKES_DKIM_SIGNER_H

#include <stddef.h>

/* `fields` are "Name:value" with CRLF in folds only, in the message's order. Returns the field, with its name. */
char *dkim_signer_sign(const char *pem, const char *template, const char *const *fields, size_t nfields, const char *body,
		       size_t len);

#endif
