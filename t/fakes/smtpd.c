/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/base.h"
#include "t/fakes/scratch.h"
#include "t/fakes/smtpd.h"

enum { CLIENTS = 128, RULES = 16, LINE = 2048, HEARD_MAX = 1 << 20 };

struct client {
	struct smtpd *server;
	pthread_t thread;
	bool has_thread;       /* of the accepting thread */
	atomic_bool is_done;
	int fd;                /* under lock; -1: closed */
	SSL *ssl;
	char in[LINE];
	size_t len;
	int nrcpts, nmails;
};

struct smtpd {
	struct smtpd_settings settings;
	struct smtpd_counts counts;
	char host[64];
	struct scratch scratch;
	char *ca_file;
	SSL_CTX *tls;
	int listen_fd, stop_fd;
	atomic_bool stop;
	pthread_t thread;
	pthread_mutex_t lock;  /* rules, heard, descriptors */
	struct {
		const char *start, *reply;
	} rules[RULES];
	size_t nrules;
	struct mxw__buf heard;
	struct client clients[CLIENTS];
};

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* ---- octets ---- */

/* False: the server is being stopped. */
static bool wait_ms(const struct smtpd *server, int ms)
{
	struct pollfd fd = {.fd = server->stop_fd, .events = POLLIN};

	return poll(&fd, 1, ms) == 0;
}

