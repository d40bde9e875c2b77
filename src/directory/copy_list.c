/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys, hashes, and the list while it is being made. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/directory/copy.h"

/* ---- keys ---- */

bool mxw__copy_hmac(const unsigned char key[MXW__COPY_KEY_SIZE], const void *data, size_t len, unsigned char ret[32])
{
	unsigned n = 0;

	return HMAC(EVP_sha256(), key, MXW__COPY_KEY_SIZE, data, len, ret, &n) && n == 32;
}

void mxw__copy_keys_derive(const unsigned char secret[MXW__COPY_KEY_SIZE], struct mxw__copy_keys *ret_keys)
{
	/* SHA-256 of two short blocks: it can't fail but for a libcrypto that does not work at all. */
	if (!mxw__copy_hmac(secret, "address", 7, ret_keys->address) || !mxw__copy_hmac(secret, "file", 4, ret_keys->file) ||
	    !mxw__copy_hmac(secret, "settings", 8, ret_keys->settings))
		memset(ret_keys, 0, sizeof *ret_keys);
}

static bool write_key(int fd, const unsigned char *secret)
{
	return write(fd, secret, MXW__COPY_KEY_SIZE) == MXW__COPY_KEY_SIZE && fsync(fd) == 0;
}

/* Under another name first: who finds the file finds it whole. Of two that do this at one time the first wins. */
static mxw_status_t make_key(const char *dir, const char *path, struct mxw_error *err)
{
	unsigned char secret[MXW__COPY_KEY_SIZE];
	char temp[4096];
	mxw_status_t status = MXW_OK;

	if (snprintf(temp, sizeof temp, "%s/copy.key.new-XXXXXX", dir) >= (int)sizeof temp)
		return mxw__fail(err, MXW_ERR_CONF, "%s: the name is too long", dir);
	for (size_t i = 0; i < sizeof secret; i += sizeof(uint64_t)) {
		uint64_t v = mxw__random_u64();
		memcpy(secret + i, &v, sizeof v);
	}
	int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		status = mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	else if (!write_key(fd, secret) || (link(temp, path) != 0 && errno != EEXIST))
		status = mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(temp);
	}
	mxw__wipe(secret, sizeof secret);
	return status;
}

