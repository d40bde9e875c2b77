/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/accounts.h"

#define DAY_MS INT64_C(86400000)
/* How long it is told that an account was lifted; and how long one is kept that is suspended until it is undone. */
#define TOLD_MS (7 * DAY_MS)
#define FOREVER_MS (3650 * DAY_MS)

enum { BUCKETS = 1024 };

struct node {
	struct node *next;
	struct mxw__account account;
	int64_t lifted_ms;    /* wall time; 0: it was not */
	int64_t changed_ms;   /* wall time of what holds */
	int64_t end_ms;       /* monotonic; INT64_MAX: none */
	uint8_t changed;      /* a bit for each reader of state */
};

struct mxw__accounts {
	struct mxw_clock clock;       /* immutable, as the next */
	struct mxw__hashkey hashkey;
	atomic_size_t n;              /* written under the mutex */
	pthread_mutex_t mutex;        /* guards the rest; a leaf */
	struct node *buckets[BUCKETS];
};

mxw_status_t mxw__accounts_new(const struct mxw_clock *clock, mxw__accounts_t **ret_accounts)
{
	mxw__accounts_t *a = calloc(1, sizeof *a);

	if (!a)
		return MXW_ERR_NOMEM;
	a->clock = *clock;
	mxw__hashkey_random(&a->hashkey);
	pthread_mutex_init(&a->mutex, NULL);
	*ret_accounts = a;
	return MXW_OK;
}

void mxw__accounts_free(mxw__accounts_t *accounts)
{
	if (!accounts)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct node *n = accounts->buckets[i], *next; n; n = next) {
			next = n->next;
			free(n);
		}
	}
	pthread_mutex_destroy(&accounts->mutex);
	free(accounts);
}

/* ---- finding ---- */

static struct node **bucket_of(mxw__accounts_t *a, const struct mxw__key *key)
{
	return &a->buckets[mxw__hash(&a->hashkey, key, sizeof *key) % BUCKETS];
}

static struct node *find_locked(mxw__accounts_t *a, const struct mxw__key *key)
{
	for (struct node *n = *bucket_of(a, key); n; n = n->next)
		if (memcmp(&n->account.key, key, sizeof *key) == 0)
			return n;
	return NULL;
}

static bool is_suspended(const struct node *n, int64_t now_ms)
{
	return n->lifted_ms == 0 && now_ms < n->end_ms;
}

/* Makes room where there are too many: of those that are not suspended, the one that changed longest ago. */
static bool drop_one_locked(mxw__accounts_t *a, int64_t now_ms)
{
	struct node **oldest = NULL;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct node **n = &a->buckets[i]; *n; n = &(*n)->next)
			if (!is_suspended(*n, now_ms) && (!oldest || (*n)->changed_ms < (*oldest)->changed_ms))
				oldest = n;
	if (!oldest)
		return false;
	struct node *gone = *oldest;
	*oldest = gone->next;
	free(gone);
	atomic_fetch_sub(&a->n, 1);
	return true;
}

static mxw_status_t need_locked(mxw__accounts_t *a, const struct mxw__key *key, int64_t now_ms, struct node **ret_node)
{
	struct node *n = find_locked(a, key);

	if (!n) {
		if (atomic_load(&a->n) >= MXW__ACCOUNTS_MAX && !drop_one_locked(a, now_ms))
			return MXW_ERR_LIMIT;
		n = calloc(1, sizeof *n);
		if (!n)
			return MXW_ERR_NOMEM;
		struct node **bucket = bucket_of(a, key);
		n->account.key = *key;
		n->changed_ms = INT64_MIN;
		n->next = *bucket;
		*bucket = n;
		atomic_fetch_add(&a->n, 1);
	}
	*ret_node = n;
	return MXW_OK;
}

static void mark_all_readers(struct node *n)
{
	n->changed = (1u << MXW__STATE_READERS) - 1;
}

/* ---- what is done ---- */

static void put_text(char *ret_text, size_t size, const char *text)
{
	mxw__state_copy_text(ret_text, size, *text ? text : "-", *text ? strlen(text) : 1);
}

/* One word. */
static void put_author(char *ret_text, size_t size, const char *author)
{
	put_text(ret_text, size, author);
	for (char *s = ret_text; *s; s++)
		if (*s == ' ')
			*s = '_';
}

