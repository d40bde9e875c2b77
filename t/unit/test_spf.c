/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/spf.h"
#include "src/auth/spf_record.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

#define FOUR "192.0.2.10"
#define SIX "2001:db8::10"

struct world {
	struct fake_clock clock;
	fake_resolver_t *dns;
	struct mxw_dns_budget budget;
	int64_t patience_ms;
	struct mxw__spf_answer answer;
};

static void world_init(struct world *w)
{
	*w = (struct world){.patience_ms = 5000};
	fake_clock_init(&w->clock);
	w->dns = fake_resolver_new(&w->clock);
}

static void world_fini(struct world *w)
{
	mxw_resolver_unref(&w->dns->resolver);
}

static mxw__spf_result_t check(struct world *w, const char *client, const char *sender, const char *helo)
{
	char local[512];
	struct mxw__spf_query query = {
		.helo = helo,
		.local = local,
		.receiver = "mx.receiver.example",
		.resolver = &w->dns->resolver,
		.budget = &w->budget,
		.deadline_ms = mxw__now_ms(&w->clock.clock) + w->patience_ms,
		.clock = &w->clock.clock,
	};
	const char *at = strrchr(sender, '@');

	ck_assert_int_eq(mxw_ip_parse(client, &query.client), MXW_OK);
	snprintf(local, sizeof(local), "%.*s", (int)(at - sender), sender);
	query.domain = at + 1;
	mxw__spf_check(&query, &w->answer);
	for (const char *p = w->answer.reason; *p; p++)
		ck_assert(*p >= 0x20 && *p <= 0x7e);
	return w->answer.result;
}

/* ---- vectors: the record of d.example, perhaps more of the zone, the client, what must come out ---- */

struct vector {
	const char *name;
	const char *record; /* as the content of a TXT record; NULL: d.example has none */
	const char *zone;
	const char *client;
	const char *result;
};

static void run_vector(const struct vector *v)
{
	struct world w;
	char line[8192];

	world_init(&w);
	if (v->record) {
		snprintf(line, sizeof(line), "d.example TXT \"%s\"\n", v->record);
		fake_resolver_script(w.dns, line);
	}
	if (v->zone)
		fake_resolver_script(w.dns, v->zone);
	mxw__spf_result_t result = check(&w, v->client, "strong-bad@d.example", "mail.helo.example");
	ck_assert_msg(!strcmp(mxw__spf_result_name(result), v->result), "%s: %s (%s), not %s", v->name,
		      mxw__spf_result_name(result), w.answer.reason, v->result);
	world_fini(&w);
}

