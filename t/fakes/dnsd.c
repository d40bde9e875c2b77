/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/base.h"
#include "src/dns/dns.h"
#include "t/fakes/dnsd.h"

enum {
	TCP_MAX = 32,
	MESSAGE_MAX = 65535,
	UDP_MAX_PLAIN = 512,
	UDP_MAX_EDNS = 1232,
	TYPE_OPT = 41,
	TYPE_ANY = 255,
	BUCKETS = 4096,
	CHAIN_MAX = 10
};

struct record {
	struct record *next;
	uint16_t type;
	uint32_t ttl_s;
	size_t rdlen;
	uint8_t *rdata;
	char owner[MXW__DNS_TEXT_MAX];
};

struct manner {
	struct manner *next;
	uint16_t type;
	bool is_drop, is_truncate, is_loop, is_rdata_loop, is_cut, is_junk, is_lie, is_stray, is_wrong_id;
	size_t raw_len; /* of one record's data, instead of what there is */
	uint8_t raw[32];
	int rcode;
	int64_t delay_ms;
	char owner[MXW__DNS_TEXT_MAX];
};

struct tally {
	struct tally *next;
	int type;
	unsigned queries;
	char name[];
};

/* A reply that waits for its time. */
struct late {
	struct late *next;
	int64_t due_ms;
	int tcp_slot; /* -1: UDP */
	unsigned tcp_serial;
	struct sockaddr_in to;
	size_t len;
	uint8_t message[];
};

struct tcp {
	int fd;
	unsigned serial;
	size_t len;
	uint8_t in[2 + MESSAGE_MAX];
};

struct dnsd {
	pthread_t thread;
	int udp, listener, stop;
	char address[64];
	atomic_bool is_silent;
	struct record *records, **records_end;
	struct manner *manners;
	struct late *late;
	struct tcp tcp[TCP_MAX];
	unsigned tcp_serial;

	pthread_mutex_t lock; /* for the tallies */
	struct mxw__hashkey key;
	struct tally *tallies[BUCKETS];
};

/* A question as it came. */
struct query {
	const uint8_t *message;
	size_t question_end;
	char name[MXW__DNS_TEXT_MAX];
	uint16_t type;
	bool has_edns;
};

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "dnsd: %s: %s\n", what, strerror(errno));
	abort();
}

static void *must(void *p)
{
	if (!p)
		give_up("memory");
	return p;
}

/* ---- the script ---- */

static mxw_status_t add_record(void *ctx, const struct mxw__zone_rr *rr, struct mxw_error *err)
{
	dnsd_t *server = ctx;
	struct record *record = must(calloc(1, sizeof(*record)));

	record->type = rr->type;
	record->ttl_s = rr->ttl_s;
	record->rdlen = rr->rdlen;
	record->rdata = must(malloc(rr->rdlen + 1));
	memcpy(record->rdata, rr->rdata, rr->rdlen);
	snprintf(record->owner, sizeof(record->owner), "%s", rr->owner);
	*server->records_end = record;
	server->records_end = &record->next;
	return MXW_OK;
}

static bool read_hex(const char *text, struct manner *manner)
{
	unsigned octet;
	int used;

	for (; *text; text += used) {
		if (manner->raw_len == sizeof(manner->raw) || sscanf(text, "%2x%n", &octet, &used) != 1 || used != 2)
			return false;
		manner->raw[manner->raw_len++] = (uint8_t)octet;
	}
	return true;
}

/* The words that are only on or off. */
static bool *switch_of(struct manner *manner, const char *word)
{
	const struct {
		const char *word;
		bool *is;
	} switches[] = {
		{"!drop", &manner->is_drop}, {"!truncate", &manner->is_truncate}, {"!loop", &manner->is_loop},
		{"!rdata-loop", &manner->is_rdata_loop}, {"!cut", &manner->is_cut}, {"!junk", &manner->is_junk},
		{"!lie", &manner->is_lie}, {"!stray", &manner->is_stray}, {"!wrong-id", &manner->is_wrong_id},
	};

	for (size_t i = 0; i < MXW_ARRAY_LEN(switches); i++)
		if (strcmp(switches[i].word, word) == 0)
			return switches[i].is;
	return NULL;
}