static bool send_octets(struct client *client, const char *data, size_t len)
{
	if (client->ssl)
		return SSL_write(client->ssl, data, (int)len) == (int)len;
	return send(client->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool say(struct client *client, const char *reply)
{
	char text[LINE];
	int n = snprintf(text, sizeof text, "%s\r\n", reply);

	return n > 0 && (size_t)n < sizeof text && send_octets(client, text, (size_t)n);
}

/* Cuts the next line off what has come. False: the end. */
static bool hear(struct client *client, char line[LINE])
{
	char *newline;

	while (!(newline = memchr(client->in, '\n', client->len))) {
		size_t room = sizeof client->in - client->len;
		ssize_t n = client->ssl ? SSL_read(client->ssl, client->in + client->len, (int)room)
					: recv(client->fd, client->in + client->len, room, 0);
		if (n <= 0 || room == 0)
			return false;
		client->len += (size_t)n;
	}
	size_t len = (size_t)(newline - client->in);
	memcpy(line, client->in, len);
	line[len] = '\0';
	if (len > 0 && line[len - 1] == '\r')
		line[len - 1] = '\0';
	client->len -= len + 1;
	memmove(client->in, newline + 1, client->len);
	pthread_mutex_lock(&client->server->lock);
	mxw__buf_addf(&client->server->heard, "%s\n", line);
	pthread_mutex_unlock(&client->server->lock);
	return true;
}

/* ---- commands ---- */

static bool say_ehlo(struct client *client)
{
	struct smtpd_settings *s = &client->server->settings;
	const char *ehlo = atomic_load(&s->ehlo);
	char text[400];

	atomic_fetch_add(&client->server->counts.ehlos, 1);
	if (ehlo)
		return say(client, ehlo);
	snprintf(text, sizeof text, "250-inner.example.net greets you\r\n250-SIZE 1000\r\n%s%s250 ENHANCEDSTATUSCODES",
		 atomic_load(&s->tls) != SMTPD_TLS_NONE && !client->ssl ? "250-STARTTLS\r\n" : "",
		 atomic_load(&s->has_smtputf8) ? "250-SMTPUTF8\r\n" : "");
	return say(client, text);
}

static bool start_tls(struct client *client)
{
	struct smtpd *server = client->server;
	enum smtpd_tls tls = atomic_load(&server->settings.tls);

	if (tls == SMTPD_TLS_REFUSED || tls == SMTPD_TLS_NONE)
		return say(client, "454 4.7.0 not now");
	if (!say(client, tls == SMTPD_TLS_JUNK ? "220 go on\r\n250-injected.example.net\r\n250 STARTTLS" : "220 go on"))
		return false;
	if (tls == SMTPD_TLS_BROKEN)
		return say(client, "500 this is no TLS, whatever was said before") && wait_ms(server, 50) && false;
	if (tls == SMTPD_TLS_MUTE) {
		wait_ms(server, -1);
		return false;
	}
	client->len = 0;
	client->ssl = SSL_new(server->tls);
	if (!client->ssl || SSL_set_fd(client->ssl, client->fd) != 1 || SSL_accept(client->ssl) != 1)
		return false;
	atomic_fetch_add(&server->counts.handshakes, 1);
	return true;
}

static bool take_mail(struct client *client)
{
	struct smtpd *server = client->server;
	const char *mail = atomic_load(&server->settings.mail);
	int most = atomic_load(&server->settings.max_mails);

	atomic_fetch_add(&server->counts.mails, 1);
	client->nrcpts = 0;
	if (most > 0 && ++client->nmails > most)
		return say(client, "421 4.7.0 enough") && false;
	return say(client, mail ? mail : "250 2.1.0 fine");
}

static const char *reply_for(struct smtpd *server, const char *path)
{
	const char *reply = "550 5.1.1 no such user";

	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < server->nrules; i++)
		if (strncmp(path, server->rules[i].start, strlen(server->rules[i].start)) == 0) {
			reply = server->rules[i].reply;
			break;
		}
	pthread_mutex_unlock(&server->lock);
	return reply;
}

static bool misbehave(struct client *client, enum smtpd_mode mode, const char *reply)
{
	struct smtpd *server = client->server;
	char huge[512], both[LINE];

	memset(huge, 'x', sizeof huge);
	switch (mode) {
	case SMTPD_RCPT_SILENT:
		wait_ms(server, -1);
		return false;
	case SMTPD_RCPT_HALF:
		return send_octets(client, "550", 3) && wait_ms(server, -1);
	case SMTPD_RCPT_HALF_DROP:
		return send_octets(client, "550 5.1.1 no", 12) && false;
	case SMTPD_RCPT_ENDLESS:
		while (say(client, "550-5.1.1 and another thing"))
			;
		return false;
	case SMTPD_RCPT_HUGE:
		while (send_octets(client, huge, sizeof huge))
			;
		return false;
	case SMTPD_RCPT_DRIP:
		for (bool ok = send_octets(client, "550-", 4); ok && wait_ms(server, 20);)
			ok = send_octets(client, "x", 1);
		return false;
	case SMTPD_RCPT_TWICE:
		/* At once: what comes later could as well be the reply to what was asked meanwhile. */
		snprintf(both, sizeof both, "%s\r\n550 5.1.1 unasked", reply);
		return say(client, both);
	default:
		return false;
	}
}

static bool take_rcpt(struct client *client, const char *path)
{
	struct smtpd *server = client->server;
	enum smtpd_mode mode = atomic_load(&server->settings.mode);
	int most = atomic_load(&server->settings.max_rcpts);
	const char *reply = reply_for(server, path);

	atomic_fetch_add(&server->counts.rcpts, 1);
	if (!wait_ms(server, atomic_load(&server->settings.delay_ms)))
		return false;
	while (atomic_load(&server->settings.is_held))
		if (!wait_ms(server, 5))
			return false;
	if (atomic_load(&server->settings.drops) > 0) {
		atomic_fetch_sub(&server->settings.drops, 1);
		return false;
	}
	if (mode != SMTPD_ANSWER)
		return misbehave(client, mode, reply);
	if (most > 0 && ++client->nrcpts > most)
		return say(client, "452 4.5.3 too many recipients");
	return say(client, reply) && strncmp(reply, "421", 3) != 0;
}

static bool is_command(const char *line, const char *verb)
{
	return mxw__ascii_ncasecmp(line, verb, strlen(verb)) == 0;
}

static bool obey(struct client *client, const char *line)
{
	struct smtpd *server = client->server;
	const char *helo = atomic_load(&server->settings.helo), *rset = atomic_load(&server->settings.rset);

	if (is_command(line, "EHLO "))
		return say_ehlo(client);
	if (is_command(line, "HELO "))
		return say(client, helo ? helo : "250 inner.example.net");
	if (is_command(line, "STARTTLS"))
		return start_tls(client);
	if (is_command(line, "MAIL FROM:<>"))
		return take_mail(client);
	if (is_command(line, "RCPT TO:<"))
		return take_rcpt(client, line + strlen("RCPT TO:<"));
	if (is_command(line, "RSET")) {
		atomic_fetch_add(&server->counts.rsets, 1);
		return say(client, rset ? rset : "250 2.0.0 forgotten");
	}
	if (is_command(line, "QUIT")) {
		atomic_fetch_add(&server->counts.quits, 1);
		say(client, "221 2.0.0 bye");
		return false;
	}
	atomic_fetch_add(&server->counts.others, 1);
	return say(client, "502 5.5.1 what?");
}

/* ---- connections ---- */

static void serve(struct client *client)
{
	struct smtpd *server = client->server;
	enum smtpd_mode mode = atomic_load(&server->settings.mode);
	const char *greeting = atomic_load(&server->settings.greeting);
	char line[LINE];

	if (mode == SMTPD_HANG_UP)
		return;
	if (mode == SMTPD_MUTE) {
		wait_ms(server, -1);
		return;
	}
	if (!say(client, greeting ? greeting : "220 inner.example.net ESMTP"))
		return;
	while (hear(client, line) && obey(client, line))
		;
}

static void *client_main(void *arg)
{
	struct client *client = arg;
	struct smtpd *server = client->server;
	unsigned now = atomic_fetch_add(&server->counts.open, 1) + 1;

	if (now > atomic_load(&server->counts.open_most))
		atomic_store(&server->counts.open_most, now);
	serve(client);
	SSL_free(client->ssl);
	client->ssl = NULL;
	atomic_fetch_sub(&server->counts.open, 1);
	pthread_mutex_lock(&server->lock);
	close(client->fd);
	client->fd = -1;
	pthread_mutex_unlock(&server->lock);
	atomic_store(&client->is_done, true);
	return NULL;
}

static void accept_client(struct smtpd *server)
{
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < CLIENTS; i++) {
		struct client *client = &server->clients[i];
		if (client->has_thread && !atomic_load(&client->is_done))
			continue;
		if (client->has_thread)
			pthread_join(client->thread, NULL);
		pthread_mutex_lock(&server->lock);
		client->fd = fd;
		pthread_mutex_unlock(&server->lock);
		client->server = server;
		client->len = 0;
		client->nrcpts = client->nmails = 0;
		atomic_store(&client->is_done, false);
		atomic_fetch_add(&server->counts.connections, 1);
		if (pthread_create(&client->thread, NULL, client_main, client) != 0)
			die("smtpd");
		client->has_thread = true;
		return;
	}
	if (fd >= 0)
		close(fd);
}

