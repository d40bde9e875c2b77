/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl.c: mxwardctl, by which people and programs look after a running daemon. */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include <mxward/mxward.h>

#include "milter/ctl.h"

enum { LINE_MAX_OCTETS = 4000 };
#define DEFAULT_SOCKET MXW_RUNDIR "/control.sock"
#define DEFAULT_CONF MXW_SYSCONFDIR "/mxward.conf"

static const char usage_text[] =
	"usage: mxwardctl [-c FILE | -s SOCKET] COMMAND ...\n"
	"\n"
	"  report KEY EVENT [TIMES]       note what was seen elsewhere: auth-failure, spam, reported\n"
	"  list [--kind KIND] [--min POINTS] [--limit N]\n"
	"                                 the keys of the highest scores\n"
	"  show KEY                       what is known of one key, and of its limits and lists\n"
	"  forgive KEY                    its score begins at 0 again\n"
	"  suspended                      accounts that may not send\n"
	"  suspend ACCOUNT [--for TIME | --until DATE] [--reason TEXT]\n"
	"  resume ACCOUNT\n"
	"  lists [LIST]                   entries of local lists\n"
	"  list-add LIST ENTRY [--for TIME | --until DATE] [--reason TEXT]\n"
	"  list-remove LIST ENTRY\n"
	"  block ENTRY ..., allow ENTRY   list-add to the list of that name\n"
	"  stats                          counters and sizes\n"
	"\n"
	"  -c FILE     take the socket from this configuration\n"
	"  -s SOCKET   the daemon's control socket, instead of " DEFAULT_SOCKET "\n"
	"  -h, -V      print this; print the version\n"
	"  --json      list, show, suspended, lists, stats: for programs\n"
	"KEY is an address, a network, or helo:NAME, domain:NAME, user:NAME; TIME is like 30m, 2h, 7d; DATE like 2027-01-31 or\n"
	"\"2027-01-31 18:00\".\n";

struct request {
	const char *conf_path, *socket;
	bool is_json;
	const char *kind, *min, *limit, *for_text, *until, *reason;
	int nargs;
	char **args; /* behind the command's name */
	int64_t now_ms;
	uint64_t for_ms;
};

static int usage(const char *why, const char *what)
{
	fprintf(stderr, "mxwardctl: %s%s%s\n", why, *what ? ": " : "", what);
	fputs("mxwardctl -h says how it is used.\n", stderr);
	return EX_USAGE;
}

/* ---- how long ---- */

/* "30m": a number and a unit. */
static bool parse_duration(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}, {"d", 24 * 60 * 60 * 1000},
		{"w", UINT64_C(7) * 24 * 60 * 60 * 1000},
	};
	char *end;

	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno || n == 0 || n > 1000000)
		return false;
	for (size_t i = 0; i < MWD_ARRAY_LEN(units); i++)
		if (strcmp(end, units[i].unit) == 0) {
			*ret_ms = n * units[i].ms;
			return true;
		}
	return false;
}

/* Local time. */
static bool parse_date(const char *text, int64_t now_ms, uint64_t *ret_ms)
{
	struct tm tm = {.tm_isdst = -1};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end && *end)
		end = strptime(end + 1, "%H:%M", &tm);
	tm.tm_isdst = -1;
	time_t at = end && !*end ? mktime(&tm) : (time_t)-1;
	if (at == (time_t)-1 || (int64_t)at * 1000 <= now_ms)
		return false;
	*ret_ms = (uint64_t)((int64_t)at * 1000 - now_ms);
	return true;
}

static int find_span(struct request *r)
{
	if (r->for_text && r->until)
		return usage("--for and --until exclude each other", "");
	if (r->for_text && !parse_duration(r->for_text, &r->for_ms))
		return usage("that is no time such as 30m or 7d", r->for_text);
	if (r->until && !parse_date(r->until, r->now_ms, &r->for_ms))
		return usage("that is no date to come, such as 2027-01-31", r->until);
	return 0;
}

/* ---- commands ---- */

static void add_arg(struct mwd_text *line, const char *word)
{
	mwd_text_add(line, " ", 1);
	mwd_text_add_word(line, word ? word : "");
}

static void say_args(const struct request *r, struct mwd_text *line)
{
	for (int i = 0; i < r->nargs; i++)
		add_arg(line, r->args[i]);
}

