/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milter/command.h"

enum { LOG_LINE_MAX = 2000, SHOWN_COUNTS = 3, TIMES_MAX = 1000 };

/* One request. */
struct call {
	const struct mwd_command_env *env;
	char **args;
	int nargs;
	struct mwd_text *answer;
	struct mxw_error err;
};

static const char *arg(const struct call *call, int i)
{
	return i < call->nargs ? call->args[i] : "";
}

static bool fail(struct call *call, const char *text)
{
	snprintf(call->err.text, sizeof call->err.text, "%s", text);
	return false;
}

/* A number of milliseconds or of times; "" is `deflt`. */
static bool number_of(struct call *call, int i, uint64_t deflt, uint64_t max, uint64_t *ret)
{
	const char *text = arg(call, i);
	char *end;

	*ret = deflt;
	if (!*text)
		return true;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value > max)
		return fail(call, "that is no number, or too large");
	*ret = value;
	return true;
}

static void add_number(struct call *call, const char *name, double value)
{
	char text[64];

	/* No "-0.0". */
	snprintf(text, sizeof text, "%.1f", value > -0.05 && value < 0.05 ? 0.0 : value);
	mwd_text_add_pair(call->answer, name, text);
}

static void add_time(struct call *call, const char *name, int64_t ms)
{
	char text[32];

	snprintf(text, sizeof text, "%" PRId64, ms);
	mwd_text_add_pair(call->answer, name, text);
}

static void end_line(struct call *call)
{
	mwd_text_add(call->answer, "\n", 1);
}

/* ---- scores ---- */

/* What it did most of, of what is bad: "unknown-recipient:12.0,spam:1.0". */
static void add_most(struct call *call, const struct mxw_track_entry *entry)
{
	struct mwd_text most;
	int n = 0;

	mwd_text_init(&most, 1000);
	for (size_t i = 0; i < entry->ncounts && n < SHOWN_COUNTS; i++) {
		const struct mxw_track_count *count = &entry->counts[i];
		if (!count->is_good)
			mwd_text_addf(&most, "%s%s:%.1f", n++ ? "," : "", count->event, count->times);
	}
	mwd_text_add_pair(call->answer, "most", most.data ? most.data : "");
	mwd_text_fini(&most);
}

static void add_entry(struct call *call, const struct mxw_track_entry *entry)
{
	mwd_text_add_pair(call->answer, "key", entry->key);
	mwd_text_add_pair(call->answer, "kind", entry->kind);
	add_number(call, "score", entry->score);
	add_number(call, "good", entry->good);
	add_time(call, "first-seen", entry->first_seen_ms);
	add_time(call, "last-seen", entry->last_seen_ms);
	add_most(call, entry);
}

static void visit_entry(void *ctx, const struct mxw_track_entry *entry)
{
	add_entry(ctx, entry);
	end_line(ctx);
}

/* list KIND MIN LIMIT */
static bool list(struct call *call)
{
	struct mxw_track_filter filter = {.size = sizeof filter, .kind = arg(call, 0), .has_min_score = *arg(call, 1) != '\0'};
	uint64_t limit;
	char *end;

	filter.min_score = strtod(arg(call, 1), &end);
	if (*end)
		return fail(call, "the least score is no number");
	if (!number_of(call, 2, 0, 10000, &limit))
		return false;
	filter.limit = (size_t)limit;
	return mxw_track_list(call->env->engine, &filter, visit_entry, call, &call->err) == MXW_OK;
}

static void show_list_entry(void *ctx, const struct mxw_list_entry *entry)
{
	struct call *call = ctx;

	mwd_text_add_pair(call->answer, "list", entry->list);
	mwd_text_add_pair(call->answer, "entry", entry->entry);
	add_time(call, "added", entry->added_ms);
	add_time(call, "until", entry->until_ms);
	mwd_text_add_pair(call->answer, "by", entry->author);
	mwd_text_add_pair(call->answer, "reason", entry->reason);
	mwd_text_addf(call->answer, " line=%u", entry->line);
	end_line(call);
}

static void visit_limit(void *ctx, const struct mxw_track_limit *limit)
{
	struct call *call = ctx;

	mwd_text_add_pair(call->answer, "limit", limit->name);
	mwd_text_add_pair(call->answer, "what", limit->what);
	mwd_text_add_pair(call->answer, "of", limit->key);
	add_number(call, "used", limit->used);
	add_number(call, "max", limit->max);
	mwd_text_add_pair(call->answer, "full", limit->is_full ? "yes" : "no");
	add_time(call, "free", limit->free_ms);
	end_line(call);
}

