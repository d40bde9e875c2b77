/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base.h: what every folder of the library stands on: errors, arenas, growing buffers, escaping, hashing, files.
 *
 * Who may call: every folder of src/. This one includes nothing of theirs.
 * Threads: functions without state unless said otherwise; an arena or buffer has one owner at a time.
 * Memory:  an arena frees all it gave at once; a buffer belongs to who made it.
 */
#ifndef MXW_SRC_BASE_BASE_H
#define MXW_SRC_BASE_BASE_H

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mxward/clock.h>
#include <mxward/net.h>
#include <mxward/status.h>

#define MXW_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define MXW_MALLOC __attribute__((malloc))
#define MXW_UNUSED __attribute__((unused))
#define MXW_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- errors ---- */

/* Fills in `err` (may be NULL) and returns `status`, so that a failing path is one statement. */
mxw_status_t mxw__fail(struct mxw_error *err, mxw_status_t status, const char *fmt, ...) MXW_PRINTF(3, 4);
/* The same with a position in a file. */
mxw_status_t mxw__fail_at(struct mxw_error *err, mxw_status_t status, const char *file, unsigned line,
			  unsigned column, const char *fmt, ...) MXW_PRINTF(6, 7);

/* ---- memory ---- */

/* True if a * b does not overflow; the product goes to `ret`. */
bool mxw__mul_size(size_t a, size_t b, size_t *ret);
/* calloc() with a checked product; NULL when memory is gone. */
void *mxw__calloc(size_t n, size_t size) MXW_MALLOC;
/* Overwrites a secret in a way the compiler keeps. */
void mxw__wipe(void *p, size_t len);
/* Wipes a string and frees it. NULL is allowed. */
void mxw__free_secret(char *s);

typedef struct mxw__arena mxw__arena_t;
/* An arena that gives at most `limit` bytes in all between two resets. NULL when memory is gone. */
mxw__arena_t *mxw__arena_new(size_t limit);
void mxw__arena_free(mxw__arena_t *arena);
/* Zeroed and aligned for any type; NULL beyond the limit or without memory. */
void *mxw__arena_alloc(mxw__arena_t *arena, size_t size);
char *mxw__arena_strdup(mxw__arena_t *arena, const char *s);
char *mxw__arena_strndup(mxw__arena_t *arena, const char *s, size_t len);
char *mxw__arena_printf(mxw__arena_t *arena, const char *fmt, ...) MXW_PRINTF(2, 3);
/* Takes everything back; what was given before is gone. Keeps one block for the next use. */
void mxw__arena_reset(mxw__arena_t *arena);
size_t mxw__arena_used(const mxw__arena_t *arena);

/*
 * A growing string, always NUL-terminated, never longer than `max` bytes. After a failure (memory, bound) it
 * keeps what it had, `failed` stays set, and further appends do nothing: check once at the end.
 */
struct mxw__buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
	bool failed;
};
void mxw__buf_init(struct mxw__buf *buf, size_t max);
void mxw__buf_fini(struct mxw__buf *buf);
void mxw__buf_clear(struct mxw__buf *buf);
void mxw__buf_add(struct mxw__buf *buf, const void *data, size_t len);
void mxw__buf_adds(struct mxw__buf *buf, const char *s);
void mxw__buf_addc(struct mxw__buf *buf, char c);
void mxw__buf_addf(struct mxw__buf *buf, const char *fmt, ...) MXW_PRINTF(2, 3);
/* "" when nothing was added. Borrowed. */
const char *mxw__buf_str(const struct mxw__buf *buf);
/* Hands the string over, to be freed with free(); NULL if the buffer failed. The buffer is then empty. */
char *mxw__buf_take(struct mxw__buf *buf);

/* ---- escaping and ASCII ---- */

/*
 * Appends peer data as the value of a key=value log line: bare if it has only characters that need no
 * quotes, else in double quotes with \" \\ and \xHH for everything that is no printable ASCII. At most
 * `max` bytes of input are shown, with "..." after them.
 */
void mxw__buf_add_logvalue(struct mxw__buf *buf, const char *s, size_t len, size_t max);
/* Appends peer data so that it may stand in an SMTP reply: printable ASCII only, the rest as '?', cut at `max`. */
void mxw__buf_add_reply(struct mxw__buf *buf, const char *s, size_t max);

char mxw__ascii_lower(char c);
bool mxw__ascii_isalnum(char c);
bool mxw__ascii_isdigit(char c);
bool mxw__ascii_isspace(char c); /* blank, tab, CR, LF */
/* Compare without regard to ASCII case, whatever the locale. */
int mxw__ascii_casecmp(const char *a, const char *b);
int mxw__ascii_ncasecmp(const char *a, const char *b, size_t n);
void mxw__ascii_lower_str(char *s);
/* Is `host` equal to `domain` or below it? Both without final dots; ASCII case does not count. */
bool mxw__domain_is_below(const char *host, const char *domain);

