/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/bench/proto.h"
#include "t/bench/scenario.h"

void mload_message_free(struct mload_message *message)
{
	if (!message)
		return;
	free(message->path);
	free(message->text);
	free(message->headers);
	free(message->body);
	free(message);
}

/* CRLF becomes LF, so that the rest knows one form only. Returns the new length. */
static size_t drop_cr(char *text, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
			text[to++] = text[i];
	text[to] = '\0';
	return to;
}

static void add_header(struct mload_message *message, char *line)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return;
	*colon = '\0';
	message->headers = mload_realloc(message->headers, message->nheaders + 1, sizeof *message->headers);
	message->headers[message->nheaders++] = (struct mload_header){.name = line, .value = colon + 1};
}

/* Splits the header section into fields in place; returns where the body begins. */
static char *split_headers(struct mload_message *message, char *text)
{
	char *start = text;

	while (*start && *start != '\n') {
		char *end = start;
		do {
			end = strchr(end, '\n');
		} while (end && (end[1] == ' ' || end[1] == '\t') && end++);
		if (!end) {
			add_header(message, start);
			return start + strlen(start);
		}
		*end = '\0';
		/* add_header() may end the name earlier: the end is known before. */
		add_header(message, start);
		start = end + 1;
	}
	return *start ? start + 1 : start;
}

struct mload_message *mload_message_new(const char *path, char *text, size_t len)
{
	struct mload_message *message = mload_realloc(NULL, 1, sizeof *message);

	*message = (struct mload_message){.path = mload_strdup(path), .text = text};
	len = drop_cr(text, len);
	const char *body = split_headers(message, text);
	size_t left = len - (size_t)(body - text);
	message->body = mload_realloc(NULL, left * 2, 1);
	for (size_t i = 0; i < left; i++) {
		if (body[i] == '\n')
			message->body[message->body_len++] = '\r';
		message->body[message->body_len++] = (unsigned char)body[i];
	}
	return message;
}

struct mload_message *mload_message_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len = 0, got;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return NULL;
	}
	do {
		text = mload_realloc(text, len + 65537, 1);
		got = fread(text + len, 1, 65536, file);
		len += got;
	} while (got > 0);
	fclose(file);
	text[len] = '\0';
	return mload_message_new(path, text, len);
}
