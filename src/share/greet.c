/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said on a new connection, and asked from time to time: does this server serve, and has it still the data that it had? */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/share/thread.h"

/* What a reply of the greeting is to. */
typedef enum step { STEP_AUTH, STEP_SELECT, STEP_LOAD, STEP_SET_EPOCH, STEP_GET_EPOCH, STEP_TRY } step_t;

struct greeting {
	mxw__share_t *share;
	size_t n, nloaded;
	step_t steps[6 + MXW__SCRIPTS];
	char epoch_name[MXW__SHARE_KEY_MAX];
};

static bool fail(mxw__share_t *share, const char *why)
{
	snprintf(share->link.why, sizeof share->link.why, "%s", why);
	return false;
}

bool mxw__share_is_refusal(const redisReply *reply)
{
	static const char *const words[] = {"NOSCRIPT", "READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "NOPERM", "CLUSTERDOWN", "MOVED ",
					    "ASK ", "BUSY", "NOREPLICAS", "MISCONF", "OOM command", "max number of clients"};

	for (size_t i = 0; reply->type == REDIS_REPLY_ERROR && i < MXW_ARRAY_LEN(words); i++)
		if (strstr(reply->str, words[i]))
			return true;
	return false;
}

/* ---- saying ---- */

static bool say(struct greeting *g, step_t step, size_t argc, const char *const *argv)
{
	size_t lens[8];

	for (size_t i = 0; i < argc; i++)
		lens[i] = strlen(argv[i]);
	g->steps[g->n++] = step;
	return mxw__link_command(&g->share->link, argc, argv, lens);
}

#define SAY(g, step, ...) \
	say(g, step, MXW_ARRAY_LEN(((const char *const[]){__VA_ARGS__})), (const char *const[]){__VA_ARGS__})

static bool say_who(struct greeting *g)
{
	const struct mxw__share_settings *s = g->share->settings;

	if (!*s->password)
		return true;
	bool is_ok = *s->user ? SAY(g, STEP_AUTH, "AUTH", s->user, s->password) : SAY(g, STEP_AUTH, "AUTH", s->password);
	/* Out at once, so that it is not copied when what waits to be sent grows. */
	return is_ok && mxw__link_work(&g->share->link);
}

/* SCRIPT LOAD gives the name under which EVALSHA finds it. */
static bool say_all(struct greeting *g)
{
	char number[16], *epoch = g->share->own_epochs[g->share->current];
	bool is_ok = say_who(g);

	snprintf(number, sizeof number, "%u", g->share->settings->database);
	/* The same again where no answer came: the server may have taken it. */
	if (!*epoch)
		snprintf(epoch, MXW__SHARE_ID_MAX, "%016llx", (unsigned long long)mxw__random_u64());
	snprintf(g->epoch_name, sizeof g->epoch_name, "%sepoch", g->share->settings->prefix);
	if (is_ok && g->share->settings->database)
		is_ok = SAY(g, STEP_SELECT, "SELECT", number);
	for (size_t i = 0; i < MXW__SCRIPTS && is_ok; i++)
		is_ok = SAY(g, STEP_LOAD, "SCRIPT", "LOAD", mxw__share_scripts[i]);
	return is_ok && SAY(g, STEP_SET_EPOCH, "SET", g->epoch_name, epoch, "NX") &&
	       SAY(g, STEP_GET_EPOCH, "GET", g->epoch_name);
}

/* ---- hearing ---- */

/* Another one than before, or the first there ever was: what was in Redis is gone. Whose epoch it is tells the sums, for all hosts. */
static void note_epoch(mxw__share_t *share, const char *epoch)
{
	char *own = share->own_epochs[share->current];
	bool is_own = strcmp(own, epoch) == 0;
	bool is_other = *share->epoch && strcmp(share->epoch, epoch) != 0;

	snprintf(share->epoch, sizeof share->epoch, "%s", epoch);
	if (is_own)
		*own = '\0';
	if (is_other || is_own)
		mxw__share_mark_all(share, is_own);
}

/* Words of a server that does not know a command repeat what it was sent: of AUTH nothing may be repeated. */
static bool hear_error(mxw__share_t *share, step_t step, const redisReply *reply)
{
	static const char *const what[] = {"AUTH", "SELECT", "SCRIPT LOAD", "SET", "GET", "EVALSHA"};
	size_t word = strspn(reply->str, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	if (step == STEP_AUTH)
		snprintf(share->link.why, sizeof share->link.why, "user or password is not accepted (%.*s)", (int)(word < 20 ? word : 20),
			 reply->str);
	else
		snprintf(share->link.why, sizeof share->link.why, "%s is refused: %.120s", what[step], reply->str);
	return false;
}

static bool hear(struct greeting *g, step_t step, const redisReply *reply)
{
	mxw__share_t *share = g->share;

	if (reply->type == REDIS_REPLY_ERROR)
		return hear_error(share, step, reply);
	switch (step) {
	case STEP_LOAD:
		if (reply->type != REDIS_REPLY_STRING || reply->len != 40)
			return fail(share, "SCRIPT LOAD is answered with something else");
		snprintf(share->sha[g->nloaded++], sizeof share->sha[0], "%s", reply->str);
		/* As soon as the last is there it is tried: whether it may be run is another permission. */
		return g->nloaded < MXW__SCRIPTS ||
		       SAY(g, STEP_TRY, "EVALSHA", share->sha[MXW__SCRIPT_FETCH], "1", g->epoch_name);
	case STEP_GET_EPOCH:
		if (reply->type != REDIS_REPLY_STRING || reply->len == 0 || reply->len >= MXW__SHARE_ID_MAX)
			return fail(share, "what it has in the key of the epoch is none");
		note_epoch(share, reply->str);
		return true;
	default:
		return true;
	}
}

bool mxw__share_greet(mxw__share_t *share, int64_t deadline_ms)
{
	struct greeting g = {.share = share};
	size_t nheard = 0;

	if (!say_all(&g))
		return false;
	while (nheard < g.n) {
		redisReply *reply = NULL;
		if (!mxw__link_work(&share->link) || !mxw__link_next(&share->link, &reply))
			return false;
		if (reply) {
			bool is_ok = hear(&g, g.steps[nheard++], reply);
			freeReplyObject(reply);
			if (!is_ok)
				return false;
			continue;
		}
		int64_t left = deadline_ms - mxw__share_steady_ms();
		if (left <= 0 || mxw__share_is_stopping(share))
			return fail(share, "no answer to the greeting in time");
		mxw__link_wait(&share->link, left);
	}
	return true;
}

/* ---- from time to time ---- */

bool mxw__share_send_probe(mxw__share_t *share)
{
	char name[MXW__SHARE_KEY_MAX];
	const char *argv[] = {"GET", name};

	snprintf(name, sizeof name, "%sepoch", share->settings->prefix);
	size_t lens[] = {3, strlen(name)};
	return mxw__link_command(&share->link, 2, argv, lens) &&
	       mxw__share_expect(share, (struct mxw__share_expected){.kind = MXW__EXPECT_EPOCH});
}

bool mxw__share_on_probe(mxw__share_t *share, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_STRING && strcmp(reply->str, share->epoch) == 0)
		return true;
	return fail(share, reply->type == REDIS_REPLY_ERROR ? "it refuses to be read" : "its data is gone");
}
