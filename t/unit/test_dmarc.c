/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/dmarc_walk.h"
#include "src/check/check.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

/* ---- records ---- */

static const struct {
	const char *text;
	bool is_none;
	const char *policies; /* p, sp, np */
	const char *flags;    /* adkim aspf t psd use, a letter each */
	const char *fo, *rua;
} records[] = {
	/* Appendix B.2 of RFC 9989. */
	{"v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com", .policies = "none none none", .flags = "rrnup",
	 .rua = "mailto:dmarc-feedback@example.com"},
	{"v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com; ruf=mailto:auth-reports@example.com",
	 .policies = "none none none", .flags = "rrnup", .rua = "mailto:dmarc-feedback@example.com"},
	{"v=DMARC1; p=quarantine; rua=mailto:dmarc-feedback@example.com,mailto:tld-test@thirdparty.example.net; t=y",
	 .policies = "quarantine quarantine quarantine", .flags = "rryup",
	 .rua = "mailto:dmarc-feedback@example.com,mailto:tld-test@thirdparty.example.net"},
	{"v=DMARC1; p=reject; aspf=r;\n        rua=mailto:dmarc-feedback@example.com", .policies = "reject reject reject",
	 .flags = "rrnup"},
	/* The version comes first, and in this case. */
	{"p=reject; v=DMARC1", .is_none = true},
	{"v=dmarc1; p=reject", .is_none = true},
	{"v=DMARC2; p=reject", .is_none = true},
	{"v=DMARC10; p=reject", .is_none = true},
	{"v=DMARC1 p=reject", .is_none = true},
	{"v=DMARC1,p=reject", .is_none = true},
	{" v=DMARC1; p=reject", .is_none = true},
	{"\tv=DMARC1; p=reject", .is_none = true},
	{";v=DMARC1; p=reject", .is_none = true},
	{"v=DMARC", .is_none = true},
	{"v=", .is_none = true},
	{"v", .is_none = true},
	{"", .is_none = true},
	{"v=spf1 -all", .is_none = true},
	{"\"v=DMARC1; p=reject\"", .is_none = true},
	{"vv=DMARC1; p=reject", .is_none = true},
	/* ... but it may have blanks around it, and the name is no matter of case in the formal definition. */
	{"v = DMARC1 ;p = reject", .policies = "reject reject reject", .flags = "rrnup"},
	{"V=DMARC1;P=REJECT", .policies = "reject reject reject", .flags = "rrnup"},
	{"v=DMARC1;p=reject", .policies = "reject reject reject", .flags = "rrnup"},
	{"v=DMARC1;;; p=reject;", .policies = "reject reject reject", .flags = "rrnup"},
	/* What subdomains inherit. */
	{"v=DMARC1; p=reject; sp=none", .policies = "reject none none", .flags = "rrnup"},
	{"v=DMARC1; p=none; np=reject", .policies = "none none reject", .flags = "rrnup"},
	{"v=DMARC1; p=reject; sp=quarantine; np=none", .policies = "reject quarantine none", .flags = "rrnup"},
	{"v=DMARC1; np=reject; sp=quarantine; p=none", .policies = "none quarantine reject", .flags = "rrnup"},
	/* Modes and marks. */
	{"v=DMARC1; p=reject; adkim=s; aspf=S; t=Y; psd=y", .policies = "reject reject reject", .flags = "ssyyp"},
	{"v=DMARC1; p=reject; adkim=r; aspf=r; t=n; psd=n", .policies = "reject reject reject", .flags = "rrnnp"},
	{"v=DMARC1; p=reject; psd=u", .policies = "reject reject reject", .flags = "rrnup"},
	/* A value that can't be read leaves the default. */
	{"v=DMARC1; p=reject; adkim=strict; aspf=; t=yes; psd=maybe; fo=x", .policies = "reject reject reject",
	 .flags = "rrnup", .fo = ""},
	{"v=DMARC1; p=reject; adkim", .policies = "reject reject reject", .flags = "rrnup"},
	{"v=DMARC1; p=reject; =s; ==; adkim=s", .policies = "reject reject reject", .flags = "srnup"},
	/* Unknown tags, and those of older records, are not there. */
	{"v=DMARC1; p=reject; pct=0; ri=3600; rf=afrf; x=y; v=DMARC2", .policies = "reject reject reject", .flags = "rrnup"},
	/* The first of two counts. */
	{"v=DMARC1; p=reject; p=none", .policies = "reject reject reject", .flags = "rrnup"},
	{"v=DMARC1; p=none; p=bad", .policies = "none none none", .flags = "rrnup"},
	/* Section 4.10.1: no policy, or none that can be read. */
	{"v=DMARC1", .policies = "none none none", .flags = "rrnun"},
	{"v=DMARC1;", .policies = "none none none", .flags = "rrnun"},
	{"v=DMARC1; psd=y", .policies = "none none none", .flags = "rrnyn"},
	{"v=DMARC1; sp=reject", .policies = "none reject reject", .flags = "rrnun"},
	{"v=DMARC1; rua=mailto:a@example.com", .policies = "none none none", .flags = "rrnup", .rua = "mailto:a@example.com"},
	{"v=DMARC1; sp=reject; rua=mailto:a@example.com", .policies = "none reject reject", .flags = "rrnup"},
	{"v=DMARC1; p=rejct", .policies = "none none none", .flags = "rrnub"},
	{"v=DMARC1; p=", .policies = "none none none", .flags = "rrnub"},
	{"v=DMARC1; p=reject none", .policies = "none none none", .flags = "rrnub"},
	{"v=DMARC1; p=reject; sp=bad", .policies = "none none none", .flags = "rrnub"},
	{"v=DMARC1; p=reject; np=bad", .policies = "none none none", .flags = "rrnub"},
	{"v=DMARC1; p=bad; rua=mailto:a@example.com", .policies = "none none none", .flags = "rrnup"},
	{"v=DMARC1; p=reject; sp=bad; rua=mailto:a@example.com", .policies = "none none none", .flags = "rrnup"},
	{"v=DMARC1; p=bad; rua=a@example.com", .policies = "none none none", .flags = "rrnub", .rua = ""},
	{"v=DMARC1; p=bad; rua=mailto:", .policies = "none none none", .flags = "rrnub", .rua = ""},
	{"v=DMARC1; p=bad; rua=mailto:@x", .policies = "none none none", .flags = "rrnub", .rua = ""},
	{"v=DMARC1; p=bad; rua=mailto:x@", .policies = "none none none", .flags = "rrnub", .rua = ""},
	{"v=DMARC1; p=bad; rua=1:x", .policies = "none none none", .flags = "rrnub", .rua = ""},
	{"v=DMARC1; p=bad; rua= , ,", .policies = "none none none", .flags = "rrnub", .rua = ""},
	{"v=DMARC1; p=bad; rua=mailto:\xc3\xa4@example.com", .policies = "none none none", .flags = "rrnub", .rua = ""},
	/* URIs: those that can be read. */
	{"v=DMARC1; p=none; rua=bad, mailto:a@example.com!10m ,\thttps://r.example/x", .policies = "none none none",
	 .flags = "rrnup", .rua = "mailto:a@example.com!10m,https://r.example/x"},
	/* Options of failure reports. */
	{"v=DMARC1; p=none; fo=1:d:s", .policies = "none none none", .flags = "rrnup", .fo = "1:d:s"},
	{"v=DMARC1; p=none; fo= 0 : D", .policies = "none none none", .flags = "rrnup", .fo = "0:d"},
	{"v=DMARC1; p=none; fo=1:", .policies = "none none none", .flags = "rrnup", .fo = ""},
	{"v=DMARC1; p=none; fo=1:1:1:1:1:1:1:1:1:1", .policies = "none none none", .flags = "rrnup", .fo = ""},
};

