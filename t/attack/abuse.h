/* SPDX-License-Identifier: BSD-2-Clause */
/* abuse.h: attackers who want something else than names. */
#ifndef MXW_T_ATTACK_ABUSE_H
#define MXW_T_ATTACK_ABUSE_H

#include "t/attack/sim.h"

/* One client that begins messages and gives them up, or says what is no command, as fast as it is answered. */
void flood_of_aborts_begin(struct sim *sim);
void flood_of_unknown_begin(struct sim *sim);
/* 200 clients in 40 networks that come to the backup MX and never to the primary, with mail for people whom they know. */
void backup_first_begin(struct sim *sim);
/* Somebody has a user's password, and sends as fast as he is answered: to ten recipients each, or to many, from many networks. */
void stolen_account_begin(struct sim *sim);

/* What is to be true in the end; prints what is. */
bool flood_is_stopped(const struct sim *sim);
bool backup_first_has_earned(const struct sim *sim);
bool stolen_account_is_stopped(const struct sim *sim);

#endif