static const struct vector vectors[] = {
	/* section 4.4, 4.5: which record */
	{"no record", NULL, NULL, FOUR, "none"},
	{"other text only", "v=spf10 -all", NULL, FOUR, "none"},
	{"version without a space", "v=spf1-all", NULL, FOUR, "none"},
	{"version alone", "v=spf1", NULL, FOUR, "neutral"},
	{"version in any case", "V=SPF1 -all", NULL, FOUR, "fail"},
	{"two records", "v=spf1 -all", "d.example TXT \"v=spf1 +all\"\n", FOUR, "permerror"},
	{"a record among other text", "v=spf1 -all", "d.example TXT \"something \\200 else\"\n", FOUR, "fail"},
	{"strings are joined", "v=spf1 ip4:192.0\" \".2.10 -all", NULL, FOUR, "pass"},
	{"TXT fails", NULL, "d.example TXT !servfail\n", FOUR, "temperror"},
	{"TXT never comes", NULL, "d.example TXT !timeout\n", FOUR, "temperror"},
	{"TXT is bogus", NULL, "d.example TXT !bogus\n", FOUR, "temperror"},
	/* section 4.6: the whole record is read first */
	{"error after a match", "v=spf1 +all moo", NULL, FOUR, "permerror"},
	{"several spaces", "v=spf1   -all  ", NULL, FOUR, "fail"},
	{"a tab is no space", "v=spf1\\009-all", NULL, FOUR, "none"},
	{"a tab between terms", "v=spf1 a\\009-all", NULL, FOUR, "permerror"},
	{"a carriage return", "v=spf1 a:x.example\\013ptr -all", NULL, FOUR, "permerror"},
	{"an octet beyond ASCII", "v=spf1 a:\\239\\187\\191x.example -all", NULL, FOUR, "permerror"},
	{"an octet beyond ASCII after a match", "v=spf1 +all \\128", NULL, FOUR, "permerror"},
	{"a NUL", "v=spf1 a:x.example\\000 -all", NULL, FOUR, "permerror"},
	{"a NUL before the end", "v=spf1 +all\\000 -all", NULL, FOUR, "permerror"},
	{"qualifier alone", "v=spf1 - all", NULL, FOUR, "permerror"},
	{"qualifiers", "v=spf1 ~all", NULL, FOUR, "softfail"},
	{"neutral", "v=spf1 ?all", NULL, FOUR, "neutral"},
	{"unknown mechanism", "v=spf1 ipv4:192.0.2.1 -all", NULL, FOUR, "permerror"},
	{"modifier with odd name", "v=spf1 a.b-c_d=%{c}:/ -all", NULL, FOUR, "fail"},
	{"modifier name with a slash", "v=spf1 a/b=c -all", NULL, FOUR, "permerror"},
	{"modifier with a bad macro", "v=spf1 x=%(y) -all", NULL, FOUR, "permerror"},
	{"modifier name begins with a digit", "v=spf1 1x=y -all", NULL, FOUR, "permerror"},
	{"modifier with qualifier", "v=spf1 -redirect=r.example", NULL, FOUR, "permerror"},
	/* section 5.1 */
	{"all with a domain", "v=spf1 -all:d.example", NULL, FOUR, "permerror"},
	{"all with a length", "v=spf1 -all/8", NULL, FOUR, "permerror"},
	{"all with a dot", "v=spf1 -all.", NULL, FOUR, "permerror"},
	{"all before others", "v=spf1 all -ip4:192.0.2.10", NULL, FOUR, "pass"},
	/* section 5.2 */
	{"include that passes", "v=spf1 include:i.example -all", "i.example TXT \"v=spf1 ip4:192.0.2.10 -all\"\n", FOUR, "pass"},
	{"include that fails", "v=spf1 include:i.example ~all", "i.example TXT \"v=spf1 -all\"\n", FOUR, "softfail"},
	{"include with qualifier", "v=spf1 ~include:i.example -all", "i.example TXT \"v=spf1 +all\"\n", FOUR, "softfail"},
	{"include of nothing", "v=spf1 include:i.example +all", NULL, FOUR, "permerror"},
	{"include of an error", "v=spf1 include:i.example +all", "i.example TXT \"v=spf1 a:\"\n", FOUR, "permerror"},
	{"include that is late", "v=spf1 include:i.example +all", "i.example TXT !timeout\n", FOUR, "temperror"},
	{"include without domain", "v=spf1 include -all", NULL, FOUR, "permerror"},
	{"include with a length", "v=spf1 include:i.example/24 -all", NULL, FOUR, "permerror"},
	{"include of itself", "v=spf1 include:d.example -all", NULL, FOUR, "permerror"},
	/* section 5.3 */
	{"a", "v=spf1 a -all", "d.example A 192.0.2.10\n", FOUR, "pass"},
	{"a of IPv6", "v=spf1 a -all", "d.example A 192.0.2.10\nd.example AAAA 2001:db8::10\n", SIX, "pass"},
	{"a elsewhere", "v=spf1 a:x.example -all", "x.example A 192.0.2.9\nx.example A 192.0.2.10\n", FOUR, "pass"},
	{"a with a length", "v=spf1 a:x.example/24 -all", "x.example A 192.0.2.99\n", FOUR, "pass"},
	{"a with both lengths, IPv4", "v=spf1 a:x.example/24//64 -all", "x.example A 192.0.2.99\n", FOUR, "pass"},
	{"a with both lengths, IPv6", "v=spf1 a:x.example/24//64 -all", "x.example AAAA 2001:db8::ffff\n", SIX, "pass"},
	{"the other family's length", "v=spf1 a//64 -all", "d.example A 192.0.2.99\n", FOUR, "fail"},
	{"a/0", "v=spf1 a/0 -all", "d.example A 198.51.100.1\n", FOUR, "pass"},
	{"a/0 of nothing", "v=spf1 a/0 -all", NULL, FOUR, "fail"},
	{"a/0 for IPv6", "v=spf1 a/0 -all", "d.example A 198.51.100.1\nd.example AAAA 2001:db8::1\n", SIX, "fail"},
	{"a//0", "v=spf1 a//0 -all", "d.example AAAA 2001:db9::1\n", SIX, "pass"},
	{"a//0 for IPv4", "v=spf1 a//0 -all", "d.example AAAA 2001:db9::1\n", FOUR, "fail"},
	{"a//0 of nothing", "v=spf1 a//0 -all", "d.example A 198.51.100.1\n", SIX, "fail"},
	{"a/0 with a late answer", "v=spf1 a/0 -all", "d.example A !timeout\n", FOUR, "temperror"},
	{"a/33", "v=spf1 a/33 -all", NULL, FOUR, "permerror"},
	{"a//129", "v=spf1 a//129 -all", NULL, FOUR, "permerror"},
	{"a/032", "v=spf1 a/032 -all", NULL, FOUR, "permerror"},
	{"a/01", "v=spf1 a/01 -all", NULL, FOUR, "permerror"},
	{"a//064", "v=spf1 a//064 -all", NULL, FOUR, "permerror"},
	{"a/ alone", "v=spf1 a/ -all", NULL, FOUR, "permerror"},
	{"lengths in the wrong order", "v=spf1 a//64/24 -all", NULL, FOUR, "permerror"},
	{"a single slash for IPv6", "v=spf1 a/24/64 -all", NULL, FOUR, "permerror"},
	{"a with a colon and nothing", "v=spf1 a: -all", NULL, FOUR, "permerror"},
	{"a of a number", "v=spf1 a:192.0.2.10 -all", NULL, FOUR, "permerror"},
	{"a of a numeric top label", "v=spf1 a:x.123 -all", NULL, FOUR, "permerror"},
	{"a of one label", "v=spf1 a:example -all", NULL, FOUR, "permerror"},
	{"a of one label and a dot", "v=spf1 a:example. -all", NULL, FOUR, "permerror"},
	{"a top label that begins with a hyphen", "v=spf1 a:x.-example -all", NULL, FOUR, "permerror"},
	{"a top label that ends with a hyphen", "v=spf1 a:x.example- -all", NULL, FOUR, "permerror"},
	{"a top label with a hyphen", "v=spf1 a:x.xn--p1ai -all", "x.xn--p1ai A 192.0.2.10\n", FOUR, "pass"},
	{"a with a final dot", "v=spf1 a:x.example. -all", "x.example A 192.0.2.10\n", FOUR, "pass"},
	{"colon and slash within the name", "v=spf1 a:x:y/z.example -all", "x:y/z.example A 192.0.2.10\n", FOUR, "pass"},
	{"a port", "v=spf1 a:x.example:25 -all", NULL, FOUR, "permerror"},
	{"a label that is too long",
	 "v=spf1 a:a123456789012345678901234567890123456789012345678901234567890123.example -all", NULL, FOUR, "fail"},
	{"a that fails", "v=spf1 a +all", "d.example A !servfail\n", FOUR, "temperror"},
	/* section 5.4 */
	{"mx", "v=spf1 mx -all", "d.example MX 10 m1.example\nd.example MX 20 m2.example\nm2.example A 192.0.2.10\n", FOUR,
	 "pass"},
	{"mx with a length", "v=spf1 mx/24 -all", "d.example MX 10 m.example\nm.example A 192.0.2.1\n", FOUR, "pass"},
	{"mx/0", "v=spf1 mx/0 -all", "d.example MX 10 m.example\nm.example A 198.51.100.1\n", FOUR, "pass"},
	{"mx/0 without address", "v=spf1 mx/0 -all", "d.example MX 10 m.example\n", FOUR, "fail"},
	{"mx/0 without mx", "v=spf1 mx/0 -all", "d.example A 192.0.2.10\n", FOUR, "fail"},
	{"mx//0", "v=spf1 mx//0 -all", "d.example MX 10 m.example\nm.example AAAA 2001:db9::1\n", SIX, "pass"},
	{"mx//0 for IPv4", "v=spf1 mx//0 -all", "d.example MX 10 m.example\nm.example AAAA 2001:db9::1\n", FOUR, "fail"},
	{"a domain without mx", "v=spf1 mx -all", "d.example A 192.0.2.10\n", FOUR, "fail"},
	{"null mx", "v=spf1 mx -all", "d.example MX 0 .\n", FOUR, "fail"},
	{"mx that fails", "v=spf1 mx -all", "d.example MX !servfail\n", FOUR, "temperror"},
	{"mx host that fails", "v=spf1 mx -all", "d.example MX 1 m.example\nm.example A !servfail\n", FOUR, "temperror"},
	{"IPv6 client, exchangers with IPv4 only", "v=spf1 mx ip6:2001:db8::/32 -all",
	 "d.example MX 1 m1.example\nd.example MX 2 m2.example\nd.example MX 3 m3.example\nm1.example A 192.0.2.1\n", SIX,
	 "pass"},
	{"eleven exchangers", "v=spf1 mx -all",
	 "d.example MX 1 m.example\nd.example MX 2 m2.example\nd.example MX 3 m3.example\nd.example MX 4 m4.example\n"
	 "d.example MX 5 m5.example\nd.example MX 6 m6.example\nd.example MX 7 m7.example\nd.example MX 8 m8.example\n"
	 "d.example MX 9 m9.example\nd.example MX 10 ma.example\nd.example MX 11 mb.example\nm.example A 192.0.2.10\n",
	 FOUR, "permerror"},
	/* section 5.5 */
	{"ptr", "v=spf1 ptr -all", "10.2.0.192.in-addr.arpa PTR h.d.example\nh.d.example A 192.0.2.10\n", FOUR, "pass"},
	{"ptr of another domain", "v=spf1 ptr:e.example -all",
	 "10.2.0.192.in-addr.arpa PTR e.example\ne.example A 192.0.2.10\n", FOUR, "pass"},
	{"ptr that is not confirmed", "v=spf1 ptr -all", "10.2.0.192.in-addr.arpa PTR h.d.example\nh.d.example A 192.0.2.1\n",
	 FOUR, "fail"},
	{"ptr of a look-alike", "v=spf1 ptr -all", "10.2.0.192.in-addr.arpa PTR bad.example\nbad.example A 192.0.2.10\n", FOUR,
	 "fail"},
	{"ptr of IPv6", "v=spf1 ptr -all",
	 "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR h.d.example\n"
	 "h.d.example AAAA 2001:db8::10\n", SIX, "pass"},
	{"ptr whose server fails", "v=spf1 ptr ?all", "10.2.0.192.in-addr.arpa PTR !servfail\n", FOUR, "neutral"},
	{"ptr that never comes", "v=spf1 ptr -all", "10.2.0.192.in-addr.arpa PTR !timeout\n", FOUR, "temperror"},
	{"a name of the client whose server fails", "v=spf1 ptr -all",
	 "10.2.0.192.in-addr.arpa PTR a.d.example\n10.2.0.192.in-addr.arpa PTR b.d.example\na.d.example A !servfail\n"
	 "b.d.example A 192.0.2.10\n", FOUR, "pass"},
	{"ptr with a length", "v=spf1 ptr/24 -all", NULL, FOUR, "permerror"},
	{"ptr with a colon and nothing", "v=spf1 ptr: -all", NULL, FOUR, "permerror"},
	{"the eleventh name is not looked at", "v=spf1 ptr ?all",
	 "10.2.0.192.in-addr.arpa PTR a.e.example\n10.2.0.192.in-addr.arpa PTR b.e.example\n"
	 "10.2.0.192.in-addr.arpa PTR c.e.example\n10.2.0.192.in-addr.arpa PTR d.e.example\n"
	 "10.2.0.192.in-addr.arpa PTR e.e.example\n10.2.0.192.in-addr.arpa PTR f.e.example\n"
	 "10.2.0.192.in-addr.arpa PTR g.e.example\n10.2.0.192.in-addr.arpa PTR h.e.example\n"
	 "10.2.0.192.in-addr.arpa PTR i.e.example\n10.2.0.192.in-addr.arpa PTR j.e.example\n"
	 "10.2.0.192.in-addr.arpa PTR k.d.example\nk.d.example A 192.0.2.10\n", FOUR, "neutral"},
	/* section 5.6 */
	{"ip4", "v=spf1 ip4:192.0.2.10 -all", NULL, FOUR, "pass"},
	{"ip4 with a length", "v=spf1 ip4:192.0.2.0/28 -all", NULL, FOUR, "pass"},
	{"ip4 just outside", "v=spf1 ip4:192.0.2.16/28 -all", NULL, FOUR, "fail"},
	{"ip4 with bits beyond its length", "v=spf1 ip4:192.0.2.15/28 -all", NULL, FOUR, "pass"},
	{"ip4/0", "v=spf1 ip4:10.0.0.0/0 -all", NULL, FOUR, "pass"},
	{"ip4/0 for IPv6", "v=spf1 ip4:10.0.0.0/0 -all", NULL, SIX, "fail"},
	{"ip4/33", "v=spf1 ip4:192.0.2.10/33 -all", NULL, FOUR, "permerror"},
	{"ip4/032", "v=spf1 ip4:192.0.2.10/032 -all", NULL, FOUR, "permerror"},
	{"ip4//32", "v=spf1 ip4:192.0.2.10//32 -all", NULL, FOUR, "permerror"},
	{"ip4 of three parts", "v=spf1 ip4:192.0.2 -all", NULL, FOUR, "permerror"},
	{"ip4 with leading zeros", "v=spf1 ip4:192.0.2.010 -all", NULL, FOUR, "permerror"},
	{"ip4 with a port", "v=spf1 ip4:192.0.2.10:25 -all", NULL, FOUR, "permerror"},
	{"ip4 alone", "v=spf1 ip4 -all", NULL, FOUR, "permerror"},
	{"ip6", "v=spf1 ip6:2001:db8::/32 -all", NULL, SIX, "pass"},
	{"ip6/0", "v=spf1 ip6:::/0 -all", NULL, SIX, "pass"},
	{"ip6/0 for IPv4", "v=spf1 ip6:::/0 -all", NULL, FOUR, "fail"},
	{"ip6/129", "v=spf1 ip6:2001:db8::/129 -all", NULL, SIX, "permerror"},
	{"ip6//64", "v=spf1 ip6:2001:db8:://64 -all", NULL, SIX, "permerror"},
	{"ip6 of nonsense", "v=spf1 ip6:2001:db8 -all", NULL, SIX, "permerror"},
	{"a mapped client is an IPv4 client", "v=spf1 ip4:192.0.2.10 -all", NULL, "::ffff:192.0.2.10", "pass"},
	{"ip6 of a mapped address", "v=spf1 ip6:::ffff:192.0.2.10 -all", NULL, FOUR, "fail"},
	{"prefix of 127 bits", "v=spf1 ip6:2001:db8::11/127 -all", NULL, SIX, "pass"},
	/* section 5.7 */
	{"exists", "v=spf1 exists:x.example -all", "x.example A 127.0.0.2\n", FOUR, "pass"},
	{"exists asks for A for IPv6 too", "v=spf1 exists:x.example -all", "x.example A 127.0.0.2\n", SIX, "pass"},
	{"exists does not ask for AAAA", "v=spf1 exists:x.example -all", "x.example AAAA 2001:db8::10\n", SIX, "fail"},
	{"exists alone", "v=spf1 exists -all", NULL, FOUR, "permerror"},
	{"exists with nothing", "v=spf1 exists: -all", NULL, FOUR, "permerror"},
	{"exists with a length", "v=spf1 exists:x.example/24 -all", NULL, FOUR, "permerror"},
	{"exists that is late", "v=spf1 exists:x.example +all", "x.example A !timeout\n", FOUR, "temperror"},
	/* section 6 */
	{"redirect", "v=spf1 redirect=r.example", "r.example TXT \"v=spf1 -all\"\n", FOUR, "fail"},
	{"redirect counts last", "v=spf1 redirect=r.example ip4:192.0.2.10", "r.example TXT \"v=spf1 -all\"\n", FOUR, "pass"},
	{"redirect does not count beside all", "v=spf1 redirect=r.example ?all", NULL, FOUR, "neutral"},
	{"redirect to nothing", "v=spf1 redirect=r.example", NULL, FOUR, "permerror"},
	{"redirect twice", "v=spf1 redirect=r.example redirect=r.example", NULL, FOUR, "permerror"},
	{"redirect to an empty name", "v=spf1 redirect= -all", NULL, FOUR, "permerror"},
	{"redirect with a colon", "v=spf1 redirect:r.example -all", NULL, FOUR, "permerror"},
	{"redirect that is late", "v=spf1 redirect=r.example", "r.example TXT !timeout\n", FOUR, "temperror"},
	{"redirect changes the current domain", "v=spf1 redirect=r.example", "r.example TXT \"v=spf1 a -all\"\nr.example A 192.0.2.10\n",
	 FOUR, "pass"},
	{"exp does not matter", "v=spf1 exp=x.example -all", NULL, FOUR, "fail"},
	{"exp twice", "v=spf1 exp=x.example exp=y.example -all", NULL, FOUR, "permerror"},
	{"exp of nothing", "v=spf1 exp= -all", NULL, FOUR, "permerror"},
	{"exp with a macro for its text only", "v=spf1 exp=%{r}.example -all", NULL, FOUR, "permerror"},
	/* section 7 */
	{"percent alone", "v=spf1 exists:x%.example -all", NULL, FOUR, "permerror"},
	{"percent and parenthesis", "v=spf1 exists:%(i).example -all", NULL, FOUR, "permerror"},
	{"percent at the end", "v=spf1 exists:x.example% -all", NULL, FOUR, "permerror"},
	{"macro that is not closed", "v=spf1 exists:%{i -all", NULL, FOUR, "permerror"},
	{"unknown macro", "v=spf1 exists:%{a}.example -all", NULL, FOUR, "permerror"},
	{"macro for explanations", "v=spf1 exists:%{c}.example -all", NULL, FOUR, "permerror"},
	{"no parts", "v=spf1 exists:%{d0}.example -all", NULL, FOUR, "permerror"},
	{"unknown delimiter", "v=spf1 exists:%{d:}.example -all", NULL, FOUR, "permerror"},
	{"name that ends in a macro", "v=spf1 exists:x.%{d} -all", "x.d.example A 127.0.0.1\n", FOUR, "pass"},
	{"name that ends in an escape", "v=spf1 exists:x.%% -all", NULL, FOUR, "fail"},
	{"name that ends in a macro and a word", "v=spf1 exists:%{d}x -all", NULL, FOUR, "permerror"},
	{"escapes", "v=spf1 exists:a%%b%_c%-d.example -all", "a%b\\032c%20d.example A 127.0.0.1\n", FOUR, "pass"},
	{"p without names", "v=spf1 exists:%{p}.x.example -all", "unknown.x.example A 127.0.0.1\n", FOUR, "pass"},
	{"p", "v=spf1 exists:%{p}.x.example -all",
	 "10.2.0.192.in-addr.arpa PTR h.e.example\n10.2.0.192.in-addr.arpa PTR h.d.example\nh.e.example A 192.0.2.10\n"
	 "h.d.example A 192.0.2.10\nh.d.example.x.example A 127.0.0.1\n", FOUR, "pass"},
};