static void check_record(size_t i, const struct mxw__dmarc_record *r)
{
	const struct mxw__dmarc_published *pub = &r->published;
	char policies[64], flags[8];

	snprintf(policies, sizeof policies, "%s %s %s", mxw__dmarc_policy_name(pub->p), mxw__dmarc_policy_name(pub->sp),
		 mxw__dmarc_policy_name(pub->np));
	snprintf(flags, sizeof flags, "%c%c%c%c%c", pub->is_adkim_strict ? 's' : 'r', pub->is_aspf_strict ? 's' : 'r',
		 pub->is_testing ? 'y' : 'n', "uyn"[r->psd], "pnb"[r->use]);
	ck_assert_msg(strcmp(policies, records[i].policies) == 0, "'%s': %s", records[i].text, policies);
	ck_assert_msg(strcmp(flags, records[i].flags) == 0, "'%s': %s", records[i].text, flags);
	if (records[i].fo)
		ck_assert_msg(strcmp(pub->fo, records[i].fo) == 0, "'%s': %s", records[i].text, pub->fo);
	if (records[i].rua)
		ck_assert_msg(strcmp(pub->rua, records[i].rua) == 0, "'%s': %s", records[i].text, pub->rua);
}

START_TEST(records_are_read_as_the_standard_says)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(records); i++) {
		struct mxw__dmarc_record r;
		const uint8_t *text = (const uint8_t *)records[i].text;
		size_t len = strlen(records[i].text);
		bool is_one = mxw__dmarc_record_parse(text, len, &r);
		ck_assert_msg(is_one != records[i].is_none, "'%s'", records[i].text);
		ck_assert_int_eq(is_one, mxw__dmarc_record_is_dmarc(text, len));
		if (is_one)
			check_record(i, &r);
	}
}
END_TEST

START_TEST(a_nul_is_no_end)
{
	static const char early[] = "v=DMARC1\0; p=reject", late[] = "v=DMARC1; p=reject\0; sp=none", inside[] =
		"v=DMARC1; x=\0; p=reject";
	struct mxw__dmarc_record r;

	ck_assert(!mxw__dmarc_record_parse((const uint8_t *)early, sizeof early - 1, &r));
	ck_assert(mxw__dmarc_record_parse((const uint8_t *)late, sizeof late - 1, &r));
	ck_assert_int_eq(r.use, MXW__DMARC_USE_BROKEN);
	ck_assert(mxw__dmarc_record_parse((const uint8_t *)inside, sizeof inside - 1, &r));
	ck_assert_int_eq(r.published.p, MXW__DMARC_POLICY_REJECT);
}
END_TEST

START_TEST(a_record_of_64_kb_is_read_to_its_end_and_kept_in_bounds)
{
	enum { SIZE = 65535 };
	char *text = malloc(SIZE + 1);
	struct mxw__dmarc_record r;
	size_t n = (size_t)sprintf(text, "v=DMARC1; rua=");

	while (n < SIZE - 40)
		n += (size_t)sprintf(text + n, "mailto:a@example.com,");
	n += (size_t)sprintf(text + n, "x;p=reject");
	ck_assert(mxw__dmarc_record_parse((uint8_t *)text, n, &r));
	ck_assert_int_eq(r.published.p, MXW__DMARC_POLICY_REJECT);
	/* Whole URIs only. */
	ck_assert_uint_lt(strlen(r.published.rua), sizeof r.published.rua);
	ck_assert_uint_gt(strlen(r.published.rua), sizeof r.published.rua - 30);
	ck_assert_str_eq(r.published.rua + strlen(r.published.rua) - 11, "example.com");
	free(text);
}
END_TEST

/* ---- walks ---- */

struct world {
	struct fake_clock clock;
	fake_resolver_t *dns;
	struct mxw_dns_budget budget;
};

static void world_init(struct world *w, const char *zone)
{
	*w = (struct world){0};
	fake_clock_init(&w->clock);
	w->dns = fake_resolver_new(&w->clock);
	fake_resolver_script(w->dns, zone);
}

static void world_fini(struct world *w)
{
	mxw_resolver_unref(&w->dns->resolver);
}

static struct mxw__dmarc_dns dns_of(struct world *w)
{
	return (struct mxw__dmarc_dns){.resolver = &w->dns->resolver, .budget = &w->budget,
				       .deadline_ms = mxw__now_ms(&w->clock.clock) + 5000};
}

/* Sections 4.10 and 5.1.8, and appendix B.4.2. */
static const struct {
	const char *domain, *names;
} walks[] = {
	{"example.com", "example.com com"},
	{"com", "com"},
	{"a.mail.example.com", "a.mail.example.com mail.example.com example.com com"},
	{"a.b.c.d.e.f.g.h.i.j.mail.example.com",
	 "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com i.j.mail.example.com "
	 "j.mail.example.com mail.example.com example.com com"},
	{"mail.a.b.c.d.e.f.g.example.com",
	 "mail.a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com d.e.f.g.example.com e.f.g.example.com f.g.example.com "
	 "g.example.com example.com com"},
	{"a.b.c.d.e.f.g.h.i.j.k.example.com",
	 "a.b.c.d.e.f.g.h.i.j.k.example.com g.h.i.j.k.example.com h.i.j.k.example.com i.j.k.example.com j.k.example.com "
	 "k.example.com example.com com"},
	{"a.b.c.d.e.f.example.com",
	 "a.b.c.d.e.f.example.com b.c.d.e.f.example.com c.d.e.f.example.com d.e.f.example.com e.f.example.com f.example.com "
	 "example.com com"},
	{"a.b.c.d.e.f.g.example.com",
	 "a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com d.e.f.g.example.com e.f.g.example.com f.g.example.com g.example.com "
	 "example.com com"},
	{"B\xc3\xbc" "cher.Example.", "xn--bcher-kva.example example"},
};

START_TEST(a_walk_has_at_most_eight_names)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(walks); i++) {
		struct mxw__dmarc_walk walk;
		char names[1024] = "";
		ck_assert(mxw__dmarc_walk_init(&walk, walks[i].domain));
		ck_assert_uint_le(walk.nsteps, MXW__DMARC_STEPS_MAX);
		for (size_t s = 0; s < walk.nsteps; s++) {
			strcat(names, s ? " " : "");
			strcat(names, mxw__dmarc_step_name(&walk, s));
		}
		ck_assert_str_eq(names, walks[i].names);
	}
}
END_TEST

