/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms of directory type "file", each with what trips a reader of it up. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/directory/file_form.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/notices.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

static struct scratch scratch;
static struct fake_clock fake;
static struct notices notices;
static char *path;
static void *source;

static void set_up(void)
{
	scratch_init(&scratch);
	fake_clock_init(&fake);
	notices_init(&notices);
	path = scratch_path(&scratch, "table");
	source = NULL;
}

static void tear_down(void)
{
	if (source)
		mxw__directory_file.close(source);
	free(path);
	notices_fini(&notices);
	scratch_fini(&scratch);
}

static struct mxw__directory_conf conf;

static void open_bytes(mxw__file_format_t format, const char *text, size_t len)
{
	struct mxw__directory_env env = {.conf = &conf, .clock = &fake.clock, .notice = notices_take, .notice_ctx = &notices};
	struct mxw_error err;

	scratch_write(path, text, len);
	conf = (struct mxw__directory_conf){.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path, .format = format};
	ck_assert_int_eq(mxw__directory_file.open(&env, &source, &err), MXW_OK);
}

static void open_table(mxw__file_format_t format, const char *text)
{
	open_bytes(format, text, strlen(text));
}

static struct mxw__rcpt_result ask(const char *text)
{
	char store[2000];

	snprintf(store, sizeof store, "%s", text);
	char *at = strrchr(store, '@');
	if (at)
		*at = '\0';
	struct mxw__address a = {.text = text, .local = store, .domain = at ? at + 1 : ""};
	struct mxw__rcpt_query query = {.address = &a, .deadline_ms = mxw__now_ms(&fake.clock) + 1000};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
	mxw__directory_file.lookup(source, &query, &result);
	return result;
}

/* F found, n not found, R refused, U found but not to be verified. */
static char letter(const char *who)
{
	struct mxw__rcpt_result r = ask(who);

	if (r.outcome == MXW_FOUND)
		return r.is_unverifiable ? 'U' : 'F';
	if (r.outcome == MXW_NOT_FOUND)
		return r.is_refused ? 'R' : 'n';
	return r.outcome == MXW_TEMPORARY ? 't' : 'm';
}

struct row {
	const char *who;
	char expect;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char got = letter(rows[i].who);
		ck_assert_msg(got == rows[i].expect, "%s: %c, %c was expected; %s", rows[i].who, got, rows[i].expect,
			      mxw__buf_str(&notices.text));
	}
}

/* ---- postfix ---- */

static const char postfix_map[] =
	"# a comment\n"
	"  # an indented one\n"
	"\n"
	"one@example.net\tOK\n"
	"Two@Example.NET two@inside.example,\n"
	"\ttwo@other.example\n"
	"# a comment within a logical line\n"
	"\n"
	"   third@other.example\n"
	"crlf@example.net x\r\n"
	"below@example.net\n"
	"   value-on-the-next-line\n"
	"hash@example.net # no comment here, but a value\n"
	"postmaster root\n"
	"@catchall.example someone@example.net\n"
	"@moved.example @new.example\n"
	"\"john smith\"@example.net x\n"
	"\"a@b\"@example.net x\n"
	"\"qu\\\"ote\"@example.net x\n"
	"plus+detail@example.net x\n"
	"\"split\n"
	" quote\"@example.net x\n"
	"j\xc3\xb6rg@example.net x\n"
	"u@m\xc3\xbcller.example x\n"
	"rejected@example.net REJECT\n"
	"lit@[192.0.2.1] x\n"
	"one@example.net the second is not read\n"
	"last@example.net x";