static mxw_status_t add_manner(void *ctx, const char *owner, uint16_t type, const char *word, struct mxw_error *err)
{
	dnsd_t *server = ctx;
	struct manner *manner = must(calloc(1, sizeof(*manner)));
	bool *is = switch_of(manner, word);
	uint64_t delay;

	manner->type = type;
	snprintf(manner->owner, sizeof(manner->owner), "%s", owner);
	manner->next = server->manners;
	server->manners = manner;
	if (strncmp(word, "!delay=", 7) == 0 && mxw__parse_duration(word + 7, &delay))
		manner->delay_ms = (int64_t)delay;
	else if (strcmp(word, "!servfail") == 0)
		manner->rcode = 2;
	else if (strcmp(word, "!refuse") == 0)
		manner->rcode = 5;
	else if (is)
		*is = true;
	else if (strncmp(word, "!rdata=", 7) != 0 || !read_hex(word + 7, manner))
		return mxw__fail(err, MXW_ERR_CONF, "an unknown behaviour");
	return MXW_OK;
}

static struct manner manner_of(const dnsd_t *server, const char *name, uint16_t type)
{
	struct manner sum = {0};

	for (const struct manner *m = server->manners; m; m = m->next) {
		bool is_below = strncmp(m->owner, "*.", 2) == 0 && mxw__domain_is_below(name, m->owner + 2) &&
				strcmp(name, m->owner + 2) != 0;
		if ((m->type != type && m->type != TYPE_ANY) || (!is_below && strcmp(m->owner, name) != 0))
			continue;
		sum.is_drop |= m->is_drop;
		sum.is_truncate |= m->is_truncate;
		sum.is_loop |= m->is_loop;
		sum.is_cut |= m->is_cut;
		sum.is_junk |= m->is_junk;
		sum.is_rdata_loop |= m->is_rdata_loop;
		sum.is_lie |= m->is_lie;
		sum.is_stray |= m->is_stray;
		sum.is_wrong_id |= m->is_wrong_id;
		if (m->raw_len) {
			sum.raw_len = m->raw_len;
			memcpy(sum.raw, m->raw, m->raw_len);
		}
		sum.rcode = m->rcode ? m->rcode : sum.rcode;
		sum.delay_ms = m->delay_ms ? m->delay_ms : sum.delay_ms;
	}
	return sum;
}

/* ---- counts ---- */

static struct tally *tally_of(dnsd_t *server, const char *name, int type, bool may_add)
{
	struct tally **bucket = &server->tallies[mxw__hash(&server->key, name, strlen(name)) % BUCKETS], *tally;

	for (tally = *bucket; tally; tally = tally->next)
		if (tally->type == type && strcmp(tally->name, name) == 0)
			return tally;
	if (!may_add)
		return NULL;
	tally = must(calloc(1, sizeof(*tally) + strlen(name) + 1));
	tally->type = type;
	memcpy(tally->name, name, strlen(name) + 1);
	tally->next = *bucket;
	*bucket = tally;
	return tally;
}

unsigned dnsd_queries(dnsd_t *server, const char *raw_name, int type)
{
	char name[MXW__DNS_TEXT_MAX] = "";
	unsigned sum = 0;

	if (raw_name && !mxw__dns_name_normalise(raw_name, name))
		return 0;
	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct tally *tally = server->tallies[i]; tally; tally = tally->next)
			if ((!raw_name || strcmp(tally->name, name) == 0) && (!type || tally->type == type))
				sum += tally->queries;
	pthread_mutex_unlock(&server->lock);
	return sum;
}

