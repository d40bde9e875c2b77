/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/track/guessed.h"
#include "src/track/unions.h"

enum { KIND_GUESS = 'g', KIND_PLACE = 'p', PLACES = 4 };

struct mxw__guessed {
	mxw__unions_t *unions;
};

static void forget_own(void *ctx, const struct mxw__key *who, char kind)
{
	(void)kind;
	mxw__harvest_forgive(ctx, who);
}

mxw_status_t mxw__guessed_new(const struct mxw_clock *clock, size_t max_entries, mxw__harvest_t *own, mxw__guessed_t **ret_guessed)
{
	mxw__guessed_t *g = calloc(1, sizeof *g);

	if (!g)
		return MXW_ERR_NOMEM;
	mxw_status_t status = mxw__unions_new(clock, max_entries, &g->unions);
	if (status != MXW_OK) {
		free(g);
		return status;
	}
	mxw__unions_on_forget(g->unions, forget_own, own);
	*ret_guessed = g;
	return MXW_OK;
}

void mxw__guessed_free(mxw__guessed_t *guessed)
{
	if (!guessed)
		return;
	mxw__unions_free(guessed->unions);
	free(guessed);
}

static struct mxw__key client_of(const struct mxw_ip *client)
{
	return mxw__key_of_ip(MXW__KEY_ADDRESS, client);
}

static struct mxw__key network_of(const struct mxw_ip *client)
{
	return mxw__key_of_ip(client->family == 6 ? MXW__KEY_WIDE : MXW__KEY_NETWORK, client);
}

void mxw__guessed_add(mxw__guessed_t *guessed, const struct mxw_ip *client, const char *rcpt, uint64_t known, uint64_t window_ms)
{
	struct mxw__key own = client_of(client), network = network_of(client);
	char text[MXW__KEY_TEXT_MAX], place[MXW__KEY_TEXT_MAX + 16];

	if (own.kind == MXW__KEY_NONE)
		return;
	mxw__unions_add(guessed->unions, &own, KIND_GUESS, rcpt, window_ms);
	mxw__unions_add(guessed->unions, &network, KIND_GUESS, rcpt, window_ms);
	uint64_t count = mxw__unions_count(guessed->unions, &own, KIND_GUESS, window_ms);
	/* All of them again: they last as long as the client goes on. */
	for (unsigned i = 0; i < PLACES && (i < count || i < known); i++) {
		snprintf(place, sizeof place, "%s %u", mxw__key_text(&own, text), i);
		mxw__unions_add(guessed->unions, &network, KIND_PLACE, place, window_ms);
	}
}

void mxw__guessed_raise(mxw__guessed_t *guessed, const struct mxw_ip *client, uint64_t window_ms, struct mxw__harvest_counts *counts)
{
	struct mxw__key own = client_of(client), network = network_of(client);

	if (own.kind == MXW__KEY_NONE)
		return;
	uint64_t of_client = mxw__unions_count(guessed->unions, &own, KIND_GUESS, window_ms);
	uint64_t of_network = mxw__unions_count(guessed->unions, &network, KIND_GUESS, window_ms);
	if (of_client > counts->client)
		counts->client = of_client;
	if (of_network <= counts->network)
		return;
	uint64_t places = mxw__unions_count(guessed->unions, &network, KIND_PLACE, window_ms);
	if (places < of_network)
		of_network = places;
	if (of_network > counts->network)
		counts->network = of_network;
}

bool mxw__guessed_forgive(mxw__guessed_t *guessed, const struct mxw__key *key, uint64_t window_ms)
{
	if (key->kind != MXW__KEY_ADDRESS && key->kind != MXW__KEY_NETWORK && key->kind != MXW__KEY_WIDE)
		return false;
	bool had_any = mxw__unions_forget_kind(guessed->unions, key, KIND_GUESS, window_ms);
	if (key->kind != MXW__KEY_ADDRESS)
		had_any |= mxw__unions_forget_kind(guessed->unions, key, KIND_PLACE, window_ms);
	return had_any;
}

void mxw__guessed_record_key(const mxw__guessed_t *guessed, const struct mxw_ip *client, unsigned number, unsigned back, uint64_t window_ms,
			     char ret_key[MXW__STATE_KEY_MAX])
{
	struct mxw__key key = number == 0 ? client_of(client) : network_of(client);

	mxw__unions_record_key(guessed->unions, &key, number == 2 ? KIND_PLACE : KIND_GUESS, window_ms, back, ret_key);
}

struct mxw__state mxw__guessed_state(mxw__guessed_t *guessed)
{
	return (struct mxw__state){&mxw__unions_guessed_sort, guessed->unions};
}