static const struct row in_postfix_map[] = {
	{"one@example.net", 'F'}, {"ONE@example.net", 'F'}, {"two@example.net", 'F'}, {"third@other.example", 'n'},
	{"two@other.example", 'n'}, {"two@inside.example", 'n'}, {"crlf@example.net", 'F'}, {"below@example.net", 'F'},
	{"hash@example.net", 'F'}, {"postmaster@any.example", 'F'}, {"anybody@catchall.example", 'F'},
	{"anybody@sub.catchall.example", 'n'}, {"anybody@moved.example", 'U'}, {"anybody@new.example", 'n'},
	{"john smith@example.net", 'F'}, {"smith@example.net", 'n'}, {"a@b@example.net", 'F'}, {"a@b", 'n'},
	{"qu\"ote@example.net", 'F'}, {"plus+detail@example.net", 'F'}, {"plus@example.net", 'n'},
	{"split quote@example.net", 'F'}, {"j\xc3\xb6rg@example.net", 'F'}, {"J\xc3\x96RG@example.net", 'F'},
	{"u@xn--mller-kva.example", 'F'}, {"rejected@example.net", 'F'}, {"lit@[192.0.2.1]", 'F'},
	{"last@example.net", 'F'}, {"nobody@example.net", 'n'}, {"x@example.net", 'n'}, {"@example.net", 'n'}, {"", 'n'},
	{"value-on-the-next-line", 'n'}, {"#@example.net", 'n'}, {"example.net", 'n'},
};

START_TEST(a_postfix_map_is_read_as_postmap_reads_it)
{
	open_table(MXW__FILE_POSTFIX, postfix_map);
	check_rows(in_postfix_map, MXW_ARRAY_LEN(in_postfix_map));
	ck_assert_msg(notices_count(&notices) == 0, "%s", mxw__buf_str(&notices.text));
}
END_TEST

/* ---- postfix-access ---- */

static const char postfix_access[] =
	"good@example.net OK\n"
	"number@example.net 1234567890\n"
	"gone@example.net REJECT\n"
	"told@example.net reject Moved to the moon\n"
	"code@example.net 550 5.1.1 no such user\n"
	"bare@example.net 554\n"
	"soft@example.net 450 4.2.1 later\n"
	"defer@example.net DEFER_IF_PERMIT later\n"
	"dunno@example.net DUNNO\n"
	"class@example.net my_restrictions, reject\n"
	"rejects@example.net rejects_of_mine\n"
	"example.net REJECT no other\n"
	"relayed.example OK\n"
	"someone@sub.relayed.example OK\n"
	"black.hole.example DISCARD\n"
	"local@ OK\n"
	"fired@ REJECT\n"
	".below.example REJECT\n"
	"192.0.2 REJECT\n"
	"<> REJECT\n"
	"5@example.net 5\n";

static const struct row in_postfix_access[] = {
	{"good@example.net", 'F'}, {"number@example.net", 'F'}, {"gone@example.net", 'R'}, {"told@example.net", 'R'},
	{"code@example.net", 'R'}, {"bare@example.net", 'R'}, {"soft@example.net", 'F'}, {"defer@example.net", 'F'},
	{"dunno@example.net", 'F'}, {"class@example.net", 'F'}, {"rejects@example.net", 'F'}, {"other@example.net", 'n'},
	{"anybody@relayed.example", 'n'}, {"someone@sub.relayed.example", 'F'}, {"other@sub.relayed.example", 'n'},
	{"x@black.hole.example", 'F'}, {"x@deep.black.hole.example", 'F'}, {"x@hole.example", 'n'},
	/* The domain comes before the name alone. */
	{"local@example.net", 'n'}, {"local@other.example", 'F'}, {"fired@other.example", 'R'}, {"fired@example.net", 'n'},
	{"x@a.below.example", 'n'}, {"5@example.net", 'F'}, {"", 'n'}, {"@", 'n'},
};

START_TEST(a_postfix_access_table_names_and_refuses_addresses)
{
	open_table(MXW__FILE_POSTFIX_ACCESS, postfix_access);
	check_rows(in_postfix_access, MXW_ARRAY_LEN(in_postfix_access));
	ck_assert_msg(notices_count(&notices) == 0, "%s", mxw__buf_str(&notices.text));
}
END_TEST

/* ---- virtusertable ---- */