/* ---- messages ---- */

static void put16(struct mxw__buf *out, unsigned value)
{
	uint8_t be[2] = {(uint8_t)(value >> 8), (uint8_t)value};
	mxw__buf_add(out, be, 2);
}

static void put32(struct mxw__buf *out, uint32_t value)
{
	put16(out, value >> 16);
	put16(out, value & 0xffff);
}

static void put_name(struct mxw__buf *out, const char *name)
{
	uint8_t wire[MXW__DNS_WIRE_MAX];
	size_t len;

	if (!mxw__dns_name_to_wire(name, strlen(name), wire, &len))
		abort();
	mxw__buf_add(out, wire, len);
}

static void put_record(struct mxw__buf *out, const char *owner, uint16_t type, uint32_t ttl_s, const void *rdata,
		       size_t rdlen)
{
	put_name(out, owner);
	put16(out, type);
	put16(out, 1);
	put32(out, ttl_s);
	put16(out, (unsigned)rdlen);
	mxw__buf_add(out, rdata, rdlen);
}

static bool owns(const struct record *record, const char *name)
{
	const char *above = mxw__dns_name_parent(name);

	if (strcmp(record->owner, name) == 0)
		return true;
	return strncmp(record->owner, "*.", 2) == 0 && above && strcmp(record->owner + 2, above) == 0;
}

/* Appends what there is for the name; returns how many records, and whether the name exists. */
static unsigned put_answers(const dnsd_t *server, const struct query *query, struct mxw__buf *out, bool *ret_exists)
{
	char name[MXW__DNS_TEXT_MAX];
	unsigned n = 0;

	memcpy(name, query->name, sizeof(name));
	for (int hop = 0; hop < CHAIN_MAX; hop++) {
		const struct record *cname = NULL;
		bool is_done = false;
		*ret_exists = false;
		for (const struct record *record = server->records; record; record = record->next) {
			if (!owns(record, name))
				continue;
			*ret_exists = true;
			if (record->type == query->type) {
				put_record(out, name, record->type, record->ttl_s, record->rdata, record->rdlen);
				n++;
				is_done = true;
			} else if (record->type == MXW_DNS_CNAME) {
				cname = record;
			}
		}
		if (is_done || !cname)
			break;
		put_record(out, name, MXW_DNS_CNAME, cname->ttl_s, cname->rdata, cname->rdlen);
		n++;
		size_t used;
		mxw__dns_name_from_wire(cname->rdata, cname->rdlen, name, &used);
	}
	return n;
}

static void put_header(struct mxw__buf *out, const struct query *query, int rcode, unsigned counts[3], bool is_truncated)
{
	put16(out, (unsigned)(query->message[0] << 8 | query->message[1]));
	/* QR, RD, RA. */
	put16(out, 0x8180u | (is_truncated ? 0x0200u : 0) | (unsigned)rcode);
	put16(out, 1);
	for (int i = 0; i < 3; i++)
		put16(out, counts[i]);
	mxw__buf_add(out, query->message + 12, query->question_end - 12);
}

static void put_negative(struct mxw__buf *out)
{
	struct mxw__buf soa;

	mxw__buf_init(&soa, 256);
	put_name(&soa, "ns.invalid");
	put_name(&soa, "host.invalid");
	for (int i = 0; i < 5; i++)
		put32(&soa, 60);
	put_record(out, "", MXW_DNS_SOA, 60, soa.data, soa.len);
	mxw__buf_fini(&soa);
}

static bool is_made_up(const struct manner *manner)
{
	return manner->is_loop || manner->is_rdata_loop || manner->raw_len > 0 || manner->is_stray;
}