/* How many letters to change, insert, delete or swap to make `b` of `a`; UINT_MAX for names over 63 octets. For "did you mean". */
unsigned mxw__name_distance(const char *a, const char *b);
/* Is `b` near enough to `a` to be what was meant? `best` holds the smallest distance so far and is lowered. */
bool mxw__name_is_nearer(const char *a, const char *b, unsigned *best);

/* ---- addresses ---- */

/* From the 4 or 16 octets of an A or AAAA record; a mapped address is IPv4. False for any other length. */
bool mxw__ip_from_bytes(const uint8_t *bytes, size_t len, struct mxw_ip *ret_ip);

enum { MXW__IP_REVERSED_MAX = 64 };
/*
 * The address as names in the DNS have it, last part first, without a zone: "1.2.0.192", or 32 nibbles for IPv6 (RFC 1035 section
 * 3.5, RFC 3596 section 2.5, RFC 5782). "" for none. Returns `ret_text`.
 */
char *mxw__ip_reversed(const struct mxw_ip *ip, char ret_text[MXW__IP_REVERSED_MAX]);
enum { MXW__REVERSE_NAME_MAX = MXW__IP_REVERSED_MAX + 16 };
/* The name whose PTR records name the address: the above in in-addr.arpa or ip6.arpa; "" for none. Returns `ret_name`. */
char *mxw__ip_reverse_name(const struct mxw_ip *ip, char ret_name[MXW__REVERSE_NAME_MAX]);

/* Whether hosts elsewhere can be at this address. */
typedef enum mxw__ip_reach {
	MXW__IP_PUBLIC,
	MXW__IP_LOOPBACK, /* this host itself */
	MXW__IP_PRIVATE   /* a private network, a link, multicast, reserved: RFC 6890 and the registries it made; no address */
} mxw__ip_reach_t;
mxw__ip_reach_t mxw__ip_reach(const struct mxw_ip *ip);

/* ---- numbers and units ---- */

/* Decimal digits only, the whole string. */
bool mxw__parse_u64(const char *s, uint64_t *ret);
/* "500ms", "3s", "30m", "12h", "7d", "2w"; a bare number is refused unless it is 0. Milliseconds. */
bool mxw__parse_duration(const char *s, uint64_t *ret_ms);
/* "512", "64K", "10M", "1G": bytes. */
bool mxw__parse_size(const char *s, uint64_t *ret);
/* "60/1m": a number, or with `is_size` a number of bytes, and a duration with its unit. */
bool mxw__parse_rate(const char *s, bool is_size, uint64_t *ret_count, uint64_t *ret_window_ms);

/* ---- hashing and chance ---- */

struct mxw__hashkey {
	uint64_t k0, k1;
};
/* A key nobody outside knows, from the system. */
void mxw__hashkey_random(struct mxw__hashkey *ret_key);
/* For simulations: keys are from now on the ones that follow from `seed`, in the order in which they are made. Before there are threads. */
void mxw__hashkey_foresee(uint64_t seed);
/* SipHash-1-3 (Aumasson and Bernstein 2012): a table keyed by peer data can't be made to degenerate. */
uint64_t mxw__hash(const struct mxw__hashkey *key, const void *data, size_t len);
uint64_t mxw__random_u64(void);

/* ---- files ---- */

/*
 * Reads a whole file of at most `max` bytes; `ret_data` is NUL-terminated and to be freed.
 * Errors: MXW_ERR_SYSTEM (with path and reason), MXW_ERR_LIMIT, MXW_ERR_NOMEM.
 */
mxw_status_t mxw__file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, struct mxw_error *err);
/*
 * Reads a password or key: the first line, without its newline. A file that others may read
 * (mode & 007) or that is no regular file is MXW_ERR_CONF. To be freed with mxw__free_secret().
 */
mxw_status_t mxw__file_read_secret(const char *path, char **ret_secret, struct mxw_error *err);
/* write() until all is written. False: errno says why. */
bool mxw__write_all(int fd, const void *data, size_t len);

/* ---- threads ---- */

/* Starts a thread that takes no signals. Returns what pthread_create() returns. */
int mxw__quiet_thread(pthread_t *ret_thread, void *(*run)(void *), void *arg);

/* ---- time ---- */

static inline int64_t mxw__now_ms(const struct mxw_clock *clock)
{
	return clock->monotonic_ms(clock->ctx);
}

/* A condition variable on the monotonic clock; pthread's default follows the wall clock. */
int mxw__cond_init(pthread_cond_t *cond);
/* Waits at most `ms` milliseconds of real time. Returns what pthread_cond_timedwait() returns. */
int mxw__cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms);

#endif
