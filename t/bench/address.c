/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "t/bench/address.h"

static bool parse_unix(const char *path, struct mload_address *ret_address)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof un.sun_path) {
		fprintf(stderr, "%s: the path is too long for a socket\n", path);
		return false;
	}
	memcpy(un.sun_path, path, strlen(path) + 1);
	memcpy(&ret_address->sa, &un, sizeof un);
	ret_address->len = sizeof un;
	return true;
}

static bool parse_inet(const char *text, int family, struct mload_address *ret_address)
{
	const char *at = strchr(text, '@');
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *found;
	char port[32];
	size_t len = at ? (size_t)(at - text) : strlen(text);

	if (len >= sizeof port) {
		fprintf(stderr, "%s: no port\n", text);
		return false;
	}
	memcpy(port, text, len);
	port[len] = '\0';
	int rc = getaddrinfo(at ? at + 1 : "localhost", port, &hints, &found);
	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", text, gai_strerror(rc));
		return false;
	}
	memcpy(&ret_address->sa, found->ai_addr, found->ai_addrlen);
	ret_address->len = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

bool mload_address_parse(const char *text, struct mload_address *ret_address)
{
	*ret_address = (struct mload_address){0};
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, ret_address);
	if (strncmp(text, "local:", 6) == 0)
		return parse_unix(text + 6, ret_address);
	if (strncmp(text, "inet:", 5) == 0)
		return parse_inet(text + 5, AF_INET, ret_address);
	if (strncmp(text, "inet6:", 6) == 0)
		return parse_inet(text + 6, AF_INET6, ret_address);
	if (text[0] == '/')
		return parse_unix(text, ret_address);
	fprintf(stderr, "%s: no address of a milter; write unix:/path or inet:port@host\n", text);
	return false;
}