/* One record that no zone has: its owner or data a pointer to itself, any data, or somebody else's name. */
static void put_made_up(struct mxw__buf *out, const struct query *query, const struct manner *manner)
{
	uint8_t raw[sizeof(manner->raw)] = {192, 0, 2, 1};
	size_t len = manner->raw_len ? manner->raw_len : 4;

	if (manner->raw_len)
		memcpy(raw, manner->raw, len);
	if (manner->is_stray)
		put_name(out, "victim.example");
	else
		put16(out, manner->is_loop ? 0xc000u | (unsigned)out->len : 0xc00cu);
	put16(out, query->type);
	put16(out, 1);
	put32(out, 60);
	if (manner->is_rdata_loop) {
		/* MX has a number in front. */
		len = query->type == MXW_DNS_MX ? 4 : 2;
		unsigned at = (unsigned)(out->len + 2 + len - 2);
		raw[0] = raw[1] = 0;
		raw[len - 2] = (uint8_t)(0xc0u | at >> 8);
		raw[len - 1] = (uint8_t)at;
	}
	put16(out, (unsigned)len);
	mxw__buf_add(out, raw, len);
}

static void build_reply(const dnsd_t *server, const struct query *query, const struct manner *manner, bool is_tcp,
			struct mxw__buf *out)
{
	struct mxw__buf answers;
	bool exists = false;
	unsigned counts[3] = {0, 0, query->has_edns ? 1 : 0};
	size_t max = is_tcp ? MESSAGE_MAX : query->has_edns ? UDP_MAX_EDNS : UDP_MAX_PLAIN;

	mxw__buf_init(&answers, MESSAGE_MAX);
	if (!manner->rcode)
		counts[0] = put_answers(server, query, &answers, &exists);
	bool is_truncated = !is_tcp && (manner->is_truncate || query->question_end + answers.len + 11 > max);
	if (is_truncated)
		counts[0] = 0;
	int rcode = manner->rcode ? manner->rcode : exists || is_truncated || is_made_up(manner) ? 0 : 3;
	bool is_negative = !manner->rcode && counts[0] == 0 && !is_truncated && !is_made_up(manner);
	counts[1] = is_negative;
	if (is_made_up(manner))
		counts[0] = 1;
	if (manner->is_lie)
		counts[0] = 65535;
	put_header(out, query, rcode, counts, is_truncated);
	if (is_made_up(manner))
		put_made_up(out, query, manner);
	else if (!is_truncated)
		mxw__buf_add(out, answers.data, answers.len);
	if (is_negative)
		put_negative(out);
	if (query->has_edns) {
		mxw__buf_addc(out, '\0');
		put16(out, TYPE_OPT);
		put16(out, UDP_MAX_EDNS);
		put32(out, 0);
		put16(out, 0);
	}
	mxw__buf_fini(&answers);
	if (manner->is_cut && out->len > 20)
		out->len -= 14;
	if (manner->is_wrong_id)
		out->data[0] ^= 0x55;
	if (manner->is_junk)
		memset(out->data + 2, 0xff, out->len - 2);
}

static bool read_query(const uint8_t *message, size_t len, struct query *ret)
{
	size_t used;

	if (len < 12 || (message[2] & 0x80) || message[4] != 0 || message[5] != 1)
		return false;
	if (!mxw__dns_name_from_wire(message + 12, len - 12, ret->name, &used) || len < 12 + used + 4)
		return false;
	ret->message = message;
	ret->type = (uint16_t)(message[12 + used] << 8 | message[13 + used]);
	ret->question_end = 12 + used + 4;
	ret->has_edns = message[11] > 0;
	return true;
}

/* ---- sockets ---- */

static void send_reply(dnsd_t *server, const struct late *reply)
{
	if (reply->tcp_slot < 0) {
		(void)!sendto(server->udp, reply->message, reply->len, MSG_DONTWAIT,
			      (const struct sockaddr *)&reply->to, sizeof(reply->to));
		return;
	}
	const struct tcp *tcp = &server->tcp[reply->tcp_slot];
	uint8_t prefix[2] = {(uint8_t)(reply->len >> 8), (uint8_t)reply->len};
	if (tcp->fd < 0 || tcp->serial != reply->tcp_serial)
		return;
	(void)!send(tcp->fd, prefix, 2, MSG_NOSIGNAL | MSG_MORE);
	(void)!send(tcp->fd, reply->message, reply->len, MSG_NOSIGNAL);
}