static const char virtusertable[] =
	"# comment\n"
	"info@example.net\tinfo-net\n"
	"Info2@EXAMPLE.net  info2\r\n"
	"gone@example.net error:nouser 550 No such user here\n"
	"coded@example.net error:5.1.1:550 No such user\n"
	"blank@example.net error: nouser No such user\n"
	"bare@example.net error:nouser\n"
	"upper@example.net ERROR:NOUSER 550 no\n"
	"later@example.net error:4.2.1:450 Mailbox is being moved\n"
	"later2@example.net error:tempfail 450 come again\n"
	"later3@example.net error:nouser 450 come again\n"
	"later4@example.net error:75:come again\n"
	"errors@example.net errors\n"
	"list+*@example.net %1-list\n"
	"list+closed@example.net error:nouser 550 closed\n"
	"strict++@example.net strict\n"
	"strict@example.net error:nouser 550 a detail is needed\n"
	"quiet+*@example.net error:nouser 550 no details\n"
	"quiet@example.net quiet\n"
	"\"john.smith\"@example.net john\n"
	"@example.net error:nouser 550 5.1.1 nobody else\n"
	"@all.example someone\n"
	"@all-moved.example %1@new.example\n"
	"@whole.example %0@archive.example\n"
	"+*@details.example detail-%2\n"
	"++@gone-details.example error:nouser 550 none\n"
	"@gone-details.example someone\n"
	"j\xc3\xb6rg@example.net j\n";

static const struct row in_virtusertable[] = {
	{"info@example.net", 'F'}, {"INFO@example.net", 'F'}, {"info2@example.net", 'F'}, {"gone@example.net", 'R'},
	{"coded@example.net", 'R'}, {"blank@example.net", 'R'}, {"bare@example.net", 'R'}, {"upper@example.net", 'R'},
	{"later@example.net", 'F'}, {"later2@example.net", 'F'}, {"later3@example.net", 'F'}, {"later4@example.net", 'F'},
	{"errors@example.net", 'F'}, {"unlisted@example.net", 'R'},
	/* A detail goes to the user unless there is something for the detail. */
	{"info+x@example.net", 'F'}, {"gone+x@example.net", 'R'}, {"unlisted+x@example.net", 'R'},
	{"list+any@example.net", 'F'}, {"list+@example.net", 'F'}, {"list+closed@example.net", 'R'}, {"list@example.net", 'R'},
	{"strict+x@example.net", 'F'}, {"strict+@example.net", 'R'}, {"strict@example.net", 'R'},
	{"quiet@example.net", 'F'}, {"quiet+x@example.net", 'R'}, {"quiet+@example.net", 'R'},
	{"john.smith@example.net", 'F'},
	{"x@all.example", 'F'}, {"x+y@all.example", 'F'}, {"x@all-moved.example", 'U'}, {"x+y@all-moved.example", 'U'},
	{"x@whole.example", 'U'}, {"x@details.example", 'n'}, {"x+y@details.example", 'F'}, {"x+@details.example", 'F'},
	{"x@gone-details.example", 'F'}, {"x+@gone-details.example", 'F'}, {"x+y@gone-details.example", 'R'},
	{"j\xc3\xb6rg@example.net", 'F'}, {"+@example.net", 'R'}, {"+x@all.example", 'F'},
	{"info@other.example", 'n'}, {"info", 'n'}, {"", 'n'}, {"new.example", 'n'},
};

START_TEST(a_virtusertable_finds_and_refuses_by_the_most_special_entry)
{
	open_table(MXW__FILE_VIRTUSERTABLE, virtusertable);
	check_rows(in_virtusertable, MXW_ARRAY_LEN(in_virtusertable));
	ck_assert_msg(notices_count(&notices) == 0, "%s", mxw__buf_str(&notices.text));
}
END_TEST

/* ---- access ---- */

