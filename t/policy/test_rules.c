/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules as data. Each t/policy/NAME.rules is read as a configuration (the built-in rules follow the ones written there, as
 * always), each line of NAME.eval is one decision:
 *
 *	STAGE FACT=VALUE ... => ACTION [RULE CODE ENHANCED] [+DELAY] [+FIELD ...] [| FACTS] [| RULE=ACTION ...]
 *
 * FACT=?WORD is unavailable with that word, FACT=? without one; a VALUE may be quoted. ACTION is followed by '?' where a
 * missing fact could have changed it. DELAY in milliseconds and the names of fields are of rules that do not decide. FACTS are those the decision stood on, as in the log; then follow the rules
 * that only observed. What is left out at the end is not compared, but for the first two parts' presence.
 */
#include "config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/conf/conf.h"
#include "src/policy/policy.h"
#include "t/fakes/suite.h"

enum { FILES_MAX = 200, THREADS = 4, ROUNDS = 50 };

struct eval {
	unsigned line;
	mxw_stage_t stage;
	mxw_facts_t *facts;
	char *expected;      /* the right side of => */
};

struct file {
	char *path;          /* of the rules */
	mxw_conf_t *conf;
	size_t nevals;
	struct eval *evals;
};

static struct file files[FILES_MAX];
static size_t nfiles;

/* The files are read before Check begins: it wants to know how many there are. */
static void need(bool ok, const char *fmt, ...) MXW_PRINTF(2, 3);

static void need(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static void complain(void *ctx, const struct mxw_error *error)
{
	(void)ctx;
	fprintf(stderr, "%s:%u:%u: %s\n", error->file, error->line, error->column, error->text);
}

static void set_fact(mxw_facts_t *facts, char *statement, const char *where)
{
	char *value = strchr(statement, '=');
	need(value, "%s: '%s' is no FACT=VALUE", where, statement);
	*value++ = '\0';
	mxw_fact_id_t id = mxw_fact_find(statement);
	need(id != MXW_FACT_NONE, "%s: there is no fact '%s'", where, statement);
	const struct mxw_fact_info *info = mxw_fact_info(id);
	struct mxw_ip ip;
	mxw_status_t status;

	if (value[0] == '?')
		status = mxw_facts_set_unavailable(facts, id, value[1] ? value + 1 : NULL);
	else if (info->type == MXW_FACT_NUMBER)
		status = mxw_facts_set_number(facts, id, strtoull(value, NULL, 10));
	else if (info->type == MXW_FACT_ADDRESS)
		status = mxw_ip_parse(value, &ip) == MXW_OK ? mxw_facts_set_ip(facts, id, &ip) : MXW_ERR_INVALID;
	else
		status = mxw_facts_set(facts, id, value);
	need(status == MXW_OK, "%s: %s: %s", where, statement, mxw_status_name(status));
}

/* Cuts the next word off; one may have a part in quotes. */
static char *next_word(char **rest)
{
	char *s = *rest + strspn(*rest, " \t"), *word = s, *to = s;
	bool is_quoted = false;

	if (!*s)
		return NULL;
	for (; *s && (is_quoted || (*s != ' ' && *s != '\t')); s++) {
		if (*s == '"')
			is_quoted = !is_quoted;
		else
			*to++ = *s;
	}
	*rest = *s ? s + 1 : s;
	*to = '\0';
	return word;
}

static struct eval read_eval(char *line, unsigned number, const char *path)
{
	struct eval e = {.line = number, .stage = MXW_STAGE_COUNT};
	char where[4200], *arrow = strstr(line, "=>"), *word;

	snprintf(where, sizeof where, "%.4000s:%u", path, number);
	need(arrow, "%s: '=>' was expected", where);
	*arrow = '\0';
	e.expected = strdup(arrow + 2 + strspn(arrow + 2, " "));
	need(mxw_facts_new(100, 10000, &e.facts) == MXW_OK, "%s: out of memory", where);
	word = next_word(&line);
	for (mxw_stage_t s = MXW_STAGE_CONNECT; s < MXW_STAGE_COUNT; s++)
		if (strcmp(mxw_stage_name(s), word) == 0)
			e.stage = s;
	need(e.stage < MXW_STAGE_COUNT, "%s: there is no stage '%s'", where, word);
	while ((word = next_word(&line)))
		set_fact(e.facts, word, where);
	return e;
}

static void read_evals(struct file *f)
{
	char path[4200], *text;
	unsigned number = 0;
	size_t len;
	struct mxw_error err;

	snprintf(path, sizeof path, "%.*s.eval", (int)(strlen(f->path) - strlen(".rules")), f->path);
	need(mxw__file_read(path, 1 << 20, &text, &len, &err) == MXW_OK, "%s", err.text);
	f->evals = mxw__calloc(len / 4 + 1, sizeof *f->evals);
	need(f->evals != NULL, "%s: out of memory", path);
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		if (line[strspn(line, " \t")] && line[0] != '#')
			f->evals[f->nevals++] = read_eval(line, number, path);
	}
	free(text);
}

static void read_files(void)
{
	glob_t found;

	need(glob(MXW_TESTDATA "/policy/*.rules", 0, NULL, &found) == 0, "no rules in %s", MXW_TESTDATA);
	for (size_t i = 0; i < found.gl_pathc && nfiles < FILES_MAX; i++) {
		struct file *f = &files[nfiles++];
		f->path = strdup(found.gl_pathv[i]);
		mxw_status_t status = mxw_conf_load(f->path, complain, NULL, &f->conf);
		need(status == MXW_OK, "%s: %s", f->path, mxw_status_name(status));
		read_evals(f);
	}
	globfree(&found);
}