static mxw_status_t read_key(int fd, const char *path, struct mxw__copy_keys *ret_keys, struct mxw_error *err)
{
	unsigned char secret[MXW__COPY_KEY_SIZE + 1];
	struct stat st;

	if (fstat(fd, &st) != 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
		return mxw__fail(err, MXW_ERR_CONF, "%s: must be a file of mode 0600, that nobody else can read", path);
	ssize_t n = read(fd, secret, sizeof secret);
	if (n == MXW__COPY_KEY_SIZE)
		mxw__copy_keys_derive(secret, ret_keys);
	mxw__wipe(secret, sizeof secret);
	if (n < 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (n != MXW__COPY_KEY_SIZE)
		return mxw__fail(err, MXW_ERR_CONF, "%s: is no key; remove it, and a new one is made", path);
	return MXW_OK;
}

mxw_status_t mxw__copy_keys_load(const char *dir, bool is_read_only, struct mxw__copy_keys *ret_keys, struct mxw_error *err)
{
	char path[4096];

	if (snprintf(path, sizeof path, "%s/copy.key", dir) >= (int)sizeof path)
		return mxw__fail(err, MXW_ERR_CONF, "%s: the name is too long", dir);
	for (int tries = 0;; tries++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd >= 0) {
			mxw_status_t status = read_key(fd, path, ret_keys, err);
			close(fd);
			return status;
		}
		if (errno != ENOENT || tries > 0 || is_read_only)
			return mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
		mxw_status_t status = make_key(dir, path, err);
		if (status != MXW_OK)
			return status;
	}
}

/* ---- hashes ---- */

bool mxw__copy_hash(const struct mxw__copy_keys *keys, const char *text, unsigned char ret[MXW__COPY_HASH_SIZE])
{
	char lower[MXW__COPY_ADDRESS_MAX + 1];
	unsigned char hash[32];
	size_t len = strlen(text);

	if (len > MXW__COPY_ADDRESS_MAX)
		return false;
	memcpy(lower, text, len + 1);
	mxw__ascii_lower_str(lower);
	if (!mxw__copy_hmac(keys->address, lower, len, hash))
		return false;
	memcpy(ret, hash, MXW__COPY_HASH_SIZE);
	return true;
}

bool mxw__copy_hash_local(const struct mxw__copy_keys *keys, const char *local, unsigned char ret[MXW__COPY_HASH_SIZE])
{
	char text[MXW__COPY_ADDRESS_MAX + 1];
	int n = snprintf(text, sizeof text, "%s@", local);

	/* No address ends like that. */
	return n > 0 && (size_t)n < sizeof text && mxw__copy_hash(keys, text, ret);
}

/* ---- the list ---- */

enum { ARENA_SIZE = 8192, REPEATS_MAX = 32 };

struct mxw__copy_list {
	const struct mxw__copy_keys *keys;
	mxw__arena_t *arena; /* for one address at a time */
	size_t n, cap, max;
	unsigned char (*records)[MXW__COPY_RECORD_SIZE];
	struct mxw__copy_settings settings;
	size_t last_settings;
};

mxw__copy_list_t *mxw__copy_list_new(const struct mxw__copy_keys *keys, size_t max)
{
	mxw__copy_list_t *list = calloc(1, sizeof *list);

	if (!list)
		return NULL;
	list->keys = keys;
	list->max = max;
	list->arena = mxw__arena_new(ARENA_SIZE);
	if (!list->arena) {
		free(list);
		return NULL;
	}
	return list;
}

void mxw__copy_list_free(mxw__copy_list_t *list)
{
	if (!list)
		return;
	mxw__arena_free(list->arena);
	free(list->records);
	free(list);
}

static bool same_settings(const struct mxw__rcpt_settings *a, const struct mxw__rcpt_settings *b)
{
	return a->is_disabled == b->is_disabled && a->is_internal_only == b->is_internal_only &&
	       strcmp(a->class, b->class) == 0;
}

/* The number of these settings; most addresses have those of the one before. False: there are too many. */
static bool number_settings(mxw__copy_list_t *list, const struct mxw__rcpt_settings *settings, size_t *ret_number)
{
	struct mxw__copy_settings *all = &list->settings;

	if (all->n > 0 && same_settings(&all->v[list->last_settings], settings)) {
		*ret_number = list->last_settings;
		return true;
	}
	size_t i = 0;
	while (i < all->n && !same_settings(&all->v[i], settings))
		i++;
	if (i == MXW__COPY_SETTINGS_MAX)
		return false;
	if (i == all->n)
		all->v[all->n++] = *settings;
	*ret_number = list->last_settings = i;
	return true;
}

static bool make_room(mxw__copy_list_t *list)
{
	size_t cap = list->cap + list->cap / 2 + 1024, size;

	if (list->n < list->cap)
		return true;
	if (!mxw__mul_size(cap, sizeof *list->records, &size))
		return false;
	void *more = realloc(list->records, size);
	if (!more)
		return false;
	list->records = more;
	list->cap = cap;
	return true;
}

/* Directories do not quote: what is in front of the last @ is the local part, whatever it has. */
static const char *add_quotes(mxw__copy_list_t *list, char *text)
{
	char quoted[MXW__COPY_ADDRESS_MAX + 1];
	char *at = strrchr(text, '@');

	if (!at)
		return "";
	*at = '\0';
	return mxw__address_write(quoted, sizeof quoted, text, at + 1) ? mxw__arena_strdup(list->arena, quoted) : "";
}

static mxw_status_t hash_domain(const mxw__copy_list_t *list, const char *domain, size_t len, unsigned char *ret_hash)
{
	char text[1 + MXW__DOMAIN_MAX + 1] = "@";
	mxw_status_t status = mxw__domain_to_ascii(domain, len, text + 1);

	return status != MXW_OK || mxw__copy_hash(list->keys, text, ret_hash) ? status : MXW_ERR_NOMEM;
}

static mxw_status_t hash_local(const mxw__copy_list_t *list, const char *local, size_t len, unsigned char *ret_hash)
{
	char key[MXW__LOCAL_MAX + 1];

	if (len > MXW__LOCAL_MAX)
		return MXW_ERR_INVALID;
	mxw__local_canonical(local, len, key);
	return mxw__copy_hash_local(list->keys, key, ret_hash) ? MXW_OK : MXW_ERR_NOMEM;
}

/*
 * The hash of an address in the form that a look-up has it in. MXW_ERR_INVALID: no recipient has it. `@domain` is what a
 * catch-all is looked up as.
 */
static mxw_status_t hash_address(mxw__copy_list_t *list, const char *address, size_t len, unsigned char *ret_hash)
{
	struct mxw__address parsed;

	if (len == 0 || len > MXW__COPY_ADDRESS_MAX || memchr(address, '\0', len))
		return MXW_ERR_INVALID;
	if (address[0] == '@')
		return hash_domain(list, address + 1, len - 1, ret_hash);
	if (!memchr(address, '@', len))
		return hash_local(list, address, len, ret_hash);
	char *text = mxw__arena_strndup(list->arena, address, len);
	if (!text)
		return MXW_ERR_NOMEM;
	mxw_status_t status = mxw__address_parse(list->arena, text, &parsed);
	if (status == MXW_ERR_INVALID) {
		const char *again = add_quotes(list, text);
		status = again ? mxw__address_parse(list->arena, again, &parsed) : MXW_ERR_NOMEM;
	}
	if (status != MXW_OK)
		return status;
	if (parsed.is_null || !*parsed.local)
		return MXW_ERR_INVALID;
	return mxw__copy_hash(list->keys, parsed.key_text ? parsed.key_text : parsed.text, ret_hash) ? MXW_OK : MXW_ERR_NOMEM;
}

/* An entry often has one address in several attributes. */
static bool is_repeated(const mxw__copy_list_t *list, const unsigned char *record)
{
	size_t first = list->n > REPEATS_MAX ? list->n - REPEATS_MAX : 0;

	for (size_t i = list->n; i > first; i--)
		if (memcmp(list->records[i - 1], record, MXW__COPY_RECORD_SIZE) == 0)
			return true;
	return false;
}

bool mxw__copy_list_add(mxw__copy_list_t *list, const char *address, size_t len,
			const struct mxw__rcpt_settings *settings, const char **ret_why)
{
	unsigned char record[MXW__COPY_RECORD_SIZE];
	size_t number;

	mxw__arena_reset(list->arena);
	mxw_status_t status = hash_address(list, address, len, record);
	if (status == MXW_ERR_INVALID)
		return true;
	if (status != MXW_OK) {
		*ret_why = "out of memory";
		return false;
	}
	if (!number_settings(list, settings, &number)) {
		*ret_why = "the addresses have more than 255 different settings";
		return false;
	}
	record[MXW__COPY_HASH_SIZE] = (unsigned char)number;
	if (is_repeated(list, record))
		return true;
	if (list->n >= list->max) {
		*ret_why = "there are more addresses than copy-max-addresses";
		return false;
	}
	if (!make_room(list)) {
		*ret_why = "out of memory";
		return false;
	}
	memcpy(list->records[list->n++], record, sizeof record);
	return true;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, MXW__COPY_RECORD_SIZE);
}