static const char access_table[] =
	"# comment\n"
	"Connect:192.0.2\tREJECT\n"
	"Connect:example.net REJECT\n"
	"From:gone@example.net OK\n"
	"From:info@example.net REJECT\n"
	"Spam:friend@example.net FRIEND\n"
	"GreetPause:localhost 0\n"
	"192.0.2.7 REJECT\n"
	"IPv6:2001:db8::1 REJECT\n"
	"To:info@example.net OK\n"
	"to:Relay@example.net RELAY\r\n"
	"To:gone@example.net REJECT\n"
	"To:coded@example.net ERROR:550 no such user\n"
	"To:dsn@example.net ERROR:5.1.1:550 no such user\n"
	"To:plain@example.net 550 no such user\n"
	"To:text@example.net ERROR:no such user\n"
	"To:later@example.net ERROR:4.2.1:450 later\n"
	"To:later2@example.net ERROR:450 later\n"
	"To:hole@example.net DISCARD\n"
	"To:kept@example.net QUARANTINE:looked at\n"
	"blocked@example.net ERROR:550 Mailbox disabled\n"
	"known@example.net OK\n"
	"both@example.net REJECT\n"
	"To:both@example.net OK\n"
	"disabled@ ERROR:550 disabled everywhere\n"
	"To:welcome@ RELAY\n"
	"To:list+*@example.net OK\n"
	"To:list@example.net REJECT\n"
	"To:user@example.net OK\n"
	"To:closed.example ERROR:550 That host takes no mail\n"
	"To:one@closed.example OK\n"
	"To:example.net RELAY\n"
	"To:hole.example DISCARD\n"
	"To:put-off.example ERROR:4.7.1:450 not now\n"
	"sender.example REJECT\n"
	"To:.dotted.example REJECT\n"
	"To:192.0.2 REJECT\n";

static const struct row in_access_table[] = {
	{"info@example.net", 'F'}, {"relay@example.net", 'F'}, {"gone@example.net", 'R'}, {"coded@example.net", 'R'},
	{"dsn@example.net", 'R'}, {"plain@example.net", 'R'}, {"text@example.net", 'R'}, {"later@example.net", 'F'},
	{"later2@example.net", 'F'}, {"hole@example.net", 'F'}, {"kept@example.net", 'F'}, {"blocked@example.net", 'R'},
	{"known@example.net", 'F'}, {"both@example.net", 'F'}, {"disabled@example.net", 'R'}, {"disabled@x.example", 'R'},
	{"welcome@x.example", 'F'}, {"friend@example.net", 'n'},
	{"list+a@example.net", 'F'}, {"list@example.net", 'R'}, {"user+a@example.net", 'F'}, {"gone+a@example.net", 'R'},
	{"anybody@closed.example", 'R'}, {"anybody@sub.closed.example", 'R'}, {"one@closed.example", 'F'},
	{"one+x@closed.example", 'F'},
	/* That mail for a domain is relayed says nothing of who is there. */
	{"anybody@example.net", 'n'}, {"x@hole.example", 'F'}, {"x@put-off.example", 'n'}, {"x@sender.example", 'n'},
	{"x@a.dotted.example", 'n'}, {"x@[192.0.2.7]", 'n'}, {"", 'n'}, {"@", 'n'},
};

START_TEST(an_access_table_is_read_as_to_its_recipients)
{
	open_table(MXW__FILE_ACCESS, access_table);
	check_rows(in_access_table, MXW_ARRAY_LEN(in_access_table));
	ck_assert_msg(notices_count(&notices) == 0, "%s", mxw__buf_str(&notices.text));
}
END_TEST

/* ---- what can't be used ---- */