START_TEST(what_is_no_domain_has_no_walk)
{
	static const char *const names[] = {"", ".", "[192.0.2.1]", "a..b", "a b.example", "-", "a\xff.example"};
	struct mxw__dmarc_walk walk;
	char longest[400];

	for (size_t i = 0; i < MXW_ARRAY_LEN(names); i++)
		if (strcmp(names[i], "-") != 0)
			ck_assert_msg(!mxw__dmarc_walk_init(&walk, names[i]), "'%s'", names[i]);
	memset(longest, 'a', 300);
	strcpy(longest + 300, ".example");
	ck_assert(!mxw__dmarc_walk_init(&walk, longest));
	/* The longest name there can be: with _dmarc before it, it is none any more. */
	for (int i = 0; i < 253; i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[253] = '\0';
	ck_assert(mxw__dmarc_walk_init(&walk, longest));
	struct world w;
	world_init(&w, "");
	struct mxw__dmarc_dns dns = dns_of(&w);
	ck_assert_int_eq(mxw__dmarc_step_state(&walk, 0, &dns), MXW__DMARC_STEP_NONE);
	world_fini(&w);
}
END_TEST

/* Section 4.10.2 and appendix B.4. */
static const struct {
	const char *zone, *domain, *org;
} orgs[] = {
	{"_dmarc.mail.example.com TXT \"v=DMARC1; p=none\"\n_dmarc.example.com TXT \"v=DMARC1; p=none\"", "a.mail.example.com",
	 "example.com"},
	{"_dmarc.mail.example.com TXT \"v=DMARC1; psd=n\"\n_dmarc.example.com TXT \"v=DMARC1; p=none\"", "a.mail.example.com",
	 "mail.example.com"},
	{"_dmarc.com TXT \"v=DMARC1; psd=y\"", "a.mail.example.com", "example.com"},
	{"_dmarc.example.com TXT \"v=DMARC1; psd=y\"\n_dmarc.mail.example.com TXT \"v=DMARC1\"", "mail.example.com",
	 "mail.example.com"},
	{"", "a.mail.example.com", "a.mail.example.com"},
	{"_dmarc.example.com TXT \"v=DMARC1; p=none\"\n_dmarc.signing.example.com TXT \"v=DMARC1; p=none\"", "signing.example.com",
	 "example.com"},
	{"_dmarc.example.com TXT \"v=DMARC1; p=none\"", "a.b.c.d.e.f.g.h.i.j.k.example.com", "example.com"},
	{"_dmarc.bank.example TXT \"v=DMARC1; psd=y\"\n_dmarc.giant.bank.example TXT \"v=DMARC1; p=none\"", "giant.bank.example",
	 "giant.bank.example"},
	{"_dmarc.bank.example TXT \"v=DMARC1; psd=y\"\n_dmarc.giant.bank.example TXT \"v=DMARC1; p=none\"",
	 "mail.giant.bank.example", "giant.bank.example"},
	{"_dmarc.bank.example TXT \"v=DMARC1; psd=y\"", "mail.mega.bank.example", "mega.bank.example"},
	/* Where the walk starts, psd=y only ends it. */
	{"_dmarc.bank.example TXT \"v=DMARC1; psd=y\"\n_dmarc.example TXT \"v=DMARC1\"", "bank.example", "bank.example"},
	/* A walk of a long name does not see what is in the gap; the domain below a psd=y may be there. */
	{"_dmarc.b.c.d.e.f.g.example.com TXT \"v=DMARC1; psd=n\"\n_dmarc.example.com TXT \"v=DMARC1\"",
	 "mail.a.b.c.d.e.f.g.example.com", "example.com"},
	{"_dmarc.c.d.e.f.g.example.com TXT \"v=DMARC1; psd=y\"", "mail.a.b.c.d.e.f.g.example.com",
	 "b.c.d.e.f.g.example.com"},
	/* Several records are none; others at the name do not matter. */
	{"_dmarc.example.com TXT \"v=DMARC1; p=none\"\n_dmarc.example.com TXT \"v=DMARC1; p=reject\"", "a.example.com",
	 "a.example.com"},
	{"_dmarc.example.com TXT \"v=DMARC1; p=none\"\n_dmarc.example.com TXT \"v=spf1 -all\"", "a.example.com", "example.com"},
	/* A record in pieces. */
	{"_dmarc.example.com TXT \"v=DM\" \"ARC1; ps\" \"d=n\"\n_dmarc.com TXT \"v=DMARC1\"", "a.example.com", "example.com"},
	/* Below an answer that is missing, all may be. */
	{"_dmarc.com TXT !timeout\n_dmarc.example.com TXT \"v=DMARC1\"", "a.example.com", NULL},
	{"_dmarc.com TXT !timeout\n_dmarc.example.com TXT \"v=DMARC1; psd=n\"", "a.example.com", "example.com"},
	{"_dmarc.a.example.com TXT !servfail\n_dmarc.example.com TXT \"v=DMARC1; psd=n\"", "a.example.com", NULL},
	{"_dmarc.a.example.com TXT !bogus", "a.example.com", NULL},
};

START_TEST(organisational_domains_are_those_of_the_standard)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(orgs); i++) {
		struct world w;
		struct mxw__dmarc_walk walk;
		world_init(&w, orgs[i].zone);
		struct mxw__dmarc_dns dns = dns_of(&w);
		ck_assert(mxw__dmarc_walk_init(&walk, orgs[i].domain));
		const char *org = mxw__dmarc_walk_org(&walk, &dns);
		ck_assert_msg(!org == !orgs[i].org && (!org || strcmp(org, orgs[i].org) == 0), "%zu: %s", i, org ? org : "-");
		world_fini(&w);
	}
}
END_TEST

/* ---- agreement, against what the standard's words come to in every world there could be ---- */

enum { KINDS = 5 }; /* none, psd=u, psd=y, psd=n, no answer */

static void put(struct mxw__dmarc_walk *walk, const char *name, int kind)
{
	static const mxw__dmarc_psd_t psds[] = {0, MXW__DMARC_PSD_UNKNOWN, MXW__DMARC_PSD_YES, MXW__DMARC_PSD_NO};

	for (size_t i = 0; i < walk->nsteps; i++) {
		if (strcmp(mxw__dmarc_step_name(walk, i), name) != 0)
			continue;
		walk->steps[i].state = kind == 0 ? MXW__DMARC_STEP_NONE : kind < 4 ? MXW__DMARC_STEP_RECORD : MXW__DMARC_STEP_UNKNOWN;
		if (kind < 4)
			walk->steps[i].record = (struct mxw__dmarc_record){.psd = psds[kind]};
	}
}

struct pair {
	struct mxw__dmarc_walk a, b;
	const char *names[16];
	int kinds[16];
	size_t n;
};

static void add_name(struct pair *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->names[i], name) == 0)
			return;
	p->names[p->n++] = name;
}

static void pair_init(struct pair *p, const char *a, const char *b)
{
	p->n = 0;
	ck_assert(mxw__dmarc_walk_init(&p->a, a) && mxw__dmarc_walk_init(&p->b, b));
	for (size_t i = 0; i < p->a.nsteps; i++)
		add_name(p, mxw__dmarc_step_name(&p->a, i));
	for (size_t i = 0; i < p->b.nsteps; i++)
		add_name(p, mxw__dmarc_step_name(&p->b, i));
}