static void free_files(void)
{
	for (size_t i = 0; i < nfiles; i++) {
		for (size_t j = 0; j < files[i].nevals; j++) {
			mxw_facts_free(files[i].evals[j].facts);
			free(files[i].evals[j].expected);
		}
		free(files[i].evals);
		free(files[i].path);
		mxw_conf_unref(files[i].conf);
	}
}

/* The decision as it is written in an .eval file, in full. */
static char *decide(const struct file *f, const struct eval *e)
{
	const struct mxw__reply_vars vars = {.session = "s"};
	struct mxw_decision d;
	struct mxw_verdict v;
	struct mxw__buf buf;

	mxw_policy_decide(mxw_conf_policy(f->conf), e->stage, e->facts, &d);
	mxw__reply_make(&d, e->facts, &vars, &v);
	mxw__buf_init(&buf, 2000);
	mxw__buf_addf(&buf, "%s%s", mxw_action_name(d.action), d.is_undetermined ? "?" : "");
	if (d.rule)
		mxw__buf_addf(&buf, " %s", d.rule);
	if (v.code)
		mxw__buf_addf(&buf, " %d %s", v.code, v.enhanced);
	if (d.delay_ms)
		mxw__buf_addf(&buf, " +%u", d.delay_ms);
	for (size_t i = 0; i < d.ntags; i++)
		mxw__buf_addf(&buf, " +%.*s", (int)strcspn(d.tags[i].field, ":"), d.tags[i].field);
	mxw__buf_addf(&buf, " | %s", v.facts);
	mxw__buf_addf(&buf, "%s|", v.facts[0] ? " " : "");
	for (size_t i = 0; i < d.nobserved; i++)
		mxw__buf_addf(&buf, " %s=%s", d.observed[i].rule, mxw_action_name(d.observed[i].action));
	return mxw__buf_take(&buf);
}

/* Does the decision begin with what was expected, up to the end of a word? */
static bool is_expected(const char *got, const char *expected)
{
	size_t len = strlen(expected);

	while (len && (expected[len - 1] == ' ' || expected[len - 1] == '\t'))
		len--;
	if (strncmp(got, expected, len) != 0)
		return false;
	/* Where facts are left out, so may be what follows them; a list that was begun must be complete. */
	got += len;
	return *got == '\0' || strncmp(got, " |", 2) == 0 || strncmp(got, " +", 2) == 0;
}

START_TEST(rules_decide_as_written)
{
	const struct file *f = &files[_i];
	unsigned failed = 0;

	ck_assert_uint_gt(f->nevals, 0);
	for (size_t i = 0; i < f->nevals; i++) {
		char *got = decide(f, &f->evals[i]);
		if (!is_expected(got, f->evals[i].expected)) {
			fprintf(stderr, "%.*seval:%u:\n  expected %s\n  got      %s\n", (int)(strlen(f->path) - 5), f->path,
				f->evals[i].line, f->evals[i].expected, got);
			failed++;
		}
		free(got);
	}
	ck_assert_uint_eq(failed, 0);
}
END_TEST

/* ---- purity ---- */

struct job {
	unsigned seed;
	unsigned different;
	char **first;        /* all decisions in order, made alone */
};

static void *decide_all(void *arg)
{
	struct job *job = arg;

	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t n = 0;
		for (size_t i = 0; i < nfiles; i++) {
			for (size_t j = 0; j < files[i].nevals; j++, n++) {
				/* Each thread leaves out others, so that they mix differently. */
				if ((n + round) % (job->seed + 2) == 0)
					continue;
				char *got = decide(&files[i], &files[i].evals[j]);
				job->different += strcmp(got, job->first[n]) != 0;
				free(got);
			}
		}
	}
	return NULL;
}

START_TEST(the_same_input_gives_the_same_decision_in_every_thread)
{
	struct job jobs[THREADS];
	pthread_t threads[THREADS];
	char **first;
	size_t n = 0;

	for (size_t i = 0; i < nfiles; i++)
		n += files[i].nevals;
	first = mxw__calloc(n, sizeof *first);
	ck_assert_ptr_nonnull(first);
	n = 0;
	for (size_t i = 0; i < nfiles; i++)
		for (size_t j = 0; j < files[i].nevals; j++)
			first[n++] = decide(&files[i], &files[i].evals[j]);
	for (unsigned t = 0; t < THREADS; t++) {
		jobs[t] = (struct job){.seed = t, .first = first};
		ck_assert_int_eq(pthread_create(&threads[t], NULL, decide_all, &jobs[t]), 0);
	}
	for (unsigned t = 0; t < THREADS; t++) {
		pthread_join(threads[t], NULL);
		ck_assert_uint_eq(jobs[t].different, 0);
	}
	while (n)
		free(first[--n]);
	free(first);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rules");
	TCase *tc = tcase_create("rules");

	read_files();
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, rules_decide_as_written, 0, (int)nfiles);
	tcase_add_test(tc, the_same_input_gives_the_same_decision_in_every_thread);
	suite_add_tcase(s, tc);
	int rc = run_suite(s);
	free_files();
	return rc;
}
