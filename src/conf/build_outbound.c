/* SPDX-License-Identifier: BSD-2-Clause */
/* The section `outbound`: what its options say of each other, exempt networks, and rows: quota WHO WHAT VALUE. */
#include "config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/conf/build.h"

#define SECOND_MS UINT64_C(1000)
#define DAY_MS UINT64_C(86400000)

static const struct quota {
	const char *name;
	uint64_t max;
	bool is_for_hosts;
} quotas[MXW__QUOTA_KINDS] = {
	[MXW__QUOTA_MESSAGES] = {"messages", 1000000000, true},
	[MXW__QUOTA_RCPTS] = {"recipients", 1000000000, true},
	/* Twice that is still counted well, see MXW__DIFFERENT_MAX. */
	[MXW__QUOTA_DIFFERENT_RCPTS] = {"different-recipients", MXW__DIFFERENT_MAX / 2, false},
	[MXW__QUOTA_NETWORKS] = {"networks", MXW__DIFFERENT_MAX / 2, false},
	[MXW__QUOTA_UNKNOWN_SHARE] = {"unknown-share", 100, true},
};

const char *mxw__quota_name(mxw__quota_t quota)
{
	return quotas[quota].name;
}

bool mxw__rate_read(struct mxw__complaints *complaints, const char *name, const struct mxw__arg *arg, uint64_t max,
		    struct mxw__rate_conf *ret_rate)
{
	struct mxw__rate_conf rate = {0};
	bool is_none = strcmp(arg->text, "none") == 0;

	if (!is_none && !mxw__parse_rate(arg->text, false, &rate.count, &rate.window_ms)) {
		mxw__complain(complaints, &arg->pos, "'%s' can't be '%s'; a number and the time for it, or none, was expected: 200/1h",
			      name, arg->text);
		return false;
	}
	if (!is_none && (rate.count == 0 || rate.count > max)) {
		mxw__complain(complaints, &arg->pos, "'%s' can't be '%s'; 1 to %" PRIu64 " in that time was expected", name, arg->text, max);
		return false;
	}
	if (!is_none && (rate.window_ms < SECOND_MS || rate.window_ms > 30 * DAY_MS)) {
		mxw__complain(complaints, &arg->pos, "'%s' can't be '%s'; a time of 1s to 30d was expected", name, arg->text);
		return false;
	}
	*ret_rate = rate;
	return true;
}

/* ---- who ---- */

/* An address and a prefix that is none of it: it would be the name of a user who never logs in. */
static bool is_half_a_network(const char *text)
{
	char address[MXW_IP_TEXT_MAX];
	const char *slash = strchr(text, '/');
	struct mxw_ip ip;

	if (!slash || (size_t)(slash - text) >= sizeof address)
		return false;
	snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
	return mxw_ip_parse(address, &ip) == MXW_OK;
}

static void complain_network(struct mxw__build *b, const struct mxw__pos *pos, const char *text)
{
	mxw__complain(b->values.complaints, pos, "'%s' is no network, or has bits beyond the prefix; 192.0.2.0/24 or 2001:db8::/32 was expected",
		      text);
}

/* ---- rows ---- */

static bool read_share(struct mxw__complaints *complaints, const struct mxw__arg *arg, struct mxw__rate_conf *ret_rate)
{
	uint64_t percent = 0;

	if (strcmp(arg->text, "none") != 0 && (!mxw__parse_u64(arg->text, &percent) || percent == 0 || percent > 100)) {
		mxw__complain(complaints, &arg->pos, "'unknown-share' can't be '%s'; a percentage, 1 to 100, or none was expected", arg->text);
		return false;
	}
	*ret_rate = (struct mxw__rate_conf){percent, 0};
	return true;
}

static bool read_what(struct mxw__complaints *complaints, const struct mxw__arg *arg, struct mxw__quota_row *row)
{
	const char *near = NULL;
	unsigned best = UINT_MAX;

	for (int i = 0; i < MXW__QUOTA_KINDS; i++) {
		row->what = (mxw__quota_t)i;
		if (strcmp(arg->text, quotas[i].name) == 0) {
			if (row->user || quotas[i].is_for_hosts)
				return true;
			mxw__complain(complaints, &arg->pos, "a network can't have a quota of %s; messages, recipients or unknown-share "
				      "was expected", arg->text);
			return false;
		}
		if (mxw__name_is_nearer(arg->text, quotas[i].name, &best))
			near = quotas[i].name;
	}
	mxw__complain(complaints, &arg->pos, near ? "'%s' is no quota; did you mean '%s'?" :
		      "'%s' is no quota; one of these was expected: %s", arg->text,
		      near ? near : "messages, recipients, different-recipients, networks, unknown-share");
	return false;
}

static bool read_who(struct mxw__build *b, const struct mxw__arg *arg, struct mxw__quota_row *row)
{
	if (mxw_network_parse(arg->text, &row->network) == MXW_OK)
		return true;
	if (is_half_a_network(arg->text)) {
		complain_network(b, &arg->pos, arg->text);
		return false;
	}
	row->user = mxw__arena_strdup(b->values.arena, arg->text);
	if (!row->user)
		b->values.out_of_memory = true;
	return true;
}

static bool read_row(struct mxw__build *b, const struct mxw__node *node, struct mxw__quota_row *ret_row)
{
	const struct mxw__arg *who = node->args, *what = who ? who->next : NULL, *value = what ? what->next : NULL;
	struct mxw__complaints *complaints = b->values.complaints;

	*ret_row = (struct mxw__quota_row){0};
	if (!value || value->next) {
		mxw__complain(complaints, value ? &value->next->pos : &node->pos, "'quota' takes three values: who (a user or network), what, "
			      "and how much: quota anna messages 500/1h");
		return false;
	}
	if (!mxw__check_length(complaints, who))
		return false;
	if (!read_who(b, who, ret_row) || !read_what(complaints, what, ret_row))
		return false;
	if (ret_row->what == MXW__QUOTA_UNKNOWN_SHARE)
		return read_share(complaints, value, &ret_row->rate);
	return mxw__rate_read(complaints, what->text, value, quotas[ret_row->what].max, &ret_row->rate);
}

