/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <fcntl.h>
#include <lber.h>
#include <ldap.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mxward/clock.h>

#include "t/fakes/ldapd.h"

enum { CONNS = 64, ANSWERS = 4096, IN_MAX = 65536 };

struct client {
	int fd; /* -1: free */
	unsigned serial;
	size_t len;
	unsigned char in[IN_MAX];
};

struct answer {
	int64_t due_ms;
	size_t client;
	unsigned serial;
	int msgid;
	bool is_known;
};

struct ldapd {
	struct ldapd_settings settings;
	struct ldapd_counts counts;
	char uri[64];
	int listen_fd, wake_fd;
	atomic_bool stop, drop_all;
	atomic_uint drops_done;
	pthread_t thread;
	struct client clients[CONNS];
	unsigned serials;
	struct answer answers[ANSWERS];
	size_t nanswers;
};

static int64_t now_ms(void)
{
	const struct mxw_clock *clock = mxw_clock_system();
	return clock->monotonic_ms(clock->ctx);
}

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void drop(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->len = 0;
}

static void send_ber(struct client *client, BerElement *ber, bool half)
{
	struct berval bv;

	if (ber_flatten2(ber, &bv, 0) == 0) {
		size_t len = half ? bv.bv_len / 2 : bv.bv_len;
		if (send(client->fd, bv.bv_val, len, MSG_NOSIGNAL) != (ssize_t)len)
			drop(client);
	}
	ber_free(ber, 1);
}

static BerElement *make_result(int msgid, ber_tag_t tag, int code)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);

	ber_printf(ber, "{it{ess}}", msgid, tag, code, "", code ? "as the test wants" : "");
	return ber;
}

static void answer_search(struct ldapd *server, struct client *client, int msgid, bool is_known)
{
	const char *reference = atomic_load(&server->settings.reference);
	enum ldapd_mode mode = atomic_load(&server->settings.mode);

	if (mode == LDAPD_GARBAGE) {
		/* libldap makes room for what it announces: 4 GB. ThreadSanitizer takes seconds to give that back on a busy machine. */
#ifdef MXW_WITH_TSAN
		static const char garbage[] = "\x30\x84\x01\xff\xff\xff HTTP/1.1 400 Bad Request\r\n\r\n";
#else
		static const char garbage[] = "\x30\x84\xff\xff\xff\xff HTTP/1.1 400 Bad Request\r\n\r\n";
#endif
		if (send(client->fd, garbage, sizeof garbage - 1, MSG_NOSIGNAL) < 0)
			drop(client);
		return;
	}
	for (int i = 0; i < atomic_load(&server->settings.nentries) + is_known && client->fd >= 0; i++) {
		BerElement *ber = ber_alloc_t(LBER_USE_DER);
		ber_printf(ber, "{it{s{}}}", msgid, (ber_tag_t)LDAP_RES_SEARCH_ENTRY, "uid=x,dc=example,dc=net");
		send_ber(client, ber, false);
	}
	if (reference && client->fd >= 0) {
		BerElement *ber = ber_alloc_t(LBER_USE_DER);
		ber_printf(ber, "{it{s}}", msgid, (ber_tag_t)LDAP_RES_SEARCH_REFERENCE, reference);
		send_ber(client, ber, false);
	}
	if (client->fd >= 0)
		send_ber(client, make_result(msgid, LDAP_RES_SEARCH_RESULT, atomic_load(&server->settings.code)),
			 mode == LDAPD_HALF);
}

static void take_search(struct ldapd *server, size_t i, int msgid, size_t len)
{
	struct client *client = &server->clients[i];
	const char *known = atomic_load(&server->settings.known);
	bool is_known = known && memmem(client->in, len, known, strlen(known));
	int delay_ms = atomic_load(&server->settings.delay_ms);

	atomic_fetch_add(&server->counts.searches, 1);
	if (atomic_load(&server->settings.drops) > 0 || atomic_load(&server->settings.mode) == LDAPD_DROP) {
		atomic_fetch_sub(&server->settings.drops, 1);
		drop(client);
	} else if (server->nanswers < ANSWERS) {
		server->answers[server->nanswers++] = (struct answer){
			now_ms() + delay_ms + (is_known ? atomic_load(&server->settings.known_delay_ms) : 0), i,
			client->serial, msgid, is_known};
	}
}

/* One message of `len` octets at the start of the client's buffer. */
static void take_message(struct ldapd *server, size_t i, size_t len)
{
	struct client *client = &server->clients[i];
	struct berval bv = {len, (char *)client->in};
	BerElement *ber = ber_init(&bv);
	ber_int_t msgid = 0;
	ber_len_t inner;

	if (!ber || ber_scanf(ber, "{i", &msgid) == LBER_ERROR) {
		drop(client);
	} else if (atomic_load(&server->settings.mode) != LDAPD_SILENT) {
		ber_tag_t tag = ber_peek_tag(ber, &inner);
		if (tag == LDAP_REQ_BIND) {
			atomic_fetch_add(&server->counts.binds, 1);
			send_ber(client, make_result(msgid, LDAP_RES_BIND, 0), false);
		} else if (tag == LDAP_REQ_SEARCH) {
			take_search(server, i, msgid, len);
		}
	}
	if (ber)
		ber_free(ber, 1);
}

