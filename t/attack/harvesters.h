/* SPDX-License-Identifier: BSD-2-Clause */
/* harvesters.h: those who want to know which names exist. */
#ifndef MXW_T_ATTACK_HARVESTERS_H
#define MXW_T_ATTACK_HARVESTERS_H

#include "t/attack/sim.h"

typedef enum hop {
	HOP_NONE,                /* each bot has its address: five to a /24 */
	HOP_ONE,                 /* one address for all */
	HOP_64,                  /* a new /64 of one /48 for each session */
	HOP_40,                  /* a new /48 of one /40 */
	HOP_32                   /* a new /48 of one /32 */
} hop_t;

struct harvest {
	unsigned nbots;
	int64_t every_ms;        /* sessions of each */
	unsigned guesses;        /* in one session */
	hop_t hop;
	unsigned domains;        /* throwaway domains whose SPF lets the whole world pass; 0: none */
	bool has_names;          /* in the DNS */
	bool retries;            /* what is put off, from the same address, after six to fifteen minutes */
	unsigned known;          /* recipients that are known already, before the guesses of each session, which get a message */
	bool delivers;           /* a message to those that were found; else the session just ends */
	int64_t patience_ms;     /* tries again after about this time, as long as it takes to pass for a server; 0: see above */
};

void harvest_begin(struct sim *sim, const struct harvest *harvest);

#endif