mxw_status_t mxw__accounts_suspend(mxw__accounts_t *accounts, const struct mxw__key *key, const char *reason, const char *author,
				   uint64_t for_ms, bool *ret_is_new)
{
	int64_t now_ms = mxw__now_ms(&accounts->clock), wall_ms = accounts->clock.wall_ms(accounts->clock.ctx);
	struct node *n;

	if (key->kind != MXW__KEY_USER && key->kind != MXW__KEY_ADDRESS)
		return MXW_ERR_USAGE;
	pthread_mutex_lock(&accounts->mutex);
	mxw_status_t status = need_locked(accounts, key, now_ms, &n);
	if (status == MXW_OK) {
		bool is_new = n->changed_ms == INT64_MIN || !is_suspended(n, now_ms);
		struct mxw__account *a = &n->account;
		if (is_new)
			a->since_ms = wall_ms;
		a->until_ms = for_ms ? wall_ms + (int64_t)for_ms : 0;
		n->end_ms = for_ms ? now_ms + (int64_t)for_ms : INT64_MAX;
		n->lifted_ms = 0;
		n->changed_ms = wall_ms > n->changed_ms ? wall_ms : n->changed_ms + 1;
		put_author(a->author, sizeof a->author, author);
		put_text(a->reason, sizeof a->reason, reason);
		mark_all_readers(n);
		if (ret_is_new)
			*ret_is_new = is_new;
	}
	pthread_mutex_unlock(&accounts->mutex);
	return status;
}

bool mxw__accounts_resume(mxw__accounts_t *accounts, const struct mxw__key *key, const char *author)
{
	int64_t now_ms = mxw__now_ms(&accounts->clock), wall_ms = accounts->clock.wall_ms(accounts->clock.ctx);

	pthread_mutex_lock(&accounts->mutex);
	struct node *n = find_locked(accounts, key);
	bool was_suspended = n && is_suspended(n, now_ms);
	if (was_suspended) {
		n->lifted_ms = wall_ms > 0 ? wall_ms : 1;
		n->changed_ms = wall_ms > n->changed_ms ? wall_ms : n->changed_ms + 1;
		put_author(n->account.author, sizeof n->account.author, author);
		mark_all_readers(n);
	}
	pthread_mutex_unlock(&accounts->mutex);
	return was_suspended;
}

bool mxw__accounts_find(mxw__accounts_t *accounts, const struct mxw__key *key, struct mxw__account *ret_account)
{
	int64_t now_ms = mxw__now_ms(&accounts->clock);

	if (atomic_load(&accounts->n) == 0)
		return false;
	pthread_mutex_lock(&accounts->mutex);
	const struct node *n = find_locked(accounts, key);
	bool is = n && is_suspended(n, now_ms);
	if (is && ret_account)
		*ret_account = n->account;
	pthread_mutex_unlock(&accounts->mutex);
	return is;
}

bool mxw__accounts_each(mxw__accounts_t *accounts, void (*visit)(void *ctx, const struct mxw__account *account), void *ctx)
{
	int64_t now_ms = mxw__now_ms(&accounts->clock);
	size_t n = 0;

	pthread_mutex_lock(&accounts->mutex);
	struct mxw__account *list = mxw__calloc(atomic_load(&accounts->n) + 1, sizeof *list);
	for (size_t i = 0; list && i < BUCKETS; i++)
		for (const struct node *node = accounts->buckets[i]; node; node = node->next)
			if (is_suspended(node, now_ms))
				list[n++] = node->account;
	pthread_mutex_unlock(&accounts->mutex);
	for (size_t i = 0; i < n; i++)
		visit(ctx, &list[i]);
	free(list);
	return list != NULL;
}

/* ---- as state ---- */

enum { FIELD_SINCE, FIELD_UNTIL, FIELD_LIFTED };

static void describe(const struct node *n, struct mxw__state_record *r)
{
	const struct mxw__account *a = &n->account;
	char text[MXW__KEY_TEXT_MAX];

	memset(r, 0, sizeof *r);
	snprintf(r->key, sizeof r->key, "%s", mxw__key_text(&a->key, text));
	r->at_ms = n->changed_ms;
	r->expires_ms = n->lifted_ms ? n->lifted_ms + TOLD_MS : a->until_ms ? a->until_ms + TOLD_MS : a->since_ms + FOREVER_MS;
	r->values[FIELD_SINCE] = (double)a->since_ms;
	r->values[FIELD_UNTIL] = (double)a->until_ms;
	r->values[FIELD_LIFTED] = (double)n->lifted_ms;
	snprintf(r->text, sizeof r->text, "%s %s", a->author, a->reason);
}

