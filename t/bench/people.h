/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * people.h: who is in the directory of the recipients' benchmark, and who is not.
 *
 * Who may call: rcptbench and bareldap, so that both ask the same questions.
 * Threads: no state but the caller's.
 */
#ifndef MXW_T_BENCH_PEOPLE_H
#define MXW_T_BENCH_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PEOPLE_DOMAIN "bench.example"
#define PEOPLE_SUFFIX "dc=bench,dc=example"

enum { PEOPLE_ADDRESS_MAX = 80 };

/* "jonas.baker17@bench.example": person number `n` has this address and no other. */
void people_address(unsigned n, char ret_address[PEOPLE_ADDRESS_MAX]);
/* An address of the same look that nobody has. */
void people_stranger(unsigned n, char ret_address[PEOPLE_ADDRESS_MAX]);
/* The entry of person number `n`, with an empty line behind it. */
void people_write_ldif(FILE *out, unsigned n);

/* A small generator of numbers that look random: the same seed gives the same questions. */
uint32_t people_random(uint64_t *state);
/* One question: someone of the first `npeople`, one in ten is a stranger. True: a person. */
bool people_ask(uint64_t *state, unsigned npeople, char ret_address[PEOPLE_ADDRESS_MAX]);

#endif