static void fill(struct pair *p)
{
	for (size_t i = 0; i < p->n; i++) {
		put(&p->a, p->names[i], p->kinds[i]);
		put(&p->b, p->names[i], p->kinds[i]);
	}
}

/* Tries every answer for what has none; bits: 1 for agreement, 2 for none. */
static int try_all(struct pair *p, size_t i)
{
	while (i < p->n && p->kinds[i] != KINDS - 1)
		i++;
	if (i == p->n) {
		fill(p);
		return strcmp(mxw__dmarc_walk_org(&p->a, NULL), mxw__dmarc_walk_org(&p->b, NULL)) == 0 ? 1 : 2;
	}
	int seen = 0;
	for (int kind = 0; kind < KINDS - 1; kind++) {
		p->kinds[i] = kind;
		seen |= try_all(p, i + 1);
	}
	p->kinds[i] = KINDS - 1;
	return seen;
}

static void compare(struct pair *p)
{
	static const mxw__dmarc_tri_t wanted[] = {0, MXW__DMARC_YES, MXW__DMARC_NO, MXW__DMARC_MAYBE};

	fill(p);
	mxw__dmarc_tri_t ab = mxw__dmarc_walks_agree(&p->a, &p->b, NULL), ba = mxw__dmarc_walks_agree(&p->b, &p->a, NULL);
	mxw__dmarc_tri_t truth = wanted[try_all(p, 0)];
	if (ab == truth && ba == truth)
		return;
	for (size_t i = 0; i < p->n; i++)
		fprintf(stderr, "%s: %d\n", p->names[i], p->kinds[i]);
	ck_abort_msg("%s and %s: %d, %d, wanted %d", p->a.domain, p->b.domain, ab, ba, truth);
}

static const struct {
	const char *a, *b;
} pairs[] = {
	{"a.e.com", "e.com"},
	{"a.e.com", "b.e.com"},
	{"x.a.e.com", "a.e.com"},
	{"x.a.e.com", "e.com"},
	{"e.com", "f.com"},
	{"e.com", "f.org"},
	{"com", "e.com"},
	{"com", "org"},
	/* Long names, of which each walk sees other parts. */
	{"1.2.3.4.5.6.7.8.9.com", "1.3.4.5.6.7.8.9.com"},
	{"1.2.3.4.5.6.7.8.9.com", "2.3.4.5.6.7.8.9.com"},
	{"1.2.3.4.5.6.7.8.9.com", "3.4.5.6.7.8.9.com"},
	{"1.2.3.4.5.6.7.8.9.com", "4.5.6.7.8.9.com"},
	{"1.2.3.4.5.6.7.8.9.com", "x.3.4.5.6.7.8.9.com"},
	{"1.2.3.4.5.6.7.8.9.com", "9.com"},
	{"2.3.4.5.6.7.8.9.com", "y.3.4.5.6.7.8.9.com"},
};

START_TEST(agreement_is_what_every_possible_answer_would_come_to)
{
	unsigned chance = 1;

	for (size_t i = 0; i < MXW_ARRAY_LEN(pairs); i++) {
		struct pair p;
		pair_init(&p, pairs[i].a, pairs[i].b);
		unsigned total = 1;
		for (size_t k = 0; k < p.n && total < 10000; k++)
			total *= KINDS;
		bool is_exhaustive = total < 10000;
		for (unsigned world = 0; world < (is_exhaustive ? total : 3000); world++) {
			unsigned rest = world, unknown = 0;
			for (size_t k = 0; k < p.n; k++, rest /= KINDS) {
				chance = chance * 1103515245 + 12345;
				/* Mostly nothing, as in the real world: else every walk stops at once. */
				int any = chance >> 16 & 1 ? 0 : (int)((chance >> 20) % KINDS);
				p.kinds[k] = is_exhaustive ? (int)(rest % KINDS) : any;
				if (p.kinds[k] == KINDS - 1 && ++unknown > 4)
					p.kinds[k] = 0;
			}
			compare(&p);
		}
	}
}
END_TEST

/* ---- evaluations ---- */

#define COM "_dmarc.example.com TXT \"v=DMARC1; p=reject; aspf=r; rua=mailto:dmarc-feedback@example.com\"\n"
#define STRICT "_dmarc.example.com TXT \"v=DMARC1; p=reject; adkim=s; aspf=s\"\n"
#define SIGNING COM "_dmarc.signing.example.com TXT \"v=DMARC1; p=none\"\n"
#define BANK \
	"_dmarc.bank.example TXT \"v=DMARC1; p=reject; psd=y\"\n_dmarc.giant.bank.example TXT \"v=DMARC1; p=quarantine\"\n"
#define PSD "_dmarc.gov.example TXT \"v=DMARC1; p=none; sp=quarantine; np=reject; psd=y\"\n"