static void say_filter(const struct request *r, struct mwd_text *line)
{
	add_arg(line, r->kind);
	add_arg(line, r->min);
	add_arg(line, r->limit);
}

static void say_span(const struct request *r, struct mwd_text *line)
{
	say_args(r, line);
	mwd_text_addf(line, " %" PRIu64, r->for_ms);
	add_arg(line, r->reason);
}

static const struct mwd_column score_columns[] = {
	{"score", "SCORE", MWD_COLUMN_NUMBER},
	{"good", "GOOD", MWD_COLUMN_NUMBER},
	{"key", "KEY", MWD_COLUMN_TEXT},
	{"kind", NULL, MWD_COLUMN_TEXT},
	{"first-seen", "FIRST SEEN", MWD_COLUMN_PAST},
	{"last-seen", "LAST SEEN", MWD_COLUMN_PAST},
	{"most", "MOST OF", MWD_COLUMN_TEXT},
	{NULL, NULL, MWD_COLUMN_TEXT},
};

static const struct mwd_column account_columns[] = {
	{"account", "ACCOUNT", MWD_COLUMN_TEXT},
	{"since", "SINCE", MWD_COLUMN_PAST},
	{"until", "ENDS", MWD_COLUMN_FUTURE},
	{"by", "BY", MWD_COLUMN_TEXT},
	{"reason", "REASON", MWD_COLUMN_TEXT},
	{NULL, NULL, MWD_COLUMN_TEXT},
};

static const struct mwd_column list_columns[] = {
	{"list", "LIST", MWD_COLUMN_TEXT},
	{"entry", "ENTRY", MWD_COLUMN_TEXT},
	{"added", "ADDED", MWD_COLUMN_PAST},
	{"until", "ENDS", MWD_COLUMN_FUTURE},
	{"by", "BY", MWD_COLUMN_TEXT},
	{"line", NULL, MWD_COLUMN_NUMBER},
	{"reason", "REASON", MWD_COLUMN_TEXT},
	{NULL, NULL, MWD_COLUMN_TEXT},
};

/* Options that a command takes. */
enum { FILTER = 1, SPAN = 2, JSON = 4 };