START_TEST(vectors_of_rfc_7208)
{
	run_vector(&vectors[_i]);
}
END_TEST

/* ---- which domains are asked at all ---- */

static const struct {
	const char *sender, *result;
} domains[] = {
	{"a@d.example", "fail"},      {"a@D.Example.", "fail"}, {"a@localhost", "none"}, {"a@[192.0.2.1]", "none"},
	{"a@d..example", "none"},     {"a@.example", "none"},   {"a@", "none"},          {"a@.", "none"},
	{"@d.example", "fail"},
	{"a@a123456789012345678901234567890123456789012345678901234567890123.d.example", "none"},
};

START_TEST(a_domain_that_can_not_exist_has_no_result)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 -all\"\n");
	ck_assert_str_eq(mxw__spf_result_name(check(&w, FOUR, domains[_i].sender, "h.example")), domains[_i].result);
	if (!strcmp(domains[_i].result, "none"))
		ck_assert_uint_eq(fake_resolver_total_sent(w.dns), 0);
	world_fini(&w);
}
END_TEST

START_TEST(a_loopback_client_gets_no_free_pass)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 -all\"\n");
	ck_assert_int_eq(check(&w, "127.0.0.1", "a@d.example", "h.example"), MXW__SPF_FAIL);
	ck_assert_int_eq(check(&w, "::1", "a@d.example", "h.example"), MXW__SPF_FAIL);
	ck_assert_int_eq(check(&w, "127.0.0.1", "a@none.example", "h.example"), MXW__SPF_NONE);
	world_fini(&w);
}
END_TEST