/* An identifier is a domain; "?" before it: not known whether it passes; "!": it does not. */
static const struct {
	const char *zone, *author, *spf, *dkim;
	const char *result, *policy, *domain, *aligned; /* policy "-": no record; "?": not known */
} cases[] = {
	/* Section 4.4, table 1. */
	{COM, "news.example.com", "foo.example.com", "", "pass", "reject", "example.com", "spf"},
	{COM, "news.example.com", "news.example.com", "", "pass", "reject", "example.com", "spf"},
	{COM, "news.example.com", "foo.example.net", "", "fail", "reject", "example.com", ""},
	/* Appendix B.1.1. */
	{STRICT, "example.com", "example.com", "", "pass", "reject", "example.com", "spf"},
	{COM, "example.com", "child.example.com", "", "pass", "reject", "example.com", "spf"},
	{COM, "child.example.com", "example.net", "", "fail", "reject", "example.com", ""},
	/* B.1.2. */
	{STRICT, "example.com", "", "example.com", "pass", "reject", "example.com", "dkim"},
	{COM, "child.example.com", "", "example.com", "pass", "reject", "example.com", "dkim"},
	{COM, "child.example.com", "", "example.net", "fail", "reject", "example.com", ""},
	/* B.3.1. */
	{COM, "example.com", "mail.example.com", "example.com", "pass", "reject", "example.com", "spf dkim"},
	/* B.4.1. */
	{SIGNING, "example.com", "example.com", "signing.example.com", "pass", "reject", "example.com", "spf dkim"},
	{SIGNING, "example.com", "!example.com", "signing.example.com", "pass", "reject", "example.com", "dkim"},
	{SIGNING, "example.com", "!example.com", "!signing.example.com", "fail", "reject", "example.com", ""},
	/* B.4.2. */
	{SIGNING, "a.b.c.d.e.f.g.h.i.j.k.example.com", "example.com", "signing.example.com", "pass", "reject", "example.com",
	 "spf dkim"},
	/* B.4.3. */
	{BANK, "giant.bank.example", "mail.giant.bank.example", "mail.mega.bank.example", "pass", "quarantine",
	 "giant.bank.example", "spf"},
	{BANK, "giant.bank.example", "!mail.giant.bank.example", "mail.mega.bank.example", "fail", "quarantine",
	 "giant.bank.example", ""},
	{BANK, "mega.bank.example", "", "mail.giant.bank.example", "fail", "reject", "bank.example", ""},
	/* Section 11.8: the domain in between is not the organisation without psd=n. */
	{COM "_dmarc.mail.example.com TXT \"v=DMARC1; p=none\"", "evil.example.com", "mail.example.com", "", "pass", "reject",
	 "example.com", "spf"},
	{COM "_dmarc.mail.example.com TXT \"v=DMARC1; p=none; psd=n\"", "evil.example.com", "mail.example.com", "", "fail",
	 "reject", "example.com", ""},
	/* Strict: the very domain. */
	{STRICT, "example.com", "mail.example.com", "mail.example.com", "fail", "reject", "example.com", ""},
	{STRICT, "mail.example.com", "mail.example.com", "", "pass", "reject", "example.com", "spf"},
	{"_dmarc.example.com TXT \"v=DMARC1; p=reject; adkim=s\"", "example.com", "m.example.com", "m.example.com", "pass",
	 "reject", "example.com", "spf"},
	{"_dmarc.example.com TXT \"v=DMARC1; p=reject; aspf=s\"", "example.com", "m.example.com", "m.example.com", "pass",
	 "reject", "example.com", "dkim"},
	/* Case and U-labels do not matter. */
	{COM, "EXAMPLE.com", "", "Example.COM", "pass", "reject", "example.com", "dkim"},
	{"_dmarc.xn--bcher-kva.example TXT \"v=DMARC1; p=reject; adkim=s\"", "b\xc3\xbc" "cher.example", "",
	 "xn--bcher-kva.example", "pass", "reject", "xn--bcher-kva.example", "dkim"},
	/* No record: DMARC does not apply, whatever passes. */
	{"", "example.com", "example.com", "example.com", "none", "-", "", ""},
	{"", "example.com", "", "", "none", "-", "", ""},
	{COM, "[192.0.2.1]", "example.com", "", "none", "-", "", ""},
	/* A record that asks for nothing, and one that can't be read. */
	{"_dmarc.example.com TXT \"v=DMARC1\"", "example.com", "", "", "none", "-", "", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=bad\"", "example.com", "", "", "permerror", "-", "", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=bad; rua=mailto:a@example.com\"", "example.com", "", "", "fail", "none",
	 "example.com", ""},
	/* Of two records none. */
	{COM "_dmarc.example.com TXT \"v=DMARC1; p=none\"", "example.com", "", "", "none", "-", "", ""},
	/* The author's own record goes before the organisation's, with p; the one between does not count. */
	{COM "_dmarc.a.example.com TXT \"v=DMARC1; p=none; sp=reject\"", "a.example.com", "", "", "fail", "none", "a.example.com",
	 ""},
	{COM "_dmarc.a.example.com TXT \"v=DMARC1; p=none\"", "b.a.example.com", "", "", "fail", "reject", "example.com", ""},
	/* t=y: one step weaker. */
	{"_dmarc.example.com TXT \"v=DMARC1; p=reject; t=y\"", "example.com", "", "", "fail", "quarantine", "example.com", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=quarantine; t=y\"", "example.com", "", "", "fail", "none", "example.com", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=none; t=y\"", "example.com", "", "", "fail", "none", "example.com", ""},
	/* Subdomains: those there are, and those there are not. */
	{"_dmarc.example.com TXT \"v=DMARC1; p=reject; sp=none\"", "a.example.com", "", "", "fail", "none", "example.com", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=none; np=reject\"", "a.example.com", "", "", "fail", "reject", "example.com", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=none; np=reject\"\na.example.com A 192.0.2.1", "a.example.com", "", "", "fail",
	 "none", "example.com", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=none; np=reject\"\na.example.com MX 0 .", "a.example.com", "", "", "fail", "none",
	 "example.com", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=none; np=reject\"", "example.com", "", "", "fail", "none", "example.com", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=none; np=reject; t=y\"", "a.example.com", "", "", "fail", "quarantine",
	 "example.com", ""},
	/* A public suffix that speaks for those who say nothing. */
	{PSD, "new.gov.example", "", "", "fail", "reject", "gov.example", ""},
	{PSD "new.gov.example A 192.0.2.1", "new.gov.example", "", "", "fail", "quarantine", "gov.example", ""},
	{PSD, "gov.example", "", "", "fail", "none", "gov.example", ""},
	{PSD, "mail.new.gov.example", "new.gov.example", "", "pass", "reject", "gov.example", "spf"},
	{PSD, "one.gov.example", "two.gov.example", "", "fail", "reject", "gov.example", ""},
	{PSD "_dmarc.one.gov.example TXT \"v=DMARC1; p=none\"", "m.one.gov.example", "", "", "fail", "none", "one.gov.example",
	 ""},
	/* No answer: all may be. A pass for the author's very domain is one of any record's. */
	{"_dmarc.example.com TXT !timeout", "example.com", "", "", "temperror", "?", "", ""},
	{"_dmarc.example.com TXT !servfail", "example.com", "example.com", "", "temperror", "?", "", "spf"},
	{"_dmarc.example.com TXT !bogus", "example.com", "", "example.com", "temperror", "?", "", "dkim"},
	{"_dmarc.example.com TXT !overbudget", "example.com", "", "example.net", "temperror", "?", "", ""},
	{"_dmarc.example.com TXT !timeout", "example.com", "mail.example.com", "", "temperror", "?", "", "?"},
	{"_dmarc.example.com TXT !timeout", "a.example.com", "", "", "temperror", "?", "", ""},
	/* An answer is missing, and it is the same in any case. */
	{COM "_dmarc.com TXT !timeout", "example.com", "example.com", "", "pass", "reject", "example.com", "spf"},
	{COM "_dmarc.com TXT !timeout", "example.com", "a.example.com", "", "pass", "reject", "example.com", "spf"},
	{COM "_dmarc.com TXT !timeout", "example.com", "example.net", "", "fail", "reject", "example.com", ""},
	{COM "_dmarc.com TXT !timeout", "example.com", "", "", "fail", "reject", "example.com", ""},
	{STRICT "_dmarc.com TXT !timeout", "example.com", "a.example.com", "", "fail", "reject", "example.com", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=reject; psd=n\"\n_dmarc.com TXT !timeout", "a.example.com", "b.example.com", "",
	 "pass", "reject", "example.com", "spf"},
	/* ... and where it is not. */
	{COM "_dmarc.com TXT !timeout", "example.com", "other.com", "", "temperror", "reject", "example.com", "?"},
	{COM "_dmarc.com TXT !timeout", "a.example.com", "", "", "temperror", "?", "", ""},
	{COM "_dmarc.m.example.com TXT !timeout", "example.com", "m.example.com", "", "temperror", "reject", "example.com", "?"},
	{COM "_dmarc.m.example.com TXT !timeout", "example.com", "m.example.com", "example.com", "pass", "reject", "example.com",
	 "dkim ?"},
	/* SPF and DKIM without an answer: they matter if they are aligned. */
	{COM, "example.com", "?example.com", "", "temperror", "reject", "example.com", "?"},
	{COM, "example.com", "?example.net", "", "fail", "reject", "example.com", ""},
	{COM, "example.com", "", "?example.com", "temperror", "reject", "example.com", "?"},
	{COM, "example.com", "", "?other.example", "fail", "reject", "example.com", ""},
	{COM, "example.com", "?example.com", "example.com", "pass", "reject", "example.com", "dkim ?"},
	{STRICT, "example.com", "?m.example.com", "?m.example.com", "fail", "reject", "example.com", ""},
	/* Whether the name exists is not known: nor is the policy, where that matters. */
	{"_dmarc.example.com TXT \"v=DMARC1; p=none; np=reject\"\na.example.com MX !timeout", "a.example.com", "", "", "fail", "?",
	 "example.com", ""},
	{"_dmarc.example.com TXT \"v=DMARC1; p=reject; np=reject\"\na.example.com MX !timeout", "a.example.com", "", "", "fail",
	 "reject", "example.com", ""},
};

