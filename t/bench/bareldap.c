/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bareldap: what libldap reaches when nothing else is done: the measure for mxward's own look-ups.
 *
 *	bareldap ask URI BIND-DN PASSWORD PEOPLE CONNECTIONS IN-FLIGHT MS SEED
 *	bareldap add URI BIND-DN PASSWORD FIRST COUNT
 *
 * "ask" keeps so many searches in flight, spread over the connections, each of which has a thread: for each search
 * that has ended it sends another one. It asks for what mxward asks: is there an entry with this mail address? There are
 * no deadlines, no second server, no coalescing, no reconnection. "add" adds people to the directory.
 */
#include "config.h"

#include <ldap.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "t/bench/people.h"

enum { IN_FLIGHT_MAX = 1024, SLOTS = 8 * IN_FLIGHT_MAX };

static const char *uri, *bind_dn, *password;
static unsigned npeople, run_ms;

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void die(const char *what, int rc)
{
	fprintf(stderr, "bareldap: %s: %s\n", what, ldap_err2string(rc));
	exit(EXIT_FAILURE);
}

static LDAP *connected(void)
{
	LDAP *ld;
	int version = LDAP_VERSION3;
	struct berval cred;

	ber_str2bv(password, 0, 0, &cred);
	int rc = ldap_initialize(&ld, uri);

	if (rc != LDAP_SUCCESS)
		die(uri, rc);
	ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	rc = ldap_sasl_bind_s(ld, bind_dn, LDAP_SASL_SIMPLE, &cred, NULL, NULL, NULL);
	if (rc != LDAP_SUCCESS)
		die("bind", rc);
	return ld;
}

/* ---- one connection with searches in flight ---- */

struct stream {
	LDAP *ld;
	uint64_t random;
	unsigned window;
	pthread_t thread;
	/* results */
	unsigned long answered, wrong;
};

/* What a message id stands for. Ids count up by one, so that a slot is free again long before its turn. */
struct asked {
	int msgid;
	bool is_person;
	bool is_found;
};

static void ask(struct stream *s, struct asked *asked)
{
	char address[PEOPLE_ADDRESS_MAX], filter[PEOPLE_ADDRESS_MAX + 10];
	char none[] = LDAP_NO_ATTRS;
	char *attrs[] = {none, NULL};
	int msgid;

	bool is_person = people_ask(&s->random, npeople, address);
	snprintf(filter, sizeof filter, "(mail=%s)", address);
	int rc = ldap_search_ext(s->ld, PEOPLE_SUFFIX, LDAP_SCOPE_SUBTREE, filter, attrs, 1, NULL, NULL, NULL, 1, &msgid);
	if (rc != LDAP_SUCCESS)
		die("search", rc);
	asked[msgid % SLOTS] = (struct asked){msgid, is_person, false};
}

/* Takes one message; true if it ends a search. */
static bool take(struct stream *s, struct asked *asked)
{
	LDAPMessage *msg = NULL;
	int type = ldap_result(s->ld, LDAP_RES_ANY, LDAP_MSG_ONE, NULL, &msg);

	if (type <= 0)
		die("result", LDAP_SERVER_DOWN);
	struct asked *slot = &asked[ldap_msgid(msg) % SLOTS];
	if (slot->msgid != ldap_msgid(msg))
		die("an answer that was not asked for", LDAP_PROTOCOL_ERROR);
	if (type == LDAP_RES_SEARCH_ENTRY)
		slot->is_found = true;
	if (type == LDAP_RES_SEARCH_RESULT) {
		int code = LDAP_OTHER;
		ldap_parse_result(s->ld, msg, &code, NULL, NULL, NULL, NULL, 0);
		s->answered++;
		s->wrong += code != LDAP_SUCCESS || slot->is_found != slot->is_person;
	}
	ldap_msgfree(msg);
	return type == LDAP_RES_SEARCH_RESULT;
}