static void handle_query(dnsd_t *server, const uint8_t *message, size_t len, const struct sockaddr_in *from, int tcp_slot)
{
	struct query query;
	struct mxw__buf out;

	if (!read_query(message, len, &query))
		return;
	pthread_mutex_lock(&server->lock);
	tally_of(server, query.name, query.type, true)->queries++;
	pthread_mutex_unlock(&server->lock);
	struct manner manner = manner_of(server, query.name, query.type);
	if (manner.is_drop || atomic_load(&server->is_silent))
		return;
	mxw__buf_init(&out, MESSAGE_MAX);
	build_reply(server, &query, &manner, tcp_slot >= 0, &out);
	struct late *reply = must(calloc(1, sizeof(*reply) + out.len));
	memcpy(reply->message, out.data, out.len);
	reply->len = out.len;
	mxw__buf_fini(&out);
	reply->tcp_slot = tcp_slot;
	if (tcp_slot >= 0)
		reply->tcp_serial = server->tcp[tcp_slot].serial;
	else
		reply->to = *from;
	if (manner.delay_ms) {
		reply->due_ms = mxw__now_ms(mxw_clock_system()) + manner.delay_ms;
		reply->next = server->late;
		server->late = reply;
		return;
	}
	send_reply(server, reply);
	free(reply);
}

/* Sends what is due; returns how long until the next one, -1 if there is none. */
static int send_late(dnsd_t *server)
{
	int64_t now = mxw__now_ms(mxw_clock_system()), wait = -1;

	for (struct late **at = &server->late; *at;) {
		struct late *reply = *at;
		if (reply->due_ms <= now) {
			*at = reply->next;
			send_reply(server, reply);
			free(reply);
			continue;
		}
		if (wait < 0 || reply->due_ms - now < wait)
			wait = reply->due_ms - now;
		at = &reply->next;
	}
	return (int)wait;
}

static void read_udp(dnsd_t *server)
{
	uint8_t message[4096];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(server->udp, message, sizeof(message), MSG_DONTWAIT, (struct sockaddr *)&from,
			     &from_len)) > 0)
		handle_query(server, message, (size_t)n, &from, -1);
}

static void accept_tcp(dnsd_t *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; fd >= 0 && i < TCP_MAX; i++)
		if (server->tcp[i].fd < 0) {
			server->tcp[i].fd = fd;
			server->tcp[i].len = 0;
			server->tcp[i].serial = ++server->tcp_serial;
			return;
		}
	if (fd >= 0)
		close(fd);
}

static void read_tcp(dnsd_t *server, int slot)
{
	struct tcp *tcp = &server->tcp[slot];
	ssize_t n = recv(tcp->fd, tcp->in + tcp->len, sizeof(tcp->in) - tcp->len, MSG_DONTWAIT);

	if (n <= 0) {
		close(tcp->fd);
		tcp->fd = -1;
		return;
	}
	tcp->len += (size_t)n;
	for (;;) {
		size_t want = (size_t)tcp->in[0] << 8 | tcp->in[1];
		if (tcp->len < 2 || tcp->len < 2 + want)
			return;
		handle_query(server, tcp->in + 2, want, NULL, slot);
		tcp->len -= 2 + want;
		memmove(tcp->in, tcp->in + 2 + want, tcp->len);
	}
}