static struct mxw__dmarc_identifier identifier(const char *text)
{
	struct mxw__dmarc_identifier id = {.domain = text, .passes = MXW__DMARC_YES};

	if (*text == '?' || *text == '!') {
		id.domain++;
		id.passes = *text == '?' ? MXW__DMARC_MAYBE : MXW__DMARC_NO;
	}
	if (!*text)
		id = (struct mxw__dmarc_identifier){0};
	return id;
}

static struct mxw__dmarc_query query_of(struct world *w, const char *author, const char *spf, const char *dkim)
{
	struct mxw__dmarc_query query = {.authors = {author}, .nauthors = 1, .spf = identifier(spf), .dns = dns_of(w)};

	if (*dkim)
		query.dkim[query.ndkim++] = identifier(dkim);
	return query;
}

static void check_answer(size_t i, const struct mxw__dmarc_answer *a)
{
	char aligned[32];
	const char *policy = a->is_policy_unknown ? "?" : a->has_record ? mxw__dmarc_policy_name(a->policy) : "-";

	snprintf(aligned, sizeof aligned, "%s%s%s", a->spf_aligned ? "spf " : "", a->dkim_aligned ? "dkim " : "",
		 a->is_alignment_unknown ? "? " : "");
	if (*aligned)
		aligned[strlen(aligned) - 1] = '\0';
	ck_assert_msg(strcmp(mxw__dmarc_result_name(a->result), cases[i].result) == 0 && strcmp(policy, cases[i].policy) == 0 &&
			      strcmp(a->policy_domain, cases[i].domain) == 0 && strcmp(aligned, cases[i].aligned) == 0,
		      "%zu, from %s, spf %s, dkim %s: %s %s %s '%s'", i, cases[i].author, cases[i].spf, cases[i].dkim,
		      mxw__dmarc_result_name(a->result), policy, a->policy_domain, aligned);
	ck_assert_msg((a->result == MXW__DMARC_TEMPERROR || a->result == MXW__DMARC_PERMERROR) <= (*a->reason != '\0'), "%zu", i);
}

START_TEST(results_are_those_of_the_standard)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(cases); i++) {
		struct world w;
		struct mxw__dmarc_answer answer;
		world_init(&w, cases[i].zone);
		struct mxw__dmarc_query query = query_of(&w, cases[i].author, cases[i].spf, cases[i].dkim);
		mxw__dmarc_evaluate(&query, &answer);
		check_answer(i, &answer);
		world_fini(&w);
	}
}
END_TEST

/* ---- results, against those of every answer that may be missing ---- */

static const char *const kinds[] = {
	"", "v=DMARC1; p=reject", "v=DMARC1; p=none; aspf=s", "v=DMARC1; p=quarantine; psd=n", "v=DMARC1; p=none; psd=y",
};
enum { UNANSWERED = 5 }; /* the kind after these */

static void evaluate_world(const char *const *names, const int *chosen, size_t n, const char *author, const char *spf,
			   struct mxw__dmarc_answer *answer)
{
	struct world w;
	char zone[1024] = "";
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (chosen[i] == UNANSWERED)
			len += (size_t)sprintf(zone + len, "_dmarc.%s TXT !servfail\n", names[i]);
		else if (chosen[i])
			len += (size_t)sprintf(zone + len, "_dmarc.%s TXT \"%s\"\n", names[i], kinds[chosen[i]]);
	}
	world_init(&w, zone);
	struct mxw__dmarc_query query = query_of(&w, author, spf, "");
	mxw__dmarc_evaluate(&query, answer);
	world_fini(&w);
}

struct outcomes {
	unsigned results;            /* bits */
	bool has_record, has_none;
	unsigned policies;           /* bits, of those with a record */
	char domain[MXW__DOMAIN_MAX + 1]; /* theirs, "*" if they differ */
	bool all_aligned;
};

static void add_outcome(struct outcomes *o, const struct mxw__dmarc_answer *a)
{
	o->results |= 1u << a->result;
	o->all_aligned &= a->spf_aligned;
	if (!a->has_record) {
		o->has_none = true;
		return;
	}
	if (!o->has_record)
		snprintf(o->domain, sizeof o->domain, "%s", a->policy_domain);
	else if (strcmp(o->domain, a->policy_domain) != 0)
		strcpy(o->domain, "*");
	o->has_record = true;
	o->policies |= 1u << a->policy;
}

static void add_worlds(const char *const *names, int *chosen, size_t i, size_t n, const char *author, const char *spf,
		       struct outcomes *o)
{
	struct mxw__dmarc_answer answer;

	while (i < n && chosen[i] != UNANSWERED)
		i++;
	if (i == n) {
		evaluate_world(names, chosen, n, author, spf, &answer);
		add_outcome(o, &answer);
		return;
	}
	for (chosen[i] = 0; chosen[i] < UNANSWERED; chosen[i]++)
		add_worlds(names, chosen, i + 1, n, author, spf, o);
}

static void check_world(const char *const *names, int *chosen, size_t n, const char *author, const char *spf)
{
	struct outcomes o = {.all_aligned = true};
	struct mxw__dmarc_answer a;

	evaluate_world(names, chosen, n, author, spf, &a);
	add_worlds(names, chosen, 0, n, author, spf, &o);
	/* What is said is what it would be in any case. */
	if (a.result != MXW__DMARC_TEMPERROR)
		ck_assert_uint_eq(o.results, 1u << a.result);
	if (a.has_record) {
		ck_assert(!o.has_none);
		ck_assert_str_eq(o.domain, a.policy_domain);
		ck_assert(a.is_policy_unknown || o.policies == 1u << a.policy);
		/* And with the record nothing is left open that need not be. */
		ck_assert(a.result != MXW__DMARC_TEMPERROR || (o.results & (o.results - 1)));
	}
	ck_assert(a.has_record || a.is_policy_unknown || !o.has_record);
	if (a.spf_aligned && a.has_record)
		ck_assert(o.all_aligned);
}