/* Who has done nothing that makes a score may have used up a limit. */
static void note_use(void *ctx, const struct mxw_track_limit *limit)
{
	bool *is_used = ctx;

	*is_used |= limit->used > 0;
}

static void add_details(struct call *call)
{
	struct mxw_track_details details = {.size = sizeof details};

	if (mxw_track_find_details(call->env->engine, arg(call, 0), &details, NULL) != MXW_OK)
		return;
	mwd_text_addf(call->answer, " guesses=%" PRIu64 " network-guesses=%" PRIu64, details.guesses, details.network_guesses);
	mwd_text_add_pair(call->answer, "greylist", details.is_greylist_known ? "known" : "unknown");
	mwd_text_add_pair(call->answer, "suspended", details.is_suspended ? "yes" : "no");
}

/* Is anything known of it that is no score? */
static void note_listed(void *ctx, const struct mxw_list_entry *entry)
{
	*(bool *)ctx = true;
}

static bool find_entry(struct call *call, struct mxw_track_entry *ret_entry)
{
	struct mxw_track_details details = {.size = sizeof details};
	bool is_used = false;

	*ret_entry = (struct mxw_track_entry){.size = sizeof *ret_entry};
	if (mxw_track_find(call->env->engine, arg(call, 0), ret_entry, &call->err) == MXW_OK)
		return true;
	if (mxw_track_limits(call->env->engine, arg(call, 0), note_use, &is_used, NULL) != MXW_OK ||
	    mxw_list_find(call->env->engine, arg(call, 0), note_listed, &is_used, NULL) != MXW_OK ||
	    mxw_track_find_details(call->env->engine, arg(call, 0), &details, NULL) != MXW_OK || !(is_used || details.is_suspended))
		return false;
	snprintf(ret_entry->key, sizeof ret_entry->key, "%s", arg(call, 0));
	ret_entry->kind = "";
	return true;
}

/* show KEY */
static bool show(struct call *call)
{
	struct mxw_track_entry entry;

	if (!find_entry(call, &entry))
		return false;
	add_entry(call, &entry);
	add_details(call);
	end_line(call);
	for (size_t i = 0; i < entry.ncounts; i++) {
		mwd_text_add_pair(call->answer, "event", entry.counts[i].event);
		add_number(call, "times", entry.counts[i].times);
		mwd_text_add_pair(call->answer, "good", entry.counts[i].is_good ? "yes" : "no");
		end_line(call);
	}
	return mxw_track_limits(call->env->engine, arg(call, 0), visit_limit, call, &call->err) == MXW_OK &&
	       mxw_list_find(call->env->engine, arg(call, 0), show_list_entry, call, &call->err) == MXW_OK;
}

/* forgive KEY */
static bool forgive(struct call *call)
{
	return mxw_track_forgive(call->env->engine, arg(call, 0), &call->err) == MXW_OK;
}

/* report KEY EVENT TIMES. Whoever counts them elsewhere has counted them: more than fit at once are as many as fit. */
static bool report(struct call *call)
{
	uint64_t times;

	if (!number_of(call, 2, 1, UINT64_MAX, &times))
		return false;
	if (times == 0)
		return fail(call, "once at least");
	times = times < TIMES_MAX ? times : TIMES_MAX;
	return mxw_track_report(call->env->engine, arg(call, 0), arg(call, 1), (unsigned)times, &call->err) == MXW_OK;
}

/* ---- accounts ---- */

static void visit_account(void *ctx, const struct mxw_account *account)
{
	struct call *call = ctx;

	mwd_text_add_pair(call->answer, "account", account->key);
	add_time(call, "since", account->since_ms);
	add_time(call, "until", account->until_ms);
	mwd_text_add_pair(call->answer, "by", account->author);
	mwd_text_add_pair(call->answer, "reason", account->reason);
	end_line(call);
}

static bool suspended(struct call *call)
{
	return mxw_account_each(call->env->engine, visit_account, call, &call->err) == MXW_OK;
}

/* 100 years, in milliseconds. */
#define FOR_MAX (UINT64_C(36525) * 24 * 60 * 60 * 1000)

