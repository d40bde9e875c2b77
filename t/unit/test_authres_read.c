/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/mail/authres_read.h"
#include "t/fakes/suite.h"

static mxw__arena_t *arena;

static void setup(void)
{
	arena = mxw__arena_new(1 << 18);
}

static void teardown(void)
{
	mxw__arena_free(arena);
}

static const struct {
	const char *value, *id;
} ids[] = {
	{" mx.example.net; spf=pass", "mx.example.net"},
	{"MX.Example.NET 1; none", "mx.example.net"},
	{"(a (nested) \\) comment) mx.example.net (x); none", "mx.example.net"},
	{"\r\n\t\"mx.example.net\"; none", "mx.example.net"},
	{"\"mx.\\example.net\"; none", "mx.example.net"},
	{"mx.example.net", "mx.example.net"},
	{"(never ends mx.example.net; none", NULL},
	{"\"mx.example.net; none", NULL},
	{"", NULL},
	{"; spf=pass", NULL},
	{"mx.example.net spf=pass", NULL},
	{"mx.example.net 1x; spf=pass", NULL},
	{"mx.example.net 2; spf=pass", NULL},
	{"mx.(c)example.net; spf=pass", NULL},
	{"\"mx\".example.net; spf=pass", NULL},
	{"mx\r.example.net; spf=pass", NULL},
	{"mx\x0b.example.net; spf=pass", NULL},
	{"=?utf-8?q?mx.example.net?=; spf=pass", NULL},
	{"\"mx.exam\x01ple.net\"; spf=pass", NULL},
};

START_TEST(authserv_ids_are_read_through_comments_and_quotes)
{
	const char *id = NULL;
	mxw_status_t status = mxw__authres_id(arena, ids[_i].value, strlen(ids[_i].value), &id);

	if (ids[_i].id) {
		ck_assert_int_eq(status, MXW_OK);
		ck_assert_str_eq(id, ids[_i].id);
	} else {
		ck_assert_int_eq(status, MXW_ERR_INVALID);
	}
}
END_TEST


/* What was read, in one line: id | method=result "reason" type.name=value ... | ... */
static const char *show(const struct mxw__authres *a)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, 1 << 16);
	if (a->instance)
		mxw__buf_addf(&buf, "i=%u ", a->instance);
	mxw__buf_adds(&buf, a->id);
	for (size_t i = 0; i < a->nitems; i++) {
		const struct mxw__authres_item *item = &a->items[i];
		mxw__buf_addf(&buf, " | %s=%s", item->method, item->result);
		if (*item->reason)
			mxw__buf_addf(&buf, " <%s>", item->reason);
		for (size_t p = 0; p < item->nproperties; p++)
			mxw__buf_addf(&buf, " %s.%s=%s", item->properties[p].type, item->properties[p].name,
				      item->properties[p].value);
	}
	const char *text = mxw__arena_strdup(arena, mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
	return text;
}

/* `strict` and `loose`: what each reading makes of it, NULL for nothing; "" in `loose` is the same as in `strict`. */
static const struct {
	const char *value, *strict, *loose;
} fields[] = {
	/* The examples of RFC 8601 appendix B. */
	{" example.org 1; none", "example.org", ""},
	{" example.com;\n\tspf=pass smtp.mailfrom=example.net", "example.com | spf=pass smtp.mailfrom=example.net", ""},
	{" example.com;\n auth=pass (cram-md5) smtp.auth=sender@example.net;\n spf=pass smtp.mailfrom=example.net",
	 "example.com | auth=pass smtp.auth=sender@example.net | spf=pass smtp.mailfrom=example.net", ""},
	{" example.com; iprev=pass\n policy.iprev=192.0.2.200", "example.com | iprev=pass policy.iprev=192.0.2.200", ""},
	{" example.com;\n dkim=pass reason=\"good signature\"\n header.i=@mail-router.example.net;\n dkim=fail "
	 "reason=\"bad signature\"\n header.i=@newyork.example.com",
	 "example.com | dkim=pass <good signature> header.i=@mail-router.example.net | dkim=fail <bad signature> "
	 "header.i=@newyork.example.com", ""},
	{" foo.example.net (foobar) 1 (baz);\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\n policy "
	 "(A dot can go here) . (like that) expired\n (this surprised me) = (as I wasn't expecting it) 1362471462",
	 "foo.example.net | dkim=fail policy.expired=1362471462", ""},
	/* Values. */
	{"a; x=pass b.c=\"q\\\"r; none\" d.e=\"x y\"@example.net", "a | x=pass b.c=q\"r; none d.e=x y@example.net", ""},
	{"a; x=pass b.c=prvs=1=u@example.net", "a | x=pass b.c=prvs=1=u@example.net", ""},
	{"A; DKIM=PASS Header.D=Example.ORG", "a | dkim=pass header.d=Example.ORG", ""},
	{"a; x=pass b.c=j\xc3\xbcrg@m\xc3\xbcller.example", "a | x=pass b.c=j\xc3\xbcrg@m\xc3\xbcller.example", ""},
	{"a; x=pass (b.c=d) (\"(\"))", "a | x=pass", ""},
	{"a; x=pass reason=why reason.x=y", "a | x=pass <why> reason.x=y", ""},
	{"a;x=pass", "a | x=pass", ""},
	/* What large sites write. */
	{"mx.big.example; dmarc=pass action=none header.from=a.example; dkim=fail (x)", NULL,
	 "mx.big.example | dmarc=pass | dkim=fail"},
	{"mx; dkim=pass header.b=AbC/+= header.d=x; spf=pass", NULL, "mx | dkim=pass | spf=pass"},
	{"mx; iprev=pass policy.iprev=2001:db8::1; spf=pass", NULL, "mx | iprev=pass | spf=pass"},
	{"mx; spf=pass a.b=c\"d\"; x=pass", NULL, "mx | spf=pass | x=pass"},
	{"mx; spf=pass\"d\"; x=pass", NULL, NULL},
	{"mx; dkim=pass header.d=x;", NULL, "mx | dkim=pass header.d=x"},
	{"mx; dkim=pass \"x; dmarc=pass\" y; spf=fail", NULL, "mx | dkim=pass | spf=fail"},
	{"mx; spf=fail dmarc=pass", NULL, "mx | spf=fail"},
	{"mx; spf=fail x (; dmarc=pass) ; y=pass", NULL, "mx | spf=fail | y=pass"},
	/* What nobody can read. */
	{"mx", NULL, NULL},
	{"mx;", NULL, NULL},
	{"mx; none; spf=pass", NULL, NULL},
	{"mx spf=pass", NULL, NULL},
	{"mx; spf", NULL, NULL},
	{"mx; =pass", NULL, NULL},
	{"mx; spf=", NULL, NULL},
	{"mx; spf=pass (x", NULL, NULL},
	{"mx; spf=pass \"x", NULL, NULL},
	{"mx; spf=pass a.b=\"x\ty", NULL, NULL},
	{"mx; spf=pass a.b=\"x\x01y\"", NULL, NULL},
	{"mx; spf/x=pass", NULL, NULL},
	{"mx 9; spf=pass", NULL, NULL},
	{"mx; spf=pass; ; dkim=pass", NULL, NULL},
};