static void *run(void *arg)
{
	struct smtpd *server = arg;

	while (!atomic_load(&server->stop)) {
		struct pollfd fds[2] = {{.fd = server->stop_fd, .events = POLLIN},
					{.fd = server->listen_fd, .events = POLLIN}};
		if (poll(fds, 2, -1) > 0 && fds[1].revents)
			accept_client(server);
	}
	return NULL;
}

/* ---- its certificate ---- */

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);

	if (!extension || X509_add_ext(cert, extension, -1) != 1)
		die("smtpd: certificate");
	X509_EXTENSION_free(extension);
}

static void make_certificate(struct smtpd *server)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	server->tls = SSL_CTX_new(TLS_server_method());
	if (!key || !cert || !server->tls)
		die("smtpd: certificate");
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"a test", -1, -1,
				   0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(cert, NID_subject_alt_name, "IP:127.0.0.1");
	FILE *file = fopen(server->ca_file, "w");
	if (X509_sign(cert, key, EVP_sha256()) == 0 || !file || PEM_write_X509(file, cert) != 1 || fclose(file) != 0 ||
	    SSL_CTX_use_certificate(server->tls, cert) != 1 || SSL_CTX_use_PrivateKey(server->tls, key) != 1)
		die("smtpd: certificate");
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* ---- for tests ---- */

struct smtpd *smtpd_start(void)
{
	struct smtpd *server = calloc(1, sizeof *server);
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;

	if (!server)
		die("smtpd");
	/* SSL_write() to a connection that is gone. */
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < CLIENTS; i++)
		server->clients[i].fd = -1;
	pthread_mutex_init(&server->lock, NULL);
	mxw__buf_init(&server->heard, HEARD_MAX);
	scratch_init(&server->scratch);
	server->ca_file = scratch_path(&server->scratch, "ca.pem");
	make_certificate(server);
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->stop_fd < 0 || server->listen_fd < 0 ||
	    bind(server->listen_fd, (const struct sockaddr *)&sin, sizeof sin) != 0 ||
	    listen(server->listen_fd, 128) != 0 ||
	    getsockname(server->listen_fd, (struct sockaddr *)&sin, &len) != 0)
		die("smtpd");
	snprintf(server->host, sizeof server->host, "127.0.0.1:%u", (unsigned)ntohs(sin.sin_port));
	if (pthread_create(&server->thread, NULL, run, server) != 0)
		die("smtpd");
	return server;
}

void smtpd_drop_all(struct smtpd *server)
{
	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < CLIENTS; i++)
		if (server->clients[i].fd >= 0)
			shutdown(server->clients[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&server->lock);
}

void smtpd_stop(struct smtpd *server)
{
	uint64_t one = 1;

	atomic_store(&server->stop, true);
	if (write(server->stop_fd, &one, sizeof one) < 0)
		die("eventfd");
	pthread_join(server->thread, NULL);
	smtpd_drop_all(server);
	for (size_t i = 0; i < CLIENTS; i++)
		if (server->clients[i].has_thread)
			pthread_join(server->clients[i].thread, NULL);
	close(server->listen_fd);
	close(server->stop_fd);
	SSL_CTX_free(server->tls);
	scratch_fini(&server->scratch);
	free(server->ca_file);
	mxw__buf_fini(&server->heard);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

void smtpd_rcpt(struct smtpd *server, const char *start, const char *reply)
{
	size_t i = 0;

	pthread_mutex_lock(&server->lock);
	while (i < server->nrules && strcmp(server->rules[i].start, start) != 0)
		i++;
	if (i == RULES)
		die("smtpd: too many rules");
	if (i == server->nrules)
		server->nrules++;
	server->rules[i].start = start;
	server->rules[i].reply = reply;
	pthread_mutex_unlock(&server->lock);
}

bool smtpd_heard(struct smtpd *server, const char *part)
{
	pthread_mutex_lock(&server->lock);
	bool has = strstr(mxw__buf_str(&server->heard), part) != NULL;
	pthread_mutex_unlock(&server->lock);
	return has;
}

struct smtpd_settings *smtpd_settings(struct smtpd *server)
{
	return &server->settings;
}

struct smtpd_counts *smtpd_counts(struct smtpd *server)
{
	return &server->counts;
}

const char *smtpd_host(const struct smtpd *server)
{
	return server->host;
}

const char *smtpd_ca_file(const struct smtpd *server)
{
	return server->ca_file;
}