static void *serve(void *arg)
{
	dnsd_t *server = arg;
	struct pollfd fds[3 + TCP_MAX];

	for (;;) {
		int wait = send_late(server);
		fds[0] = (struct pollfd){server->stop, POLLIN, 0};
		fds[1] = (struct pollfd){server->udp, POLLIN, 0};
		fds[2] = (struct pollfd){server->listener, POLLIN, 0};
		for (int i = 0; i < TCP_MAX; i++)
			fds[3 + i] = (struct pollfd){server->tcp[i].fd, POLLIN, 0};
		if (poll(fds, MXW_ARRAY_LEN(fds), wait) < 0 && errno != EINTR)
			give_up("poll");
		if (fds[0].revents)
			return NULL;
		if (fds[1].revents)
			read_udp(server);
		for (int i = 0; i < TCP_MAX; i++)
			if (fds[3 + i].revents)
				read_tcp(server, i);
		if (fds[2].revents)
			accept_tcp(server);
	}
}

/* The same port for both, or nothing: another process may have taken the TCP port, then once more. */
static bool open_sockets(dnsd_t *server)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int size = 4 << 20;

	server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->udp < 0 || server->listener < 0)
		give_up("socket");
	setsockopt(server->udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(server->udp, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    getsockname(server->udp, (struct sockaddr *)&sa, &len) != 0)
		give_up("bind");
	snprintf(server->address, sizeof(server->address), "127.0.0.1@%u", (unsigned)ntohs(sa.sin_port));
	if (bind(server->listener, (struct sockaddr *)&sa, sizeof(sa)) == 0 && listen(server->listener, TCP_MAX) == 0)
		return true;
	close(server->udp);
	close(server->listener);
	return false;
}

dnsd_t *dnsd_start(const char *zone_text)
{
	dnsd_t *server = must(calloc(1, sizeof(*server)));
	const struct mxw__zone_sink sink = {add_record, add_manner, server};
	struct mxw_error err = {0};
	sigset_t all, before;
	int tries = 0;

	server->records_end = &server->records;
	mxw__hashkey_random(&server->key);
	pthread_mutex_init(&server->lock, NULL);
	atomic_init(&server->is_silent, false);
	if (mxw__zone_parse("dnsd", zone_text, strlen(zone_text), &sink, &err) != MXW_OK) {
		fprintf(stderr, "%s:%u:%u: %s\n", err.file, err.line, err.column, err.text);
		abort();
	}
	for (int i = 0; i < TCP_MAX; i++)
		server->tcp[i].fd = -1;
	while (!open_sockets(server))
		if (++tries == 20)
			give_up("no free port");
	server->stop = eventfd(0, EFD_CLOEXEC);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (server->stop < 0 || pthread_create(&server->thread, NULL, serve, server) != 0)
		give_up("thread");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return server;
}

const char *dnsd_address(const dnsd_t *server)
{
	return server->address;
}

void dnsd_set_silent(dnsd_t *server, bool is_silent)
{
	atomic_store(&server->is_silent, is_silent);
}

static void free_script(dnsd_t *server)
{
	struct record *record;
	struct manner *manner;
	struct late *late;
	struct tally *tally;

	while ((record = server->records)) {
		server->records = record->next;
		free(record->rdata);
		free(record);
	}
	while ((manner = server->manners)) {
		server->manners = manner->next;
		free(manner);
	}
	while ((late = server->late)) {
		server->late = late->next;
		free(late);
	}
	for (size_t i = 0; i < BUCKETS; i++)
		while ((tally = server->tallies[i])) {
			server->tallies[i] = tally->next;
			free(tally);
		}
}

void dnsd_stop(dnsd_t *server)
{
	uint64_t one = 1;

	if (!server)
		return;
	(void)!write(server->stop, &one, sizeof(one));
	pthread_join(server->thread, NULL);
	for (int i = 0; i < TCP_MAX; i++)
		if (server->tcp[i].fd >= 0)
			close(server->tcp[i].fd);
	close(server->udp);
	close(server->listener);
	close(server->stop);
	pthread_mutex_destroy(&server->lock);
	free_script(server);
	free(server);
}