static const struct {
	mxw__file_format_t format;
	const char *line;
} bad_lines[] = {
	{MXW__FILE_POSTFIX, "alone@example.net"},
	{MXW__FILE_POSTFIX, "/^.*@example\\.net$/ OK"},
	{MXW__FILE_POSTFIX, "user: someone"},
	{MXW__FILE_POSTFIX, "\"open@example.net OK"},
	{MXW__FILE_POSTFIX, "a@b@c OK"},
	{MXW__FILE_POSTFIX, "a@ OK"},
	{MXW__FILE_POSTFIX, "@ OK"},
	{MXW__FILE_POSTFIX, "<a@example.net> OK"},
	{MXW__FILE_POSTFIX_ACCESS, "@example.com REJECT"},
	{MXW__FILE_POSTFIX_ACCESS, "a..b OK"},
	{MXW__FILE_POSTFIX_ACCESS, "alone@example.net"},
	{MXW__FILE_VIRTUSERTABLE, "alone@example.net"},
	{MXW__FILE_VIRTUSERTABLE, "user someone"},
	{MXW__FILE_VIRTUSERTABLE, "user@ someone"},
	{MXW__FILE_VIRTUSERTABLE, "\"john smith\"@example.net john"},
	{MXW__FILE_VIRTUSERTABLE, "  blank@example.net x"},
	{MXW__FILE_ACCESS, "To:alone@example.net"},
	{MXW__FILE_ACCESS, "To:@example.com OK"},
	{MXW__FILE_ACCESS, "To: example.com OK"},
	{MXW__FILE_ACCESS, "\tTo:x@example.com OK"},
};

START_TEST(a_line_that_cannot_be_used_is_told_and_the_rest_is_used)
{
	static const char *const tags[] = {
		[MXW__FILE_POSTFIX] = "", [MXW__FILE_POSTFIX_ACCESS] = "", [MXW__FILE_VIRTUSERTABLE] = "", [MXW__FILE_ACCESS] = "To:",
	};
	char text[300], where[300];
	const char *tag = tags[bad_lines[_i].format];

	snprintf(text, sizeof text, "%sbefore@example.net OK\n%s\n%safter@example.net OK\n", tag, bad_lines[_i].line, tag);
	snprintf(where, sizeof where, "warning: directory staff: %s:2: ", path);
	open_table(bad_lines[_i].format, text);
	ck_assert_msg(notices_have(&notices, where), "%s: %s", bad_lines[_i].line, mxw__buf_str(&notices.text));
	ck_assert_int_eq(letter("before@example.net"), 'F');
	ck_assert_int_eq(letter("after@example.net"), 'F');
	ck_assert_int_eq(letter("alone@example.net"), 'n');
}
END_TEST

static const struct {
	mxw__file_format_t format;
	const char *key;
} keys[] = {
	{MXW__FILE_POSTFIX, ""}, {MXW__FILE_POSTFIX_ACCESS, ""}, {MXW__FILE_VIRTUSERTABLE, ""}, {MXW__FILE_ACCESS, "To:"},
};

START_TEST(a_nul_hides_nothing_in_any_form)
{
	char text[200];
	int n = snprintf(text, sizeof text, "%sa@example.net O?K\n%sb?@example.net OK\n%sok@example.net OK\n", keys[_i].key,
			 keys[_i].key, keys[_i].key);

	for (int i = 0; i < n; i++)
		if (text[i] == '?')
			text[i] = '\0';
	open_bytes(keys[_i].format, text, (size_t)n);
	ck_assert_int_eq(letter("ok@example.net"), 'F');
	ck_assert_int_eq(letter("a@example.net"), 'n');
	ck_assert_int_eq(letter("b@example.net"), 'n');
	ck_assert(notices_have(&notices, ":1: a NUL in the line"));
	ck_assert(notices_have(&notices, ":2: a NUL in the line"));
}
END_TEST

START_TEST(long_lines_cost_nothing_but_themselves)
{
	struct mxw__buf text;
	char local[400];

	memset(local, 'x', sizeof local);
	mxw__buf_init(&text, 4 << 20);
	mxw__buf_addf(&text, "%slong@example.net ", keys[_i].key);
	for (int i = 0; i < 20000; i++)
		mxw__buf_adds(&text, "someone@example.net, ");
	mxw__buf_addf(&text, "\n%s%.255s@example.net x\n%s%.256s@example.net x\n%safter@example.net x\n", keys[_i].key, local,
		      keys[_i].key, local, keys[_i].key);
	open_bytes(keys[_i].format, text.data, text.len);
	mxw__buf_fini(&text);
	ck_assert_int_eq(letter("long@example.net"), 'F');
	ck_assert_int_eq(letter("after@example.net"), 'F');
	ck_assert_int_eq(letter("someone@example.net"), 'n');
	snprintf(local + 255, sizeof local - 255, "@example.net");
	ck_assert_int_eq(letter(local), 'F');
	memset(local, 'x', 256);
	snprintf(local + 256, sizeof local - 256, "@example.net");
	ck_assert_int_eq(letter(local), 'n');
	ck_assert(notices_have(&notices, ":3: longer than an address can be"));
}
END_TEST