START_TEST(no_result_is_one_that_a_missing_answer_could_change)
{
	static const struct {
		const char *author, *spf;
		const char *names[4];
	} rows[] = {
		{"e.com", "e.com", {"e.com", "com"}},
		{"a.e.com", "a.e.com", {"a.e.com", "e.com", "com"}},
		{"e.com", "a.e.com", {"a.e.com", "e.com", "com"}},
		{"a.e.com", "e.com", {"a.e.com", "e.com", "com"}},
		{"a.e.com", "b.e.com", {"a.e.com", "e.com", "com", "b.e.com"}},
		{"e.com", "f.com", {"e.com", "com", "f.com"}},
	};

	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		size_t n = 0;
		unsigned worlds = 1;
		for (; n < 4 && rows[i].names[n]; n++)
			worlds *= UNANSWERED + 1;
		for (unsigned world = 0; world < worlds; world++) {
			int chosen[4];
			unsigned rest = world;
			for (size_t k = 0; k < n; k++, rest /= UNANSWERED + 1)
				chosen[k] = (int)(rest % (UNANSWERED + 1));
			check_world(rows[i].names, chosen, n, rows[i].author, rows[i].spf);
		}
	}
}
END_TEST

/* The same answers if all was asked for before, and nothing is left to ask then. */
START_TEST(what_is_gathered_is_what_is_wanted)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(cases); i++) {
		struct world w;
		struct mxw__gather gather;
		struct mxw__dmarc_answer answer;
		int rounds = 0;
		world_init(&w, cases[i].zone);
		struct mxw__dmarc_query query = query_of(&w, cases[i].author, cases[i].spf, cases[i].dkim);
		mxw__gather_init(&gather, &w.dns->resolver, &w.budget);
		query.dns.gather = &gather;
		do
			mxw__dmarc_gather(&query);
		while (mxw__gather_wait(&gather, query.dns.deadline_ms) && ++rounds < 10);
		mxw__gather_fini(&gather);
		ck_assert_int_le(rounds, 2);
		unsigned sent = fake_resolver_total_sent(w.dns);
		query.dns.gather = NULL;
		mxw__dmarc_evaluate(&query, &answer);
		check_answer(i, &answer);
		ck_assert_msg(fake_resolver_total_sent(w.dns) == sent, "%zu: asks for more", i);
		world_fini(&w);
	}
}
END_TEST

START_TEST(alignment_that_can_be_told_without_asks_nothing)
{
	static const struct {
		const char *author, *spf, *dkim;
		unsigned sent;
	} rows[] = {
		{"example.com", "example.com", "example.com", 2},
		{"example.com", "example.net", "other.example", 2},
		{"example.com", "evil.com", "a.b.c.evil.com", 2},
		{"example.com", "!a.example.com", "!b.example.com", 2},
		{"example.com", "a.example.com", "", 3},
		{"a.example.com", "example.com", "", 3},
	};

	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		struct world w;
		struct mxw__dmarc_answer answer;
		world_init(&w, COM);
		struct mxw__dmarc_query query = query_of(&w, rows[i].author, rows[i].spf, rows[i].dkim);
		mxw__dmarc_evaluate(&query, &answer);
		ck_assert_msg(fake_resolver_total_sent(w.dns) == rows[i].sent, "%zu: %u", i, fake_resolver_total_sent(w.dns));
		/* A second message costs nothing. */
		mxw__dmarc_evaluate(&query, &answer);
		ck_assert_uint_eq(fake_resolver_total_sent(w.dns), rows[i].sent);
		world_fini(&w);
	}
}
END_TEST

START_TEST(of_several_authors_the_worst_counts)
{
	static const char zone[] = "_dmarc.strict.example TXT \"v=DMARC1; p=reject\"\n"
				   "_dmarc.watch.example TXT \"v=DMARC1; p=none\"\n_dmarc.dead.example TXT !timeout\n";
	static const struct {
		const char *authors[5];
		const char *result, *domain;
	} rows[] = {
		{{"evil.example", "strict.example"}, "fail", "strict.example"},
		{{"strict.example", "evil.example"}, "fail", "strict.example"},
		{{"watch.example", "strict.example"}, "fail", "strict.example"},
		{{"watch.example", "evil.example"}, "fail", "watch.example"},
		{{"watch.example", "dead.example"}, "temperror", "dead.example"},
		{{"strict.example", "dead.example"}, "fail", "strict.example"},
		{{"plain.example", "evil.example"}, "none", "plain.example"},
		{{"a.example", "b.example", "c.example", "d.example", "strict.example"}, "permerror", "a.example"},
		{{"strict.example", "b.example", "c.example", "d.example", "e.example"}, "fail", "strict.example"},
		{{NULL}, "permerror", ""},
	};

	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		struct world w;
		struct mxw__dmarc_answer answer;
		world_init(&w, zone);
		struct mxw__dmarc_query query = query_of(&w, NULL, "evil.example", "");
		for (query.nauthors = 0; query.nauthors < MXW__DMARC_AUTHORS_MAX && rows[i].authors[query.nauthors]; query.nauthors++)
			query.authors[query.nauthors] = rows[i].authors[query.nauthors];
		query.has_more_authors = rows[i].authors[4] != NULL;
		mxw__dmarc_evaluate(&query, &answer);
		ck_assert_msg(strcmp(mxw__dmarc_result_name(answer.result), rows[i].result) == 0 &&
				      strcmp(answer.author_domain, rows[i].domain) == 0,
			      "%zu: %s %s", i, mxw__dmarc_result_name(answer.result), answer.author_domain);
		world_fini(&w);
	}
}
END_TEST

START_TEST(where_spf_or_dkim_is_switched_off_nothing_fails)
{
	struct world w;
	struct mxw__dmarc_answer answer;

	world_init(&w, COM);
	struct mxw__dmarc_query query = query_of(&w, "example.com", "", "");
	query.is_incomplete = true;
	mxw__dmarc_evaluate(&query, &answer);
	ck_assert_int_eq(answer.result, MXW__DMARC_PERMERROR);
	query = query_of(&w, "example.com", "", "example.com");
	query.is_incomplete = true;
	mxw__dmarc_evaluate(&query, &answer);
	ck_assert_int_eq(answer.result, MXW__DMARC_PASS);
	/* Signatures that nobody could look at. */
	query = query_of(&w, "example.com", "", "");
	query.is_dkim_unknown = true;
	mxw__dmarc_evaluate(&query, &answer);
	ck_assert_int_eq(answer.result, MXW__DMARC_TEMPERROR);
	world_fini(&w);
}
END_TEST