/* ---- macros ---- */

static const char *validated(void *ctx MXW_UNUSED, const char *current MXW_UNUSED)
{
	return "mx.example.org";
}

/* RFC 7208 section 7.4. */
static const struct {
	const char *client, *spec, *expanded;
} macros[] = {
	{"192.0.2.3", "%{s}", "strong-bad@email.example.com"},
	{"192.0.2.3", "%{o}", "email.example.com"},
	{"192.0.2.3", "%{d}", "email.example.com"},
	{"192.0.2.3", "%{d4}", "email.example.com"},
	{"192.0.2.3", "%{d3}", "email.example.com"},
	{"192.0.2.3", "%{d2}", "example.com"},
	{"192.0.2.3", "%{d1}", "com"},
	{"192.0.2.3", "%{dr}", "com.example.email"},
	{"192.0.2.3", "%{d2r}", "example.email"},
	{"192.0.2.3", "%{l}", "strong-bad"},
	{"192.0.2.3", "%{l-}", "strong.bad"},
	{"192.0.2.3", "%{lr}", "strong-bad"},
	{"192.0.2.3", "%{lr-}", "bad.strong"},
	{"192.0.2.3", "%{l1r-}", "strong"},
	{"192.0.2.3", "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
	{"192.0.2.3", "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
	{"192.0.2.3", "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
	{"192.0.2.3", "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
	{"192.0.2.3", "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
	{"2001:db8::cb01", "%{ir}.%{v}._spf.%{d2}",
	 "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"},
	/* further ones */
	{"192.0.2.3", "%{S}", "strong-bad%40email.example.com"},
	{"192.0.2.3", "%{H}", "mail%2Bx.example.org"},
	{"192.0.2.3", "%{h2+.-}.x", "example.org.x"},
	{"192.0.2.3", "%{p}", "mx.example.org"},
	{"192.0.2.3", "%{L1R-}", "strong"},
	{"192.0.2.3", "%{d99999999999999999999}", "email.example.com"},
	{"192.0.2.3", "x.%{d}.example.", "x.email.example.com.example"},
	{"192.0.2.3", "x.%{d}.", NULL},
	{"192.0.2.3", "%%%_%-", "% %20"},
	{"192.0.2.3", "%{s2@}", NULL},
	{"192.0.2.3", "%{d2", NULL},
	{"192.0.2.3", "%{}", NULL},
	{"192.0.2.3", "%{i}%", NULL},
};

START_TEST(macros_expand_as_in_the_rfc)
{
	struct mxw__spf_macros values = {
		.local = "strong-bad",
		.domain = "email.example.com",
		.current = "email.example.com",
		.helo = "mail+x.example.org",
		.validated = validated,
	};
	char name[MXW__SPF_MAX_NAME + 1];
	const char *spec = macros[_i].spec;

	ck_assert_int_eq(mxw_ip_parse(macros[_i].client, &values.client), MXW_OK);
	ck_assert_int_eq(mxw__spf_domain_spec_is_valid(spec, strlen(spec)), macros[_i].expanded != NULL);
	if (!macros[_i].expanded)
		return;
	mxw__spf_expand(&values, spec, strlen(spec), name);
	ck_assert_str_eq(name, macros[_i].expanded);
}
END_TEST

START_TEST(a_long_name_loses_labels_at_its_left)
{
	struct mxw__spf_macros values = {.local = "l", .domain = "d", .helo = "h", .validated = validated};
	char name[MXW__SPF_MAX_NAME + 1], current[64], spec[4096] = "";

	memset(current, 'c', 50);
	strcpy(current + 50, ".example");
	values.current = current;
	for (int i = 0; i < 500; i++)
		strcat(spec, "%{d}.");
	strcat(spec, "end.example");
	mxw__spf_expand(&values, spec, strlen(spec), name);
	/* 11 octets for the end, 59 for each of the others with its dot: four fit. */
	ck_assert_uint_eq(strlen(name), 4 * 59 + 11);
	ck_assert_mem_eq(name, current, 58);
	memset(spec, 'x', 400);
	spec[400] = '\0';
	mxw__spf_expand(&values, spec, 400, name);
	ck_assert_str_eq(name, "");
}
END_TEST

/* ---- limits ---- */

START_TEST(ten_terms_are_counted_over_all_records)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "t10.example TXT \"v=spf1 a include:i.example ip4:192.0.2.10 -all\"\n"
				    "t11.example TXT \"v=spf1 a include:i.example a ip4:192.0.2.10 -all\"\n"
				    "i.example TXT \"v=spf1 a a a a a a a a\"\n"
				    "t10.example A 198.51.100.1\nt11.example A 198.51.100.1\ni.example A 198.51.100.1\n"
				    "loop.example TXT \"v=spf1 redirect=loop.example\"\n"
				    "ping.example TXT \"v=spf1 include:pong.example\"\n"
				    "pong.example TXT \"v=spf1 include:ping.example\"\n");
	ck_assert_int_eq(check(&w, FOUR, "a@t10.example", "h.example"), MXW__SPF_PASS);
	ck_assert_int_eq(check(&w, FOUR, "a@t11.example", "h.example"), MXW__SPF_PERMERROR);
	ck_assert_int_eq(check(&w, FOUR, "a@loop.example", "h.example"), MXW__SPF_PERMERROR);
	ck_assert_int_eq(check(&w, FOUR, "a@ping.example", "h.example"), MXW__SPF_PERMERROR);
	world_fini(&w);
}
END_TEST

START_TEST(a_tree_of_includes_causes_eleven_look_ups_at_most)
{
	struct world w;
	char line[256];

	world_init(&w);
	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof(line),
			 "n%d.example TXT \"v=spf1 include:n%d.example include:x%d.example include:y%d.example\"\n", i, i + 1, i, i);
		fake_resolver_script(w.dns, line);
	}
	ck_assert_int_eq(check(&w, FOUR, "a@n0.example", "h.example"), MXW__SPF_PERMERROR);
	ck_assert_uint_le(fake_resolver_total_asks(w.dns), 11);
	/* What is begun early stays within the same order. */
	ck_assert_uint_le(fake_resolver_total_sent(w.dns), 33);
	world_fini(&w);
}
END_TEST

START_TEST(two_terms_may_find_nothing)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "v2.example TXT \"v=spf1 a:n1.example mx:n2.example ?all\"\n"
				    "v3.example TXT \"v=spf1 a:n1.example mx:n2.example exists:n3.example ?all\"\n"
				    "v4.example TXT \"v=spf1 include:v5.example a:n3.example ?all\"\n"
				    "v5.example TXT \"v=spf1 ptr a/0 ?all\"\n");
	ck_assert_int_eq(check(&w, FOUR, "a@v2.example", "h.example"), MXW__SPF_NEUTRAL);
	ck_assert_int_eq(check(&w, FOUR, "a@v3.example", "h.example"), MXW__SPF_PERMERROR);
	ck_assert_int_eq(check(&w, FOUR, "a@v4.example", "h.example"), MXW__SPF_PERMERROR);
	world_fini(&w);
}
END_TEST

