/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status.h: what a function of libmxward returns, and what a look-up may find.
 *
 * Threads: plain values, no state.
 * Errors:  success outputs of a function are called ret_* and are untouched when it fails; details
 *          go into the caller's struct mxw_error, which may be NULL wherever it is taken.
 */
#ifndef MXWARD_STATUS_H
#define MXWARD_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mxw_status {
	MXW_OK = 0,
	MXW_ERR_NOMEM,   /* out of memory */
	MXW_ERR_INVALID, /* the input does not have the syntax asked for */
	MXW_ERR_LIMIT,   /* a documented bound was reached */
	MXW_ERR_CONF,    /* the configuration is wrong: a person has to change it */
	MXW_ERR_SYSTEM,  /* the system refused; trying again later may help */
	MXW_ERR_USAGE    /* called in a state in which this call has no meaning */
} mxw_status_t;

/* The four outcomes of every look-up. They are never merged into one another. */
typedef enum mxw_outcome {
	MXW_FOUND = 0,
	MXW_NOT_FOUND,    /* the source answered: there is no such thing */
	MXW_TEMPORARY,    /* no answer in time, or the source is unwell: nothing is known */
	MXW_MISCONFIGURED /* the source can't be asked until a person changes something */
} mxw_outcome_t;

#define MXW_ERROR_TEXT_MAX 512
#define MXW_ERROR_FILE_MAX 256

/* Details of a failure. `file`, `line` and `column` are "" and 0 where nothing was read from a file. */
struct mxw_error {
	mxw_status_t status;
	unsigned line;
	unsigned column;
	char file[MXW_ERROR_FILE_MAX];
	char text[MXW_ERROR_TEXT_MAX];
};

/* A word for a status ("out of memory") or an outcome ("found"). Static, never NULL. */
const char *mxw_status_name(mxw_status_t status);
const char *mxw_outcome_name(mxw_outcome_t outcome);

/* The release of the library that is running, for example "0.1.0". */
const char *mxw_version(void);

#ifdef __cplusplus
}
#endif
#endif