START_TEST(fields_are_read_to_the_letter_or_leniently)
{
	const char *value = fields[_i].value, *loose = fields[_i].loose;
	struct mxw__authres a;

	mxw_status_t status = mxw__authres_read(arena, value, strlen(value), MXW__AUTHRES_STRICT, &a);
	ck_assert_msg((status == MXW_OK) == (fields[_i].strict != NULL), "%s", value);
	if (fields[_i].strict)
		ck_assert_str_eq(show(&a), fields[_i].strict);
	if (loose && !*loose)
		loose = fields[_i].strict;
	status = mxw__authres_read(arena, value, strlen(value), 0, &a);
	ck_assert_msg((status == MXW_OK) == (loose != NULL), "%s", value);
	if (loose)
		ck_assert_str_eq(show(&a), loose);
}
END_TEST

static const struct {
	const char *value, *result;
} results[] = {
	{"i=1; mx.big.example; dkim=pass header.d=x; dmarc=Pass (p=NONE sp=NONE dis=NONE) header.from=x", "pass"},
	{" i = 2 ; mx.big.example 1; dmarc=pass action=none header.from=x;dkim=fail", "pass"},
	{"i=1; mx; dmarc=fail; dmarc=fail", "fail"},
	{"i=1; mx; dmarc=pass; dmarc=fail", NULL},
	{"i=1; mx; dkim=pass", NULL},
	{"i=1; mx; spf=pass (dmarc=pass", NULL},
	{"i=1; mx; spf=pass x=\"; dmarc=pass\"", NULL},
	{"i=1; mx; none", NULL},
	{"mx; dmarc=pass", NULL},
	{"i=51; mx; dmarc=pass", NULL},
	{"i=1 mx; dmarc=pass", NULL},
};

START_TEST(one_result_of_a_sealer)
{
	const char *value = results[_i].value;
	const char *result = mxw__authres_result(arena, value, strlen(value), MXW__AUTHRES_ARC, "dmarc");

	ck_assert_pstr_eq(result, results[_i].result);
}
END_TEST

/* So many and no more, in time that grows no faster than the field. */
START_TEST(a_field_without_end_is_refused)
{
	struct mxw__buf buf;
	struct mxw__authres a;

	mxw__buf_init(&buf, 1 << 20);
	mxw__buf_adds(&buf, "mx");
	for (int i = 0; i <= MXW__AUTHRES_ITEMS_MAX; i++)
		mxw__buf_adds(&buf, "; x=pass");
	ck_assert_int_eq(mxw__authres_read(arena, buf.data, buf.len, 0, &a), MXW_ERR_LIMIT);
	mxw__buf_clear(&buf);
	mxw__buf_adds(&buf, "mx; x=pass");
	for (int i = 0; i <= MXW__AUTHRES_PROPERTIES_MAX; i++)
		mxw__buf_adds(&buf, " a.b=c");
	ck_assert_int_eq(mxw__authres_read(arena, buf.data, buf.len, 0, &a), MXW_ERR_LIMIT);
	mxw__buf_clear(&buf);
	mxw__buf_adds(&buf, "mx; x=pass a.b=");
	for (int i = 0; i < 300000; i++)
		mxw__buf_addc(&buf, 'x');
	ck_assert_int_eq(mxw__authres_read(arena, buf.data, buf.len, 0, &a), MXW_ERR_LIMIT);
	mxw__buf_clear(&buf);
	for (int i = 0; i < 300000; i++)
		mxw__buf_addc(&buf, '(');
	ck_assert_int_eq(mxw__authres_read(arena, buf.data, buf.len, 0, &a), MXW_ERR_INVALID);
	mxw__buf_fini(&buf);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("authres_read");
	TCase *tc = tcase_create("authres_read");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, authserv_ids_are_read_through_comments_and_quotes, 0, MXW_ARRAY_LEN(ids));
	tcase_add_loop_test(tc, fields_are_read_to_the_letter_or_leniently, 0, MXW_ARRAY_LEN(fields));
	tcase_add_loop_test(tc, one_result_of_a_sealer, 0, MXW_ARRAY_LEN(results));
	tcase_add_test(tc, a_field_without_end_is_refused);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