/* libspf2 alone silently drops what lies beyond 511 compiled octets, and counts mechanisms in eight bits. */
START_TEST(a_long_record_keeps_its_end)
{
	struct world w;
	struct mxw__buf zone;

	world_init(&w);
	mxw__buf_init(&zone, 100000);
	mxw__buf_adds(&zone, "d.example TXT");
	mxw__buf_adds(&zone, " \"v=spf1 \"");
	for (int i = 0; i < 300; i++)
		mxw__buf_addf(&zone, " \"ip4:198.51.%d.%d \"", i / 256, i % 256);
	mxw__buf_adds(&zone, " \"ip4:192.0.2.10 -all\"\n");
	fake_resolver_script(w.dns, mxw__buf_str(&zone));
	ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), MXW__SPF_PASS);
	ck_assert_int_eq(check(&w, "192.0.2.11", "a@d.example", "h.example"), MXW__SPF_FAIL);
	mxw__buf_fini(&zone);
	world_fini(&w);
}
END_TEST

START_TEST(a_record_that_is_too_long_is_an_error)
{
	static uint8_t data[MXW__SPF_MAX_RECORD + 1];
	struct mxw__spf_record record;
	struct mxw_ip client = {.family = 4};
	struct mxw_error err = {0};

	memset(data, ' ', sizeof(data));
	memcpy(data, "v=spf1", 6);
	ck_assert_int_eq(mxw__spf_record_parse(data, sizeof(data) - 1, &client, &record, &err), MXW_OK);
	ck_assert_int_eq(mxw__spf_record_parse(data, sizeof(data), &client, &record, &err), MXW_ERR_INVALID);
}
END_TEST

