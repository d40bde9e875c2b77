/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "t/bench/people.h"

enum { STRANGERS = 1000000, ONE_STRANGER_IN = 10 };

static const char *const first_names[] = {
	"anna", "ben", "carla", "david", "elena", "frank", "greta", "henry", "ines", "jonas", "katharina", "leo",
	"maria", "nils", "olga", "peter", "quentin", "rosa", "stefan", "tina", "ulrich", "vera", "walter", "xenia",
	"yusuf", "zoe", "christopher", "alexandra", "maximilian", "jo", "li", "tom",
};
static const char *const last_names[] = {
	"baker", "carpenter", "dyer", "eisenberg", "fisher", "gardener", "hunter", "ivanov", "jansen", "kowalski",
	"lopez", "mueller", "novak", "oduya", "petersen", "quist", "rossi", "schneider", "tanaka", "ueda", "vargas",
	"weaver", "xu", "yilmaz", "zimmermann", "andersson", "brown", "castellanos", "delacroix", "fitzgerald",
	"grzegorczyk", "ng",
};

enum { FIRST = sizeof first_names / sizeof *first_names, LAST = sizeof last_names / sizeof *last_names };

void people_address(unsigned n, char ret_address[PEOPLE_ADDRESS_MAX])
{
	snprintf(ret_address, PEOPLE_ADDRESS_MAX, "%s.%s%u@" PEOPLE_DOMAIN, first_names[n % FIRST],
		 last_names[n / FIRST % LAST], n / (FIRST * LAST));
}

void people_stranger(unsigned n, char ret_address[PEOPLE_ADDRESS_MAX])
{
	snprintf(ret_address, PEOPLE_ADDRESS_MAX, "%s_%s%u@" PEOPLE_DOMAIN, last_names[n % LAST],
		 first_names[n / LAST % FIRST], n / (FIRST * LAST));
}

void people_write_ldif(FILE *out, unsigned n)
{
	char address[PEOPLE_ADDRESS_MAX];

	people_address(n, address);
	fprintf(out, "dn: uid=p%u," PEOPLE_SUFFIX "\nobjectClass: inetOrgPerson\nuid: p%u\ncn: Person %u\nsn: Person\n"
		     "mail: %s\n\n", n, n, n, address);
}

/* Marsaglia's xorshift64 with a multiplication behind it. */
uint32_t people_random(uint64_t *state)
{
	uint64_t x = *state ? *state : 88172645463325252u;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (uint32_t)((x * 2685821657736338717u) >> 32);
}

bool people_ask(uint64_t *state, unsigned npeople, char ret_address[PEOPLE_ADDRESS_MAX])
{
	bool is_person = people_random(state) % ONE_STRANGER_IN != 0;

	if (is_person)
		people_address(people_random(state) % npeople, ret_address);
	else
		people_stranger(people_random(state) % STRANGERS, ret_address);
	return is_person;
}