START_TEST(continued_lines_are_put_together_in_time_that_grows_with_the_file)
{
	struct mxw__buf text;

	mxw__buf_init(&text, 8 << 20);
	mxw__buf_adds(&text, "many@example.net a,\n");
	for (int i = 0; i < 200000; i++)
		mxw__buf_adds(&text, " b@example.net,\n");
	mxw__buf_adds(&text, "next@example.net x\n");
	open_bytes(MXW__FILE_POSTFIX, text.data, text.len);
	mxw__buf_fini(&text);
	ck_assert_int_eq(letter("many@example.net"), 'F');
	ck_assert_int_eq(letter("next@example.net"), 'F');
	ck_assert_int_eq(letter("b@example.net"), 'n');
}
END_TEST

/* Somebody who is refused might not be in what is being written now. */
START_TEST(while_a_table_is_being_written_nobody_is_refused)
{
	open_table(MXW__FILE_VIRTUSERTABLE, "info@example.net x\n@example.net error:nouser 550 no\n");
	ck_assert_int_eq(letter("info@example.net"), 'F');
	ck_assert_int_eq(letter("other@example.net"), 'R');
	fake_clock_advance(&fake, 5000);
	int64_t now = fake.clock.wall_ms(fake.clock.ctx);
	struct timespec t = {(time_t)(now / 1000), (long)(now % 1000) * 1000000L};
	scratch_write(path, "inf", 3);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[]){t, t}, 0), 0);
	ck_assert_int_eq(letter("info@example.net"), 'F');
	ck_assert_int_eq(letter("other@example.net"), 't');
}
END_TEST

/* ---- more than one directory ---- */

static struct mxw__rcpt_result ask_set(mxw__directories_t *set, const char *local, const char *text)
{
	struct mxw__address a = {.text = text, .local = local, .domain = "example.net"};
	struct mxw__rcpt_query query = {.address = &a, .deadline_ms = mxw__now_ms(&fake.clock) + 1000};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};

	mxw__directories_lookup(set, mxw__directories_domain(set, "example.net"), &query, &result);
	return result;
}