START_TEST(terms_of_thousands_of_octets_do_no_harm)
{
	struct world w;
	struct mxw__buf zone;

	world_init(&w);
	mxw__buf_init(&zone, 100000);
	mxw__buf_adds(&zone, "d.example TXT \"v=spf1 \" \"exists:\"");
	for (int i = 0; i < 400; i++)
		mxw__buf_adds(&zone, " \"%{sr-}.%{i}.%{H}.xxxxxxxx\"");
	mxw__buf_adds(&zone, " \".example -all\"\n");
	fake_resolver_script(w.dns, mxw__buf_str(&zone));
	ck_assert_int_eq(check(&w, FOUR, "a-b@d.example", "h.example"), MXW__SPF_FAIL);
	mxw__buf_fini(&zone);
	world_fini(&w);
}
END_TEST

/* The explanation that overruns a buffer of libspf2 1.2.10 (CVE-2023-42118): 127 macros and 16 letters. */
START_TEST(an_explanation_can_neither_crash_nor_matter)
{
	static const char *const records[] = {"v=spf1 exp=e.example -all", "v=spf1 ~all exp=e.example", "v=spf1 ?all exp=e.example"};
	static const mxw__spf_result_t results[] = {MXW__SPF_FAIL, MXW__SPF_SOFTFAIL, MXW__SPF_NEUTRAL};
	struct mxw__buf zone;

	for (size_t i = 0; i < MXW_ARRAY_LEN(records); i++) {
		struct world w;
		world_init(&w);
		mxw__buf_init(&zone, 100000);
		mxw__buf_addf(&zone, "d.example TXT \"%s\"\ne.example TXT", records[i]);
		for (int j = 0; j < 127; j++)
			mxw__buf_adds(&zone, " \"%{i}\"");
		mxw__buf_adds(&zone, " \"abcdefghijklmnop\"\n");
		fake_resolver_script(w.dns, mxw__buf_str(&zone));
		ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), results[i]);
		ck_assert_uint_eq(fake_resolver_total_sent(w.dns), 1);
		mxw__buf_fini(&zone);
		world_fini(&w);
	}
}
END_TEST