static void *run(void *arg)
{
	struct stream *s = arg;
	struct asked *asked = calloc(SLOTS, sizeof *asked);
	int64_t end = now_us() + (int64_t)run_ms * 1000;

	if (!asked)
		die("memory", LDAP_NO_MEMORY);
	unsigned in_flight = s->window;
	for (unsigned i = 0; i < s->window; i++)
		ask(s, asked);
	while (in_flight > 0) {
		if (!take(s, asked))
			continue;
		if (now_us() < end)
			ask(s, asked);
		else
			in_flight--;
	}
	free(asked);
	return NULL;
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int measure(unsigned n, unsigned in_flight, uint64_t seed)
{
	static struct stream streams[IN_FLIGHT_MAX];
	unsigned long answered = 0, wrong = 0;

	for (unsigned i = 0; i < n; i++)
		streams[i] = (struct stream){.ld = connected(), .random = seed * 1000003 + i + 1,
					     .window = in_flight / n + (i < in_flight % n)};
	double cpu = cpu_seconds();
	int64_t start = now_us();
	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&streams[i].thread, NULL, run, &streams[i]) != 0)
			die("a thread", LDAP_NO_MEMORY);
	for (unsigned i = 0; i < n; i++)
		pthread_join(streams[i].thread, NULL);
	double seconds = (double)(now_us() - start) / 1e6;
	cpu = cpu_seconds() - cpu;
	for (unsigned i = 0; i < n; i++) {
		answered += streams[i].answered;
		wrong += streams[i].wrong;
		ldap_unbind_ext_s(streams[i].ld, NULL, NULL);
	}
	printf("{\"lookups\": %lu, \"wrong\": %lu, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", answered, wrong, seconds,
	       cpu);
	return wrong > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- more people ---- */

static void add_person(LDAP *ld, unsigned n)
{
	char address[PEOPLE_ADDRESS_MAX], dn[80], uid[20];
	people_address(n, address);
	snprintf(uid, sizeof uid, "p%u", n);
	snprintf(dn, sizeof dn, "uid=%s," PEOPLE_SUFFIX, uid);
	char *class[] = {(char[]){"inetOrgPerson"}, NULL}, *uids[] = {uid, NULL}, *names[] = {(char[]){"Person"}, NULL};
	char *mails[] = {address, NULL};
	LDAPMod mods[] = {
		{.mod_type = (char[]){"objectClass"}, .mod_values = class},
		{.mod_type = (char[]){"uid"}, .mod_values = uids},
		{.mod_type = (char[]){"cn"}, .mod_values = names},
		{.mod_type = (char[]){"sn"}, .mod_values = names},
		{.mod_type = (char[]){"mail"}, .mod_values = mails},
	};
	LDAPMod *all[] = {&mods[0], &mods[1], &mods[2], &mods[3], &mods[4], NULL};
	int rc = ldap_add_ext_s(ld, dn, all, NULL, NULL);

	if (rc != LDAP_SUCCESS)
		die(dn, rc);
}

int main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "add") == 0) {
		uri = argv[2], bind_dn = argv[3], password = argv[4];
		unsigned first = (unsigned)atoi(argv[5]);
		LDAP *ld = connected();
		for (unsigned i = 0; i < (unsigned)atoi(argv[6]); i++)
			add_person(ld, first + i);
		ldap_unbind_ext_s(ld, NULL, NULL);
		return EXIT_SUCCESS;
	}
	int connections = argc == 10 ? atoi(argv[6]) : 0, in_flight = argc == 10 ? atoi(argv[7]) : 0;
	if (connections < 1 || in_flight < 1 || in_flight > IN_FLIGHT_MAX || strcmp(argv[1], "ask") != 0) {
		fputs("usage: bareldap ask URI BIND-DN PASSWORD PEOPLE CONNECTIONS IN-FLIGHT MS SEED\n"
		      "       bareldap add URI BIND-DN PASSWORD FIRST COUNT\n", stderr);
		return EXIT_FAILURE;
	}
	uri = argv[2], bind_dn = argv[3], password = argv[4];
	npeople = (unsigned)atoi(argv[5]);
	run_ms = (unsigned)atoi(argv[8]);
	return measure((unsigned)(connections < in_flight ? connections : in_flight), (unsigned)in_flight,
		       strtoull(argv[9], NULL, 10));
}