/* suspend ACCOUNT FOR REASON */
static bool suspend(struct call *call)
{
	uint64_t for_ms;

	return number_of(call, 1, 0, FOR_MAX, &for_ms) &&
	       mxw_account_suspend(call->env->engine, arg(call, 0), for_ms, call->env->by, arg(call, 2), &call->err) == MXW_OK;
}

/* resume ACCOUNT */
static bool resume(struct call *call)
{
	return mxw_account_resume(call->env->engine, arg(call, 0), call->env->by, &call->err) == MXW_OK;
}

/* ---- lists ---- */

/* lists LIST */
static bool lists(struct call *call)
{
	return mxw_list_each(call->env->engine, arg(call, 0), show_list_entry, call, &call->err) == MXW_OK;
}

/* list-add LIST ENTRY FOR REASON */
static bool list_add(struct call *call)
{
	uint64_t for_ms;

	return number_of(call, 2, 0, FOR_MAX, &for_ms) &&
	       mxw_list_add(call->env->engine, arg(call, 0), arg(call, 1), for_ms, call->env->by, arg(call, 3), &call->err) ==
		       MXW_OK;
}

/* list-remove LIST ENTRY */
static bool list_remove(struct call *call)
{
	return mxw_list_remove(call->env->engine, arg(call, 0), arg(call, 1), &call->err) == MXW_OK;
}

/* ---- figures ---- */

static void visit_figure(void *ctx, const char *group, const char *name, uint64_t value)
{
	struct call *call = ctx;

	mwd_text_addf(call->answer, "group=%s name=%s value=%" PRIu64 "\n", group, name, value);
}

static bool stats(struct call *call)
{
	mxw_engine_each_figure(call->env->engine, visit_figure, call);
	return true;
}

/* ---- all of them ---- */

static const struct command {
	const char *name;
	int min_args, max_args;
	bool is_change;
	bool (*run)(struct call *call);
} commands[] = {
	{"report", 2, 3, true, report},
	{"list", 0, 3, false, list},
	{"show", 1, 1, false, show},
	{"forgive", 1, 1, true, forgive},
	{"suspended", 0, 0, false, suspended},
	{"suspend", 1, 3, true, suspend},
	{"resume", 1, 1, true, resume},
	{"lists", 0, 1, false, lists},
	{"list-add", 2, 4, true, list_add},
	{"list-remove", 2, 2, true, list_remove},
	{"stats", 0, 0, false, stats},
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < MWD_ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void log_change(const struct call *call, const struct command *command, bool is_done)
{
	struct mwd_text line;

	if (!call->env->log)
		return;
	mwd_text_init(&line, LOG_LINE_MAX);
	mwd_text_addf(&line, "event=control command=%s", command->name);
	for (int i = 0; i < call->nargs; i++)
		mwd_text_add_pair(&line, "arg", call->args[i]);
	mwd_text_add_pair(&line, "by", call->env->by);
	mwd_text_add_pair(&line, "result", is_done ? "ok" : call->err.text);
	if (line.data)
		mwd_log_line(call->env->log, MXW_LEVEL_INFO, line.data);
	mwd_text_fini(&line);
}

static bool run(struct call *call, char **words, int n)
{
	const struct command *command = n > 0 ? find(words[0]) : NULL;

	if (n < 0)
		return fail(call, "the line is no line of words");
	if (!command)
		return fail(call, "there is no such command");
	call->args = words + 1;
	call->nargs = n - 1;
	if (call->nargs < command->min_args || call->nargs > command->max_args)
		return fail(call, "too few or too many words for this command");
	bool is_done = command->run(call);
	if (command->is_change)
		log_change(call, command, is_done);
	return is_done;
}

void mwd_command_run(const struct mwd_command_env *env, char *line, struct mwd_text *answer)
{
	struct call call = {.env = env, .answer = answer};
	char *words[MWD_WORDS_MAX];
	bool is_done = run(&call, words, mwd_words_split(line, words));

	/* Half an answer must not look like a whole one. */
	if (answer->failed) {
		mwd_text_fini(answer);
		mwd_text_init(answer, 1000);
		is_done = fail(&call, "the answer is too long");
	}
	if (is_done) {
		mwd_text_add(answer, "ok\n", 3);
		return;
	}
	mwd_text_add(answer, "error ", 6);
	mwd_text_add_word(answer, call.err.text);
	mwd_text_add(answer, "\n", 1);
}
