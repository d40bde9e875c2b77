/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <libmilter/mfdef.h>
#include <stdio.h>
#include <string.h>

#include "t/bench/macros.h"

/* Which list of macros a command takes (SMFIM_* of mfapi.h), and Postfix's default for it. */
static const struct {
	char command;
	int list;
	const char *names;
} defaults[] = {
	{SMFIC_CONNECT, 0, "j {daemon_name} {daemon_addr} v _"},
	{SMFIC_HELO, 1, "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}"},
	{SMFIC_MAIL, 2, "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}"},
	{SMFIC_RCPT, 3, "i {rcpt_addr} {rcpt_host} {rcpt_mailer}"},
	{SMFIC_DATA, 4, "i"},
	{SMFIC_HEADER, 6, "i"},
	{SMFIC_EOH, 6, "i"},
	{SMFIC_BODY, 5, "i"},
	{SMFIC_BODYEOB, 5, "i"},
	{SMFIC_UNKNOWN, -1, "v"},
};

/* The address without its brackets. */
static const char *bare(const char *address, char *ret, size_t size)
{
	size_t len = strlen(address);

	if (len >= 2 && address[0] == '<' && address[len - 1] == '>')
		snprintf(ret, size, "%.*s", (int)(len - 2), address + 1);
	else
		snprintf(ret, size, "%s", address);
	return ret;
}

static const char *host_of(const char *address, char *ret, size_t size)
{
	char copy[512];
	const char *at = strrchr(bare(address, copy, sizeof copy), '@');

	snprintf(ret, size, "%s", at ? at + 1 : "bench.example");
	return ret;
}

static const char *rcpt_value(const struct mload_conn *conn, const char *name, char *ret, size_t size)
{
	char rcpt[512];

	if (conn->step != MLOAD_RCPT || conn->index >= conn->row->nrcpts)
		return NULL;
	mload_expand(conn->row->rcpts[conn->index], conn->session, conn->message_number, rcpt, sizeof rcpt);
	bool is_refused = rcpt[0] == '!';
	if (strcmp(name, "{rcpt_addr}") == 0)
		return is_refused ? "User unknown in virtual mailbox table" : bare(rcpt, ret, size);
	if (strcmp(name, "{rcpt_host}") == 0)
		return is_refused ? "5.1.1" : host_of(rcpt, ret, size);
	if (strcmp(name, "{rcpt_mailer}") == 0)
		return is_refused ? "error" : "virtual";
	return NULL;
}

static const char *mail_value(const struct mload_conn *conn, const char *name, char *ret, size_t size)
{
	char sender[512];

	if (!conn->is_open)
		return NULL;
	mload_expand(conn->row->sender, conn->session, conn->message_number, sender, sizeof sender);
	if (strcmp(name, "{mail_addr}") == 0)
		return bare(sender, ret, size);
	if (strcmp(name, "{mail_host}") == 0)
		return host_of(sender, ret, size);
	if (strcmp(name, "{mail_mailer}") == 0)
		return "smtp";
	if (strcmp(name, "i") == 0 && conn->has_queue_id) {
		snprintf(ret, size, "4Q%08X", conn->message_number);
		return ret;
	}
	return NULL;
}

static const char *client_value(const struct mload_conn *conn, const char *name, char *ret, size_t size)
{
	char addr[64], ptr[256];

	mload_expand(conn->row->client, conn->session, 0, addr, sizeof addr);
	mload_expand(conn->row->ptr, conn->session, 0, ptr, sizeof ptr);
	if (strcmp(name, "_") == 0)
		snprintf(ret, size, "%s [%s]", ptr, addr);
	else if (strcmp(name, "{client_addr}") == 0)
		snprintf(ret, size, "%s", addr);
	else if (strcmp(name, "{client_name}") == 0 || strcmp(name, "{client_ptr}") == 0)
		snprintf(ret, size, "%s", ptr);
	else
		return NULL;
	return ret;
}

static const char *macro_value(const struct mload_conn *conn, const char *name, char *ret, size_t size)
{
	static const struct {
		const char *name, *value;
	} fixed[] = {
		{"j", "mx.bench.example"},    {"v", "Postfix 3.7.11"},        {"{daemon_name}", "smtpd"},
		{"{daemon_addr}", "192.0.2.25"}, {"{daemon_port}", "25"},     {"{client_port}", "40000"},
		{"{client_resolve}", "OK"},   {"{client_connections}", "1"},
	};

	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (strcmp(name, fixed[i].name) == 0)
			return fixed[i].value;
	const char *value = rcpt_value(conn, name, ret, size);
	if (!value)
		value = mail_value(conn, name, ret, size);
	return value ? value : client_value(conn, name, ret, size);
}

void mload_macros_write(struct mload_conn *conn, char command)
{
	size_t i = 0, mark = 0;
	char names[1024], value[640], *save = NULL;
	bool is_begun = false;

	while (i < sizeof defaults / sizeof *defaults && defaults[i].command != command)
		i++;
	if (i == sizeof defaults / sizeof *defaults)
		return;
	int list = defaults[i].list;
	const char *wanted = list >= 0 && conn->nego.symlist[list] ? conn->nego.symlist[list] : defaults[i].names;
	snprintf(names, sizeof names, "%s", wanted);
	for (char *name = strtok_r(names, " ,", &save); name; name = strtok_r(NULL, " ,", &save)) {
		const char *text = macro_value(conn, name, value, sizeof value);
		if (!text)
			continue;
		if (!is_begun) {
			mark = mload_packet_begin(&conn->out, SMFIC_MACRO);
			mload_buf_add(&conn->out, &command, 1);
		}
		is_begun = true;
		mload_packet_string(&conn->out, name);
		mload_packet_string(&conn->out, text);
	}
	if (!is_begun)
		return;
	mload_packet_end(&conn->out, mark);
	conn->result->packets++;
}