START_TEST(organisations_beyond_dmarc)
{
	static const struct {
		const char *zone, *a, *b;
		mxw__dmarc_tri_t same;
	} rows[] = {
		{"", "example.com", "example.com", MXW__DMARC_YES},
		/* The list decides where the DNS says nothing ... */
		{"", "a.example.com", "b.example.com", MXW__DMARC_YES},
		{"", "a.example.co.uk", "b.other.co.uk", MXW__DMARC_NO},
		/* ... and else the DNS, but never across the list's suffixes. */
		{COM, "a.example.com", "b.example.com", MXW__DMARC_YES},
		{COM "_dmarc.b.example.com TXT \"v=DMARC1; psd=n\"", "a.example.com", "b.example.com", MXW__DMARC_NO},
		{"_dmarc.example.com TXT \"v=DMARC1; psd=y\"", "a.example.com", "b.example.com", MXW__DMARC_NO},
		{"_dmarc.com TXT \"v=DMARC1\"", "a.com", "b.com", MXW__DMARC_NO},
		{"_dmarc.example.com TXT !timeout", "a.example.com", "b.example.com", MXW__DMARC_MAYBE},
		{"_dmarc.com TXT !timeout", "a.com", "b.com", MXW__DMARC_NO},
		{"", "[192.0.2.1]", "[192.0.2.1]", MXW__DMARC_NO},
		{"", "", "", MXW__DMARC_NO},
	};

	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		struct world w;
		world_init(&w, rows[i].zone);
		struct mxw__dmarc_dns dns = dns_of(&w);
		mxw__dmarc_tri_t same = mxw__dmarc_same_organisation(rows[i].a, rows[i].b, &dns);
		ck_assert_msg(same == rows[i].same, "%s, %s: %d", rows[i].a, rows[i].b, same);
		world_fini(&w);
	}
}
END_TEST

/* ---- our own name ---- */

/* Whether From and MAIL FROM are ours: ? for a list of domains that can't be read. */
static const struct {
	const char *from_ours, *sender_ours;
	const char *from, *sender;
	mxw__spf_result_t spf;
	mxw__dkim_result_t dkim; /* of d=example.net */
	const char *forged;
} owners[] = {
	{"no", "no", "x.example", "x.example", MXW__SPF_NONE, MXW__DKIM_NONE, "no"},
	{"yes", "no", "example.net", "x.example", MXW__SPF_PASS, MXW__DKIM_NONE, "yes"},
	{"yes", "no", "example.net", "x.example", MXW__SPF_PASS, MXW__DKIM_PASS, "no"},
	{"yes", "no", "a.example.net", "x.example", MXW__SPF_PASS, MXW__DKIM_PASS, "no"},
	{"yes", "no", "example.net", "x.example", MXW__SPF_PASS, MXW__DKIM_TEMPERROR, "?"},
	{"yes", "no", "example.net", "x.example", MXW__SPF_PASS, MXW__DKIM_FAIL, "yes"},
	{"yes", "yes", "example.net", "example.net", MXW__SPF_PASS, MXW__DKIM_NONE, "no"},
	{"yes", "yes", "example.net", "example.net", MXW__SPF_TEMPERROR, MXW__DKIM_NONE, "?"},
	{"yes", "yes", "example.net", "example.net", MXW__SPF_FAIL, MXW__DKIM_PASS, "no"},
	{"yes", "yes", "example.net", "example.net", MXW__SPF_NONE, MXW__DKIM_NONE, "yes"},
	{"no", "yes", "x.example", "example.net", MXW__SPF_FAIL, MXW__DKIM_NONE, "yes"},
	{"no", "yes", "x.example", "example.net", MXW__SPF_FAIL, MXW__DKIM_PASS, "no"},
	/* An author of ours and one who is not: nobody speaks for both. */
	{"yes", "no", "", "x.example", MXW__SPF_PASS, MXW__DKIM_PASS, "yes"},
	/* Not known whether it is ours: it matters where nothing passes. */
	{"?", "no", "example.net", "x.example", MXW__SPF_PASS, MXW__DKIM_NONE, "?"},
	{"?", "no", "example.net", "x.example", MXW__SPF_PASS, MXW__DKIM_PASS, "no"},
	{"no", "?", "x.example", "example.net", MXW__SPF_FAIL, MXW__DKIM_NONE, "?"},
	{"no", "?", "x.example", "example.net", MXW__SPF_PASS, MXW__DKIM_NONE, "no"},
	{"yes", "?", "example.net", "x.example", MXW__SPF_PASS, MXW__DKIM_NONE, "yes"},
};

static void state(mxw_facts_t *facts, mxw_fact_id_t fact, const char *value)
{
	if (*value == '?')
		mxw_facts_set_unavailable(facts, fact, NULL);
	else
		mxw_facts_set(facts, fact, value);
}

START_TEST(who_uses_our_name_is_a_forger_only_if_nothing_may_speak_for_him)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(owners); i++) {
		struct world w;
		struct mxw_conf conf = {.auth = {.spf_enabled = true, .dkim_enabled = true}};
		struct mxw__dkim_signature signature = {.result = owners[i].dkim, .domain = "example.net"};
		struct mxw__envelope env = {
			.client_class = MXW__CLIENT_OUTSIDE, .auth_user = "", .helo = "x", .sender_is_valid = true,
			.sender.domain = owners[i].sender, .from = {.address = "", .domain = owners[i].from},
		};
		struct mxw__auth_results results = {.has_spf = true, .spf.result = owners[i].spf, .has_dkim = true,
						    .signatures = &signature, .nsignatures = 1};
		world_init(&w, "");
		struct mxw__check_ctx ctx = {.conf = &conf, .resolver = &w.dns->resolver, .budget = &w.budget, .env = &env,
					     .results = &results, .deadline_ms = mxw__now_ms(&w.clock.clock) + 5000};
		ck_assert_int_eq(mxw_facts_new(20, 2000, &ctx.facts), MXW_OK);
		state(ctx.facts, MXW__FACT_FROM_OURS, owners[i].from_ours);
		state(ctx.facts, MXW__FACT_SENDER_OURS, owners[i].sender_ours);
		mxw__check_own_domain.run(&ctx);
		const char *forged = mxw_facts_is_unavailable(ctx.facts, MXW__FACT_OWN_DOMAIN_FORGED)
					     ? "?" : mxw_facts_get(ctx.facts, MXW__FACT_OWN_DOMAIN_FORGED);
		ck_assert_msg(forged && strcmp(forged, owners[i].forged) == 0, "%zu: %s", i, forged ? forged : "-");
		mxw_facts_free(ctx.facts);
		world_fini(&w);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dmarc");
	TCase *tc = tcase_create("dmarc");

	tcase_add_test(tc, records_are_read_as_the_standard_says);
	tcase_add_test(tc, a_nul_is_no_end);
	tcase_add_test(tc, a_record_of_64_kb_is_read_to_its_end_and_kept_in_bounds);
	tcase_add_test(tc, a_walk_has_at_most_eight_names);
	tcase_add_test(tc, what_is_no_domain_has_no_walk);
	tcase_add_test(tc, organisational_domains_are_those_of_the_standard);
	tcase_add_test(tc, agreement_is_what_every_possible_answer_would_come_to);
	tcase_add_test(tc, results_are_those_of_the_standard);
	tcase_add_test(tc, no_result_is_one_that_a_missing_answer_could_change);
	tcase_add_test(tc, what_is_gathered_is_what_is_wanted);
	tcase_add_test(tc, alignment_that_can_be_told_without_asks_nothing);
	tcase_add_test(tc, of_several_authors_the_worst_counts);
	tcase_add_test(tc, where_spf_or_dkim_is_switched_off_nothing_fails);
	tcase_add_test(tc, organisations_beyond_dmarc);
	tcase_add_test(tc, who_uses_our_name_is_a_forger_only_if_nothing_may_speak_for_him);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