static size_t take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	mxw__accounts_t *a = store;
	size_t taken = 0;

	if (atomic_load(&a->n) == 0)
		return 0;
	pthread_mutex_lock(&a->mutex);
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct node *n = a->buckets[i]; n && taken < max; n = n->next) {
			if (!(n->changed >> reader & 1))
				continue;
			n->changed &= (uint8_t)~(1u << reader);
			describe(n, &ret_records[taken++]);
		}
	}
	pthread_mutex_unlock(&a->mutex);
	return taken;
}

/* By this host's clock. What came from another one has the time of that one's, and how long it is told for by the common store's. */
static int64_t until_of(mxw__state_reader_t reader, const struct mxw__state_record *r)
{
	int64_t until_ms = (int64_t)r->values[FIELD_UNTIL], told_ms = r->expires_ms - TOLD_MS;
	bool is_timed = until_ms && reader == MXW__STATE_SHARE && r->values[FIELD_LIFTED] == 0;

	return is_timed && told_ms < until_ms ? told_ms : until_ms;
}

static void adopt(const mxw__accounts_t *a, mxw__state_reader_t reader, struct node *n, const struct mxw__state_record *r)
{
	struct mxw__account *account = &n->account;
	int64_t now_ms = mxw__now_ms(&a->clock), wall_ms = a->clock.wall_ms(a->clock.ctx);
	size_t blank = strcspn(r->text, " ");

	account->since_ms = (int64_t)r->values[FIELD_SINCE];
	account->until_ms = until_of(reader, r);
	n->end_ms = account->until_ms ? now_ms + (account->until_ms - wall_ms) : INT64_MAX;
	n->lifted_ms = (int64_t)r->values[FIELD_LIFTED];
	n->changed_ms = r->at_ms;
	snprintf(account->author, sizeof account->author, "%.*s", (int)blank, r->text);
	snprintf(account->reason, sizeof account->reason, "%.159s", r->text[blank] ? r->text + blank + 1 : "-");
}

/* The latest holds; of two of one time the one that suspends, so that all hosts come to the same. */
static bool is_later(const struct node *n, const struct mxw__state_record *r)
{
	return r->at_ms > n->changed_ms || (r->at_ms == n->changed_ms && n->lifted_ms && r->values[FIELD_LIFTED] == 0);
}

static void put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__accounts_t *a = store;
	struct mxw__key key;
	struct node *n;

	if (record->is_gone || !mxw__key_parse(record->key, &key) || (key.kind != MXW__KEY_USER && key.kind != MXW__KEY_ADDRESS))
		return;
	pthread_mutex_lock(&a->mutex);
	if (need_locked(a, &key, mxw__now_ms(&a->clock), &n) == MXW_OK && is_later(n, record)) {
		adopt(a, reader, n, record);
		/* What came from one side the other is to learn. */
		n->changed = (uint8_t)(((1u << MXW__STATE_READERS) - 1) & ~(1u << reader));
	}
	pthread_mutex_unlock(&a->mutex);
}

static void give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__accounts_t *a = store;
	struct mxw__key key;

	if (!mxw__key_parse(record->key, &key))
		return;
	pthread_mutex_lock(&a->mutex);
	struct node *n = find_locked(a, &key);
	if (n)
		n->changed |= (uint8_t)(1u << reader);
	pthread_mutex_unlock(&a->mutex);
}

static void mark_all(void *store, mxw__state_reader_t reader)
{
	mxw__accounts_t *a = store;

	pthread_mutex_lock(&a->mutex);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct node *n = a->buckets[i]; n; n = n->next)
			n->changed |= (uint8_t)(1u << reader);
	pthread_mutex_unlock(&a->mutex);
}

static const struct mxw__state_field fields[] = {
	[FIELD_SINCE] = {"since", MXW__MERGE_LATEST, false},
	[FIELD_UNTIL] = {"until", MXW__MERGE_LATEST, false},
	[FIELD_LIFTED] = {"lifted", MXW__MERGE_LATEST, false},
};

const struct mxw__state_sort mxw__accounts_sort = {
	.name = "account",
	.nfields = MXW_ARRAY_LEN(fields),
	.fields = fields,
	.has_text = true,
	.is_kept = true,
	.is_shared = true,
	.is_eager = true,
	.take = take,
	.put = put,
	.give_back = give_back,
	.mark_all = mark_all,
};