/* ---- time and budget ---- */

START_TEST(includes_are_waited_for_together)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 include:i1.example include:i2.example mx a:x.example -all\"\n"
				    "i1.example TXT \"v=spf1 ?all\"\ni2.example TXT \"v=spf1 ?all\"\n"
				    "d.example MX 1 m1.example\nd.example MX 2 m2.example\nm1.example A 192.0.2.1\nm2.example A 192.0.2.2\n"
				    "x.example A 192.0.2.10\n*.example ANY !delay=50ms\n");
	int64_t begin = mxw__now_ms(&w.clock.clock);
	ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), MXW__SPF_PASS);
	/* The record, then all its terms, then the addresses of the exchangers. */
	ck_assert_int_eq(mxw__now_ms(&w.clock.clock) - begin, 150);
	world_fini(&w);
}
END_TEST

START_TEST(nothing_is_asked_after_the_deadline)
{
	struct world w;

	world_init(&w);
	w.patience_ms = 100;
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 include:i.example exists:x.example -all\"\n"
				    "i.example TXT !timeout\n");
	ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), MXW__SPF_TEMPERROR);
	ck_assert_uint_eq(fake_resolver_asks(w.dns, "x.example", 0), 0);
	ck_assert_ptr_nonnull(strstr(w.answer.reason, "i.example"));
	world_fini(&w);
}
END_TEST