START_TEST(who_is_refused_is_not_looked_for_elsewhere)
{
	static const char *const names[] = {"example.net"};
	const size_t recipients[] = {0, 1};
	char *list = scratch_path(&scratch, "list");
	struct mxw__directory_conf directories[] = {
		{.name = "virt", .type = MXW__DIRECTORY_FILE, .path = path, .format = MXW__FILE_VIRTUSERTABLE},
		{.name = "list", .type = MXW__DIRECTORY_FILE, .path = list},
	};
	struct mxw__domain_conf domain = {.names = {1, names}, .nrecipients = 2, .recipients = recipients, .delimiters = "+"};
	struct mxw_conf site = {.ndirectories = 2, .directories = directories, .ndomains = 1, .domains = &domain};
	struct mxw__directories_env env = {.clock = &fake.clock, .notice = notices_take, .notice_ctx = &notices};
	mxw__directories_t *set = NULL;
	struct mxw_error err;

	scratch_replace(path, "gone@example.net error:nouser 550 gone\nanna+closed@example.net error:nouser 550 closed\n");
	scratch_replace(list, "gone@example.net\nanna@example.net\n");
	ck_assert_int_eq(mxw__directories_new(&site, &env, &set, &err), MXW_OK);
	struct mxw__rcpt_result r = ask_set(set, "gone", "gone@example.net");
	ck_assert_int_eq(r.outcome, MXW_NOT_FOUND);
	ck_assert_str_eq(r.source, "virt");
	ck_assert_int_eq(ask_set(set, "anna", "anna@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask_set(set, "anna+x", "anna+x@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask_set(set, "anna+closed", "anna+closed@example.net").outcome, MXW_NOT_FOUND);
	mxw__directories_free(set);
	free(list);
}
END_TEST

/* ---- against Postfix itself ---- */

/* What postmap says of a key in a map; -1: it could not be run. */
static int postmap_has(const char *key)
{
	char map[200];
	int status;

	snprintf(map, sizeof map, "texthash:%.180s", path);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(127);
		execlp("postmap", "postmap", "-c", scratch.dir, "-q", key, map, (char *)NULL);
		execl("/usr/sbin/postmap", "postmap", "-c", scratch.dir, "-q", key, map, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 127;
	return code == 127 ? -1 : code == 0;
}

/* As Postfix looks a recipient up: the address, the local part, the domain. Quoted where it has to be. */
static int postfix_finds(const char *who)
{
	char whole[300], local[200];
	const char *at = strrchr(who, '@');
	size_t len = at ? (size_t)(at - who) : strlen(who);

	snprintf(local, sizeof local, "%.*s", (int)len, who);
	if (!mxw__address_write(whole, sizeof whole, local, at ? at + 1 : ""))
		return 0;
	int has = postmap_has(whole);
	if (has == 0) {
		snprintf(whole + strlen(whole) - (at ? strlen(at) : 1), 2, "%s", "");
		has = postmap_has(whole);
	}
	return has == 0 && at ? postmap_has(at) : has;
}

START_TEST(postmap_finds_the_same)
{
	char *main_cf = scratch_path(&scratch, "main.cf");

	scratch_replace(main_cf, "compatibility_level = 3.6\n");
	free(main_cf);
	open_table(MXW__FILE_POSTFIX, postfix_map);
	/* A machine without Postfix has nothing to compare with; the rows themselves are tested above. packaging/check has it. */
	if (postmap_has("one@example.net") < 0) {
		ck_assert_msg(!getenv("MXW_CHECK_ALL"), "postmap can't be run");
		return;
	}
	for (size_t i = 0; i < MXW_ARRAY_LEN(in_postfix_map); i++) {
		const struct row *row = &in_postfix_map[i];
		/* Postfix compares octets beyond ASCII and knows U-labels from A-labels. */
		if (!row->who[0] || row->who[0] == '@' || strncmp(row->who, "u@xn--", 6) == 0)
			continue;
		bool is_found = row->expect == 'F' || row->expect == 'U';
		ck_assert_msg(postfix_finds(row->who) == is_found, "%s", row->who);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("file_forms");
	TCase *forms = tcase_create("forms");

	tcase_add_checked_fixture(forms, set_up, tear_down);
	tcase_set_timeout(forms, 120);
	tcase_add_test(forms, a_postfix_map_is_read_as_postmap_reads_it);
	tcase_add_test(forms, a_postfix_access_table_names_and_refuses_addresses);
	tcase_add_test(forms, a_virtusertable_finds_and_refuses_by_the_most_special_entry);
	tcase_add_test(forms, an_access_table_is_read_as_to_its_recipients);
	tcase_add_loop_test(forms, a_line_that_cannot_be_used_is_told_and_the_rest_is_used, 0, MXW_ARRAY_LEN(bad_lines));
	tcase_add_loop_test(forms, a_nul_hides_nothing_in_any_form, 0, MXW_ARRAY_LEN(keys));
	tcase_add_loop_test(forms, long_lines_cost_nothing_but_themselves, 0, MXW_ARRAY_LEN(keys));
	tcase_add_test(forms, continued_lines_are_put_together_in_time_that_grows_with_the_file);
	tcase_add_test(forms, while_a_table_is_being_written_nobody_is_refused);
	tcase_add_test(forms, who_is_refused_is_not_looked_for_elsewhere);
	tcase_add_test(forms, postmap_finds_the_same);
	suite_add_tcase(s, forms);
	return run_suite(s);
}
