/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/bench/proto.h"
#include "t/bench/scenario.h"

uint64_t mload_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

char *mload_expand(const char *format, unsigned session, unsigned message, char *ret, size_t size)
{
	size_t len = 0;

	for (const char *p = format; *p && len + 1 < size; p++) {
		char number[16] = {*p, '\0'};
		if (*p == '%' && p[1]) {
			switch (*++p) {
			case 'd': snprintf(number, sizeof number, "%u", session); break;
			case 'm': snprintf(number, sizeof number, "%u", message); break;
			case 'h': snprintf(number, sizeof number, "%u", session >> 8 & 255); break;
			case 'l': snprintf(number, sizeof number, "%u", session & 255); break;
			default: number[0] = *p; break;
			}
		}
		for (const char *n = number; *n && len + 1 < size; n++)
			ret[len++] = *n;
	}
	ret[len] = '\0';
	return ret;
}

void mload_scenario_free(struct mload_scenario *scenario)
{
	if (!scenario)
		return;
	for (size_t i = 0; i < scenario->nrows; i++) {
		struct mload_row *row = &scenario->rows[i];
		for (size_t k = 0; k < row->nrcpts; k++)
			free(row->rcpts[k]);
		free(row->rcpts);
		free(row->name);
		free(row->client);
		free(row->ptr);
		free(row->helo);
		free(row->sender);
	}
	for (size_t i = 0; i < scenario->nmessages; i++)
		mload_message_free(scenario->messages[i]);
	free(scenario->rows);
	free(scenario->messages);
	free(scenario->schedule);
	free(scenario);
}

static struct mload_scenario *scenario_new(void)
{
	struct mload_scenario *scenario = mload_realloc(NULL, 1, sizeof *scenario);

	*scenario = (struct mload_scenario){0};
	return scenario;
}

static struct mload_row *add_row(struct mload_scenario *scenario, const char *name)
{
	scenario->rows = mload_realloc(scenario->rows, scenario->nrows + 1, sizeof *scenario->rows);
	struct mload_row *row = &scenario->rows[scenario->nrows++];
	*row = (struct mload_row){.weight = 1};
	row->name = mload_strdup(name);
	row->client = mload_strdup("192.0.2.1");
	row->ptr = mload_strdup("unknown");
	row->helo = mload_strdup("client.example");
	row->sender = mload_strdup("<sender@client.example>");
	return row;
}

static const struct mload_message *add_message(struct mload_scenario *scenario, struct mload_message *message)
{
	if (!message)
		return NULL;
	scenario->messages =
		mload_realloc(scenario->messages, scenario->nmessages + 1, sizeof *scenario->messages);
	scenario->messages[scenario->nmessages++] = message;
	return message;
}

/* The file at `path`, read once however many rows name it. */
static const struct mload_message *load_message(struct mload_scenario *scenario, const char *path)
{
	for (size_t i = 0; i < scenario->nmessages; i++)
		if (strcmp(scenario->messages[i]->path, path) == 0)
			return scenario->messages[i];
	return add_message(scenario, mload_message_read(path));
}

static void set_string(char **where, const char *value)
{
	free(*where);
	*where = mload_strdup(value);
}

static void add_rcpts(struct mload_row *row, const char *list)
{
	char *copy = mload_strdup(list), *save = NULL;

	for (char *rcpt = strtok_r(copy, ",", &save); rcpt; rcpt = strtok_r(NULL, ",", &save)) {
		row->rcpts = mload_realloc(row->rcpts, row->nrcpts + 1, sizeof *row->rcpts);
		row->rcpts[row->nrcpts++] = mload_strdup(rcpt);
	}
	free(copy);
}

static int parse_outcome(const char *value)
{
	if (strcmp(value, "accept") == 0)
		return MLOAD_OUTCOME_ACCEPT;
	if (strcmp(value, "discard") == 0)
		return MLOAD_OUTCOME_DISCARD;
	return atoi(value);
}

static bool set_message(struct mload_scenario *scenario, struct mload_row *row, const char *base,
			const char *value)
{
	const char *slash = strrchr(base, '/');
	char path[4096];

	if (strcmp(value, "-") == 0)
		return true;
	snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash + 1 - base) : 0, base, value);
	row->message = load_message(scenario, path);
	return row->message != NULL;
}

static bool set_option(struct mload_scenario *scenario, struct mload_row *row, const char *base, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(word, "weight") == 0)
		row->weight = (unsigned)atoi(value);
	else if (strcmp(word, "client") == 0)
		set_string(&row->client, value);
	else if (strcmp(word, "ptr") == 0)
		set_string(&row->ptr, value);
	else if (strcmp(word, "helo") == 0)
		set_string(&row->helo, value);
	else if (strcmp(word, "sender") == 0)
		set_string(&row->sender, value);
	else if (strcmp(word, "rcpt") == 0)
		add_rcpts(row, value);
	else if (strcmp(word, "message") == 0)
		return set_message(scenario, row, base, value);
	else if (strcmp(word, "unknown") == 0)
		row->unknowns = (unsigned)atoi(value);
	else if (strcmp(word, "expect") == 0)
		row->expect = parse_outcome(value);
	else
		return false;
	return true;
}