static const struct command {
	const char *name;
	int min_args, max_args;
	unsigned options;
	const char *asked;  /* in the request: the words in front */
	void (*say)(const struct request *r, struct mwd_text *line);
	const struct mwd_column *columns; /* of the answer, if it is a table */
} commands[] = {
	{"report", 2, 3, 0, "report", say_args, NULL},
	{"list", 0, 0, FILTER | JSON, "list", say_filter, score_columns},
	{"show", 1, 1, JSON, "show", say_args, NULL},
	{"forgive", 1, 1, 0, "forgive", say_args, NULL},
	{"suspended", 0, 0, JSON, "suspended", say_args, account_columns},
	{"suspend", 1, 1, SPAN, "suspend", say_span, NULL},
	{"resume", 1, 1, 0, "resume", say_args, NULL},
	{"lists", 0, 1, JSON, "lists", say_args, list_columns},
	{"list-add", 2, 2, SPAN, "list-add", say_span, NULL},
	{"list-remove", 2, 2, 0, "list-remove", say_args, NULL},
	{"block", 1, 1, SPAN, "list-add block", say_span, NULL},
	{"allow", 1, 1, SPAN, "list-add allow", say_span, NULL},
	{"stats", 0, 0, JSON, "stats", say_args, NULL},
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < MWD_ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void show(const struct command *command, const struct request *r, const char *answer)
{
	if (command->columns)
		mwd_ctl_show_table(answer, command->columns, r->is_json, r->now_ms);
	else if (strcmp(command->name, "show") == 0)
		mwd_ctl_show_entry(answer, r->is_json, r->now_ms);
	else if (strcmp(command->name, "stats") == 0)
		mwd_ctl_show_stats(answer, r->is_json);
}

static bool has_foreign_option(const struct command *command, const struct request *r)
{
	bool has_filter = r->kind || r->min || r->limit, has_span = r->for_text || r->until || r->reason;

	return (has_filter && !(command->options & FILTER)) || (has_span && !(command->options & SPAN)) ||
	       (r->is_json && !(command->options & JSON));
}

static int run(const struct command *command, struct request *r)
{
	struct mwd_text line, answer;
	int rc = find_span(r);

	if (rc != 0)
		return rc;
	mwd_text_init(&line, LINE_MAX_OCTETS);
	mwd_text_addf(&line, "%s", command->asked);
	command->say(r, &line);
	mwd_text_add(&line, "\n", 1);
	if (line.failed)
		rc = usage("the words are too long", "");
	else
		rc = mwd_ctl_ask(r->socket, line.data, &answer);
	mwd_text_fini(&line);
	if (rc != 0)
		return rc;
	show(command, r, answer.data ? answer.data : "");
	mwd_text_fini(&answer);
	if (fflush(stdout) == 0)
		return EX_OK;
	perror("mxwardctl");
	return EX_IOERR;
}

/* ---- where the daemon is ---- */

/* "unix:/path" or a bare path. */
static const char *path_of(const char *socket)
{
	return strncmp(socket, "unix:", 5) == 0 ? socket + 5 : socket;
}

/* The configuration is read only if it is named, or nothing is where the socket is by default: a report is to be quick. */
static int find_socket(struct request *r, mxw_conf_t **ret_conf)
{
	struct stat st;
	const char *path = r->conf_path ? r->conf_path : DEFAULT_CONF;

	if (r->socket) {
		r->socket = path_of(r->socket);
		return 0;
	}
	r->socket = DEFAULT_SOCKET;
	if (!r->conf_path && stat(DEFAULT_SOCKET, &st) == 0)
		return 0;
	if (mxw_conf_load(path, NULL, NULL, ret_conf) != MXW_OK) {
		if (!r->conf_path)
			return 0;
		fprintf(stderr, "mxwardctl: %s: not usable; mxward -t says why\n", path);
		return EX_CONFIG;
	}
	r->socket = path_of(mxw_conf_daemon(*ret_conf)->control_socket);
	if (strcmp(r->socket, "none") != 0)
		return 0;
	fprintf(stderr, "mxwardctl: %s: control-socket is none\n", path);
	return EX_CONFIG;
}

static bool take_option(struct request *r, int opt)
{
	const char **const texts[] = {&r->kind, &r->min, &r->limit, &r->for_text, &r->until, &r->reason};

	if (opt >= 256 && opt < 256 + (int)MWD_ARRAY_LEN(texts))
		*texts[opt - 256] = optarg;
	else if (opt == 'j')
		r->is_json = true;
	else if (opt == 'c')
		r->conf_path = optarg;
	else if (opt == 's')
		r->socket = optarg;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"kind", required_argument, NULL, 256}, {"min", required_argument, NULL, 257},
		{"limit", required_argument, NULL, 258}, {"for", required_argument, NULL, 259},
		{"until", required_argument, NULL, 260}, {"reason", required_argument, NULL, 261},
		{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0},
	};
	struct request r = {.now_ms = mxw_clock_system()->wall_ms(mxw_clock_system()->ctx)};
	mxw_conf_t *conf = NULL;

	for (int opt; (opt = getopt_long(argc, argv, "c:s:hV", options, NULL)) != -1;) {
		if (opt == 'h') {
			fputs(usage_text, stdout);
			return EX_OK;
		}
		if (opt == 'V') {
			printf("mxwardctl %s\n", PACKAGE_VERSION);
			return EX_OK;
		}
		if (!take_option(&r, opt)) {
			fputs("mxwardctl -h says how it is used.\n", stderr);
			return EX_USAGE;
		}
	}
	const struct command *command = optind < argc ? find(argv[optind]) : NULL;
	if (!command)
		return usage(optind < argc ? "there is no such command" : "what is to be done?", optind < argc ? argv[optind] : "");
	r.args = argv + optind + 1;
	r.nargs = argc - optind - 1;
	if (r.nargs < command->min_args || r.nargs > command->max_args || has_foreign_option(command, &r))
		return usage("that is not how it is used", command->name);
	if (r.conf_path && r.socket)
		return usage("-c and -s exclude each other", "");
	/* JSON is UTF-8 whatever the terminal is. */
	setlocale(LC_CTYPE, r.is_json ? "C.UTF-8" : "");
	int rc = find_socket(&r, &conf);
	if (rc == 0)
		rc = run(command, &r);
	mxw_conf_unref(conf);
	return rc;
}