START_TEST(a_used_up_budget_is_no_verdict)
{
	struct world w;

	world_init(&w);
	w.budget.limit = 1;
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 a:x.example -all\"\n");
	ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), MXW__SPF_TEMPERROR);
	ck_assert_ptr_nonnull(strstr(w.answer.reason, "budget"));
	world_fini(&w);
}
END_TEST

/* ---- reading records ---- */

START_TEST(what_libspf2_gets_holds_no_text_of_a_peer)
{
	static const char text[] = "v=spf1 ip4:198.51.100.1 ?a:evil.example/24//48 mx/0 ptr:evil.example "
				   "~exists:%{l}.evil.example x=y redirect=evil.example exp=evil.example";
	struct mxw_ip client = {.family = 4, .bytes = {192, 0, 2, 10}};
	struct mxw__spf_record record;
	struct mxw_error err = {0};
	struct mxw__buf buf;

	ck_assert_int_eq(mxw__spf_record_parse((const uint8_t *)text, sizeof(text) - 1, &client, &record, &err), MXW_OK);
	mxw__buf_init(&buf, 1000);
	mxw__spf_record_write(&record, 3, 4, &buf);
	ck_assert_str_eq(mxw__buf_str(&buf), "v=spf1 ?a:t0.f3.x/24 +exists:t1.f3.x +exists:t2.f3.x ~exists:t3.f3.x "
					     "redirect=t4.f3.x exists:e.f3.x");
	mxw__buf_clear(&buf);
	client.bytes[0] = 198, client.bytes[1] = 51, client.bytes[2] = 100, client.bytes[3] = 1;
	ck_assert_int_eq(mxw__spf_record_parse((const uint8_t *)text, sizeof(text) - 1, &client, &record, &err), MXW_OK);
	mxw__spf_record_write(&record, 0, 4, &buf);
	ck_assert_str_eq(mxw__buf_str(&buf), "v=spf1 exists:e.f0.x +all");
	mxw__buf_fini(&buf);
}
END_TEST

START_TEST(complaints_show_peer_data_safely)
{
	static const char text[] = "v=spf1 foo\r\n\x1b:0123456789012345678901234567890123456789012345678901234567890";
	struct mxw_ip client = {.family = 4};
	struct mxw__spf_record record;
	struct mxw_error err = {0};

	ck_assert_int_eq(mxw__spf_record_parse((const uint8_t *)text, sizeof(text) - 1, &client, &record, &err),
			 MXW_ERR_INVALID);
	ck_assert_mem_eq(err.text, "forbidden octet in \"foo???:0123", 31);
	for (const char *p = err.text; *p; p++)
		ck_assert(*p >= 0x20 && *p <= 0x7e);
	ck_assert_uint_lt(strlen(err.text), 100);
}
END_TEST

/* ---- threads ---- */

static void *check_often(void *ctx)
{
	struct world w = *(struct world *)ctx;

	for (int i = 0; i < 100; i++) {
		if (check(&w, i & 1 ? FOUR : SIX, "a@d.example", "h.example") != (i & 1 ? MXW__SPF_PASS : MXW__SPF_FAIL))
			return ctx;
	}
	return NULL;
}

START_TEST(evaluations_in_several_threads_do_not_meet)
{
	pthread_t threads[4];
	struct world w;
	void *failed;

	world_init(&w);
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 include:%{l}.example mx -all\"\na.example TXT \"v=spf1 ?all\"\n"
				    "d.example MX 1 m.example\nm.example A 192.0.2.10\n");
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, check_often, &w), 0);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++) {
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	world_fini(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spf");
	TCase *tc = tcase_create("spf");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, vectors_of_rfc_7208, 0, MXW_ARRAY_LEN(vectors));
	tcase_add_loop_test(tc, a_domain_that_can_not_exist_has_no_result, 0, MXW_ARRAY_LEN(domains));
	tcase_add_test(tc, a_loopback_client_gets_no_free_pass);
	tcase_add_loop_test(tc, macros_expand_as_in_the_rfc, 0, MXW_ARRAY_LEN(macros));
	tcase_add_test(tc, a_long_name_loses_labels_at_its_left);
	tcase_add_test(tc, ten_terms_are_counted_over_all_records);
	tcase_add_test(tc, a_tree_of_includes_causes_eleven_look_ups_at_most);
	tcase_add_test(tc, two_terms_may_find_nothing);
	tcase_add_test(tc, a_long_record_keeps_its_end);
	tcase_add_test(tc, a_record_that_is_too_long_is_an_error);
	tcase_add_test(tc, terms_of_thousands_of_octets_do_no_harm);
	tcase_add_test(tc, an_explanation_can_neither_crash_nor_matter);
	tcase_add_test(tc, includes_are_waited_for_together);
	tcase_add_test(tc, nothing_is_asked_after_the_deadline);
	tcase_add_test(tc, a_used_up_budget_is_no_verdict);
	tcase_add_test(tc, what_libspf2_gets_holds_no_text_of_a_peer);
	tcase_add_test(tc, evaluations_in_several_threads_do_not_meet);
	tcase_add_test(tc, complaints_show_peer_data_safely);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