static bool parse_line(struct mload_scenario *scenario, const char *path, unsigned number, char *line)
{
	char *save = NULL, *word = strtok_r(line, " \t\n", &save);

	if (!word || *word == '#')
		return true;
	struct mload_row *row = add_row(scenario, word);
	while ((word = strtok_r(NULL, " \t\n", &save)))
		if (!set_option(scenario, row, path, word)) {
			fprintf(stderr, "%s:%u: can't use \"%s\"\n", path, number, word);
			return false;
		}
	if (row->weight == 0 || row->weight > 1000000) {
		fprintf(stderr, "%s:%u: a weight from 1 to 1000000 is needed\n", path, number);
		return false;
	}
	return true;
}

/* Each row as often as its weight, shuffled (Fisher and Yates). */
static void make_schedule(struct mload_scenario *scenario, unsigned seed)
{
	uint64_t state = seed;

	for (size_t i = 0; i < scenario->nrows; i++)
		scenario->nschedule += scenario->rows[i].weight;
	scenario->schedule = mload_realloc(NULL, scenario->nschedule, sizeof *scenario->schedule);
	size_t n = 0;
	for (size_t i = 0; i < scenario->nrows; i++)
		for (unsigned k = 0; k < scenario->rows[i].weight; k++)
			scenario->schedule[n++] = (unsigned)i;
	for (; n > 1; n--) {
		size_t other = mload_random(&state) % n;
		unsigned swap = scenario->schedule[n - 1];
		scenario->schedule[n - 1] = scenario->schedule[other];
		scenario->schedule[other] = swap;
	}
}

struct mload_scenario *mload_scenario_read(const char *path, unsigned seed)
{
	struct mload_scenario *scenario = scenario_new();
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	bool is_good = true;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		mload_scenario_free(scenario);
		return NULL;
	}
	for (unsigned number = 1; is_good && getline(&line, &cap, file) > 0; number++)
		is_good = parse_line(scenario, path, number, line);
	free(line);
	fclose(file);
	if (is_good && scenario->nrows == 0) {
		fprintf(stderr, "%s: no session is described\n", path);
		is_good = false;
	}
	if (!is_good) {
		mload_scenario_free(scenario);
		return NULL;
	}
	make_schedule(scenario, seed);
	return scenario;
}

/* A message of about `size` octets. */
static struct mload_message *built_in_message(size_t size)
{
	static const char head[] = "From: Sender <sender@client.example>\nTo: Recipient <rcpt@bench.example>\n"
				   "Subject: a message of the load client\nDate: Thu, 01 Jan 2026 00:00:00 +0000\n"
				   "Message-ID: <1@client.example>\nMIME-Version: 1.0\n\n";
	static const char line[] = "The quick brown fox jumps over the lazy dog, and then once more.\n";
	size_t len = sizeof head - 1;
	char *text = mload_realloc(NULL, len + size + sizeof line, 1);

	memcpy(text, head, sizeof head);
	while (len < size) {
		memcpy(text + len, line, sizeof line);
		len += sizeof line - 1;
	}
	return mload_message_new("built-in", text, len);
}

static int is_message_name(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".eml") == 0;
}

static bool load_corpus(struct mload_scenario *scenario, const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_message_name, alphasort);
	bool is_good = n > 0;

	if (n < 0)
		fprintf(stderr, "%s: %s\n", dir, strerror(errno));
	else if (n == 0)
		fprintf(stderr, "%s: no *.eml there\n", dir);
	for (int i = 0; i < n; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
		is_good = is_good && load_message(scenario, path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return is_good;
}

struct mload_scenario *mload_scenario_simple(const struct mload_simple *simple, unsigned seed)
{
	struct mload_scenario *scenario = scenario_new();

	if (!simple->corpus) {
		add_message(scenario, built_in_message(simple->size));
	} else if (!load_corpus(scenario, simple->corpus)) {
		mload_scenario_free(scenario);
		return NULL;
	}
	for (size_t i = 0; i < scenario->nmessages; i++) {
		const char *path = scenario->messages[i]->path, *slash = strrchr(path, '/');
		struct mload_row *row = add_row(scenario, slash ? slash + 1 : path);
		row->message = scenario->messages[i];
		row->unknowns = simple->unknowns;
		set_string(&row->client, simple->client);
		set_string(&row->helo, simple->helo);
		set_string(&row->sender, simple->sender);
		add_rcpts(row, simple->rcpts);
	}
	make_schedule(scenario, seed);
	return scenario;
}