/* The length of the message at the start of the buffer, 0 while it is not complete. */
static size_t whole_message(const struct client *client)
{
	size_t header = 2, len;

	if (client->len < 2)
		return 0;
	len = client->in[1];
	if (len & 0x80) {
		size_t n = len & 0x7f;
		header += n;
		if (client->len < header || n > 3)
			return 0;
		len = 0;
		for (size_t k = 0; k < n; k++)
			len = len << 8 | client->in[2 + k];
	}
	return client->len >= header + len ? header + len : 0;
}

static void read_client(struct ldapd *server, size_t i)
{
	struct client *client = &server->clients[i];
	ssize_t n = recv(client->fd, client->in + client->len, sizeof client->in - client->len, 0);
	size_t len;

	if (n <= 0) {
		drop(client);
		return;
	}
	client->len += (size_t)n;
	while (client->fd >= 0 && (len = whole_message(client)) > 0) {
		take_message(server, i, len);
		if (client->fd < 0)
			break;
		client->len -= len;
		memmove(client->in, client->in + len, client->len);
	}
}

static void accept_client(struct ldapd *server)
{
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < CONNS; i++)
		if (server->clients[i].fd < 0) {
			server->clients[i].fd = fd;
			server->clients[i].serial = ++server->serials;
			server->clients[i].len = 0;
			atomic_fetch_add(&server->counts.connections, 1);
			return;
		}
	if (fd >= 0)
		close(fd);
}

/* Sends what is due; returns how long the next one has to wait, -1 if there is none. */
static int send_due(struct ldapd *server)
{
	int64_t now = now_ms(), next = -1;

	unsigned gathers = atomic_load(&server->settings.gathers);
	if (server->nanswers < gathers)
		return -1;
	/* Not what the test has set since. */
	if (gathers > 0)
		atomic_compare_exchange_strong(&server->settings.gathers, &gathers, 0);
	for (size_t k = 0; k < server->nanswers;) {
		struct answer *answer = &server->answers[k];
		if (answer->due_ms > now) {
			int64_t left = answer->due_ms - now;
			next = next < 0 || left < next ? left : next;
			k++;
			continue;
		}
		struct client *client = &server->clients[answer->client];
		if (client->fd >= 0 && client->serial == answer->serial)
			answer_search(server, client, answer->msgid, answer->is_known);
		*answer = server->answers[--server->nanswers];
	}
	return (int)next;
}

static void *run(void *arg)
{
	struct ldapd *server = arg;

	while (!atomic_load(&server->stop)) {
		struct pollfd fds[CONNS + 2] = {{.fd = server->wake_fd, .events = POLLIN},
						{.fd = server->listen_fd, .events = POLLIN}};
		for (size_t i = 0; i < CONNS; i++)
			fds[i + 2] = (struct pollfd){.fd = server->clients[i].fd, .events = POLLIN};
		if (poll(fds, CONNS + 2, send_due(server)) < 0)
			continue;
		if (fds[0].revents) {
			uint64_t count;
			if (read(server->wake_fd, &count, sizeof count) < 0)
				continue;
		}
		if (atomic_exchange(&server->drop_all, false)) {
			for (size_t i = 0; i < CONNS; i++)
				drop(&server->clients[i]);
			atomic_fetch_add(&server->drops_done, 1);
		}
		for (size_t i = 0; i < CONNS; i++)
			if (server->clients[i].fd >= 0 && server->clients[i].fd == fds[i + 2].fd && fds[i + 2].revents)
				read_client(server, i);
		if (fds[1].revents)
			accept_client(server);
	}
	return NULL;
}

static void wake(struct ldapd *server)
{
	uint64_t one = 1;

	if (write(server->wake_fd, &one, sizeof one) < 0)
		die("eventfd");
}

struct ldapd *ldapd_start(void)
{
	struct ldapd *server = calloc(1, sizeof *server);
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;

	if (!server)
		die("ldapd");
	for (size_t i = 0; i < CONNS; i++)
		server->clients[i].fd = -1;
	server->wake_fd = eventfd(0, EFD_CLOEXEC);
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->wake_fd < 0 || server->listen_fd < 0 ||
	    bind(server->listen_fd, (const struct sockaddr *)&sin, sizeof sin) != 0 ||
	    listen(server->listen_fd, 64) != 0 ||
	    getsockname(server->listen_fd, (struct sockaddr *)&sin, &len) != 0)
		die("ldapd");
	snprintf(server->uri, sizeof server->uri, "ldap://127.0.0.1:%u", (unsigned)ntohs(sin.sin_port));
	if (pthread_create(&server->thread, NULL, run, server) != 0)
		die("ldapd");
	return server;
}

void ldapd_stop(struct ldapd *server)
{
	atomic_store(&server->stop, true);
	wake(server);
	pthread_join(server->thread, NULL);
	for (size_t i = 0; i < CONNS; i++)
		drop(&server->clients[i]);
	close(server->listen_fd);
	close(server->wake_fd);
	free(server);
}

void ldapd_drop_all(struct ldapd *server)
{
	unsigned before = atomic_load(&server->drops_done);

	atomic_store(&server->drop_all, true);
	wake(server);
	while (atomic_load(&server->drops_done) == before)
		poll(NULL, 0, 1);
}

void ldapd_let_go(struct ldapd *server)
{
	atomic_store(&server->settings.gathers, 0);
	wake(server);
}

struct ldapd_settings *ldapd_settings(struct ldapd *server)
{
	return &server->settings;
}

struct ldapd_counts *ldapd_counts(struct ldapd *server)
{
	return &server->counts;
}

const char *ldapd_uri(const struct ldapd *server)
{
	return server->uri;
}