static size_t count_rows(const struct mxw__node *root)
{
	size_t n = 0;

	for (const struct mxw__node *section = root->first; section; section = section->next)
		if (section->name && section->is_section && strcmp(section->name, "outbound") == 0)
			for (const struct mxw__node *node = section->first; node; node = node->next)
				n += node->name && strcmp(node->name, "quota") == 0;
	return n;
}

static void read_rows(struct mxw__build *b)
{
	size_t n = count_rows(b->root);
	struct mxw__quota_row *rows = mxw__arena_alloc(b->values.arena, (n < MXW__QUOTA_ROWS_MAX ? n + 1 : MXW__QUOTA_ROWS_MAX) * sizeof *rows);

	b->values.out_of_memory |= !rows;
	b->conf->outbound.rows = rows;
	for (const struct mxw__node *section = b->root->first; rows && section; section = section->next) {
		if (!section->name || !section->is_section || strcmp(section->name, "outbound") != 0)
			continue;
		for (const struct mxw__node *node = section->first; node; node = node->next) {
			if (!node->name || node->is_section || strcmp(node->name, "quota") != 0)
				continue;
			if (b->conf->outbound.nrows == MXW__QUOTA_ROWS_MAX) {
				mxw__complain(b->values.complaints, &node->pos, "more than %d rows of quotas", MXW__QUOTA_ROWS_MAX);
				return;
			}
			if (read_row(b, node, &rows[b->conf->outbound.nrows]))
				b->conf->outbound.nrows++;
		}
	}
}

/* ---- the rest ---- */

static void read_exempt(struct mxw__build *b, const struct mxw__pos *pos)
{
	struct mxw__outbound_conf *o = &b->conf->outbound;
	struct mxw_network *networks = mxw__arena_alloc(b->values.arena, (o->exempt.n + 1) * sizeof *networks);

	b->values.out_of_memory |= !networks;
	o->exempt_networks = networks;
	for (size_t i = 0; networks && i < o->exempt.n; i++)
		if (mxw_network_parse(o->exempt.v[i], &networks[o->nexempt_networks]) == MXW_OK)
			o->nexempt_networks++;
		else if (is_half_a_network(o->exempt.v[i]))
			complain_network(b, mxw__option_pos(&mxw__sections[MXW__SECTION_OUTBOUND], pos, "exempt"), o->exempt.v[i]);
}

static void check_stages(struct mxw__build *b, const struct mxw__pos *pos)
{
	static const char *const names[] = {"", "warn-at", "slow-at", "hold-at", "suspend-at"};
	const struct mxw__outbound_conf *o = &b->conf->outbound;
	int before = 0;

	for (int i = MXW__OUTBOUND_WARN; i < MXW__OUTBOUND_STAGES; i++) {
		if (!o->percent[i])
			continue;
		const struct mxw__pos *at = mxw__option_pos(&mxw__sections[MXW__SECTION_OUTBOUND], pos, names[i]);
		const struct mxw__pos *other = mxw__option_pos(&mxw__sections[MXW__SECTION_OUTBOUND], pos, names[before ? before : i]);
		if (before && o->percent[i] < o->percent[before])
			mxw__complain(b->values.complaints, at->file ? at : other, "'%s' is below '%s', which comes before it", names[i],
				      names[before]);
		before = i;
	}
}

static void check_command(struct mxw__build *b, const struct mxw__pos *pos)
{
	const struct mxw__strings *command = &b->conf->outbound.notice_command;
	const struct mxw__pos *at = mxw__option_pos(&mxw__sections[MXW__SECTION_OUTBOUND], pos, "notice-command");

	if (command->n == 0)
		return;
	if (command->v[0][0] != '/')
		mxw__complain(b->values.complaints, at, "'notice-command' begins with the path of a program, /usr/local/bin/tell, not '%s'",
			      command->v[0]);
	else if (access(command->v[0], X_OK) != 0)
		mxw__complain(b->values.complaints, at, "notice-command: %s is no program that can be run", command->v[0]);
}

void mxw__build_outbound(struct mxw__build *b, const struct mxw__pos *pos)
{
	check_stages(b, pos);
	check_command(b, pos);
	read_exempt(b, pos);
	read_rows(b);
}

void mxw__dump_rate(const struct mxw__rate_conf *rate, FILE *out)
{
	char text[32];

	if (rate->count)
		fprintf(out, "%" PRIu64 "/%s", rate->count, mxw__duration_text(rate->window_ms, text));
	else
		fputs("none", out);
}

void mxw__dump_quotas(const struct mxw__outbound_conf *outbound, FILE *out)
{
	char text[MXW_IP_TEXT_MAX];

	for (size_t i = 0; i < outbound->nrows; i++) {
		const struct mxw__quota_row *row = &outbound->rows[i];
		fputs("\tquota ", out);
		if (row->user)
			mxw__word_dump(row->user, out);
		else
			fprintf(out, "%s/%u", mxw_ip_format(&row->network.ip, text), row->network.bits);
		fprintf(out, " %s ", mxw__quota_name(row->what));
		if (row->what == MXW__QUOTA_UNKNOWN_SHARE && row->rate.count)
			fprintf(out, "%" PRIu64, row->rate.count);
		else
			mxw__dump_rate(&row->rate, out);
		fputc('\n', out);
	}
}