/* Adds what both say to the table, if it has room. */
static unsigned char join_settings(mxw__copy_list_t *list, unsigned char a, unsigned char b)
{
	struct mxw__rcpt_settings both = list->settings.v[a];
	size_t number = a;

	mxw__rcpt_settings_add(&both, &list->settings.v[b]);
	number_settings(list, &both, &number);
	return (unsigned char)number;
}

void mxw__copy_list_finish(mxw__copy_list_t *list)
{
	size_t n = 0;

	if (list->n > 0)
		qsort(list->records, list->n, sizeof *list->records, compare);
	for (size_t i = 0; i < list->n; i++) {
		unsigned char *last = n > 0 ? list->records[n - 1] : NULL, *next = list->records[i];
		if (last && memcmp(last, next, MXW__COPY_HASH_SIZE) == 0) {
			if (last[MXW__COPY_HASH_SIZE] != next[MXW__COPY_HASH_SIZE])
				last[MXW__COPY_HASH_SIZE] =
					join_settings(list, last[MXW__COPY_HASH_SIZE], next[MXW__COPY_HASH_SIZE]);
			continue;
		}
		if (n != i)
			memcpy(list->records[n], next, MXW__COPY_RECORD_SIZE);
		n++;
	}
	list->n = n;
}

size_t mxw__copy_list_count(const mxw__copy_list_t *list)
{
	return list->n;
}

const unsigned char *mxw__copy_list_records(const mxw__copy_list_t *list)
{
	return list->n ? list->records[0] : NULL;
}

const struct mxw__copy_settings *mxw__copy_list_settings(const mxw__copy_list_t *list)
{
	return &list->settings;
}
