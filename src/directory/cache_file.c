/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file: a header and one block for each shard, each sealed with a keyed hash. Ages are as they were when it was
 * written; the wall clock says how much has been added to them since. If it says that it was written in the future, the
 * clock was set back: then nothing in it is fresh, and what is known good is good enough while a source can't answer.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/directory/cache.h"
#include "src/directory/source.h"

enum { FORMAT = 1, BYTE_ORDER_MARK = 0x01020304, PATH_ROOM = 4096 };

#define CACHE_MAGIC "mxward-rcpts\n\0\0"
#define KEY_MAGIC "mxward-key\n\0\0\0\0"

struct file_header {
	char magic[16];
	uint32_t version, byte_order, record_size, nblocks;
	int64_t saved_ms; /* wall */
	uint64_t seal;    /* of all before it */
};

struct block_header {
	uint64_t seal;    /* of all behind it, records included */
	int64_t saved_ms; /* as in the file's header: blocks of two files don't mix */
	uint32_t index, count;
};

struct key_file {
	char magic[16];
	struct mxw__rcpt_cache_secret secret;
	uint64_t check;   /* a hash of the secret, against damage */
};

struct mxw__rcpt_keeper {
	struct mxw__rcpt_keeper_env env;
	mxw__rcpt_cache_t *cache;
	bool is_persistent;       /* there is a secret on disk, and we may write */
	bool has_thread;
	bool has_complained;      /* of a failure to write; the writer's alone */
	bool is_dirty;            /* a write has failed; the writer's alone */
	pthread_t thread;
	pthread_mutex_t mutex;    /* guards the rest; a leaf */
	pthread_cond_t wake;
	bool is_stopping, is_wanted_now;
	uint64_t save_interval_ms;
};

static void noticef(const mxw__rcpt_keeper_t *keeper, const char *fmt, ...) MXW_PRINTF(2, 3);
static void noticef(const mxw__rcpt_keeper_t *keeper, const char *fmt, ...)
{
	char text[512] = "recipient cache: ";
	size_t n = strlen(text);
	va_list ap;

	if (!keeper->env.notice)
		return;
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof text - n, fmt, ap);
	va_end(ap);
	keeper->env.notice(keeper->env.notice_ctx, false, text);
}

static bool path_of(const mxw__rcpt_keeper_t *keeper, const char *name, char path[PATH_ROOM])
{
	int n = snprintf(path, PATH_ROOM, "%s/%s", keeper->env.state_dir, name);
	return n > 0 && n < PATH_ROOM;
}

/* ---- writing ---- */

/* Calls `fill` to write the new content of STATE_DIR/name, and puts it in place when it is on the disk. errno on failure. */
static bool replace_file(const mxw__rcpt_keeper_t *keeper, const char *name,
			 bool (*fill)(const mxw__rcpt_keeper_t *keeper, int fd, const void *data), const void *data)
{
	char path[PATH_ROOM], temporary[PATH_ROOM], new_name[64];

	snprintf(new_name, sizeof new_name, "%s.new", name);
	if (!path_of(keeper, name, path) || !path_of(keeper, new_name, temporary)) {
		errno = ENAMETOOLONG;
		return false;
	}
	unlink(temporary);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool is_written = fill(keeper, fd, data) && fsync(fd) == 0;
	int why = errno;
	if (close(fd) != 0 && is_written) {
		is_written = false;
		why = errno;
	}
	if (is_written && rename(temporary, path) != 0) {
		is_written = false;
		why = errno;
	}
	if (!is_written) {
		unlink(temporary);
		errno = why;
		return false;
	}
	int dir = open(keeper->env.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		fsync(dir);
		close(dir);
	}
	return true;
}

static void set_aside(const mxw__rcpt_keeper_t *keeper, const char *name)
{
	char path[PATH_ROOM], bad[PATH_ROOM], bad_name[64];

	snprintf(bad_name, sizeof bad_name, "%s.bad", name);
	if (!keeper->env.is_read_only && path_of(keeper, name, path) && path_of(keeper, bad_name, bad) &&
	    rename(path, bad) != 0)
		unlink(path);
}

static uint64_t seal_of(const mxw__rcpt_cache_t *cache, const void *data, size_t len)
{
	return mxw__hash(&mxw__rcpt_cache_secret(cache)->seal, data, len);
}

static uint64_t seal_of_block(const mxw__rcpt_cache_t *cache, const struct block_header *block)
{
	size_t len = sizeof *block - sizeof block->seal + block->count * sizeof(struct mxw__rcpt_record);
	return seal_of(cache, (const char *)block + sizeof block->seal, len);
}

static struct file_header make_header(int64_t saved_ms)
{
	struct file_header header;

	memset(&header, 0, sizeof header);
	memcpy(header.magic, CACHE_MAGIC, sizeof header.magic);
	header.version = FORMAT;
	header.byte_order = BYTE_ORDER_MARK;
	header.record_size = sizeof(struct mxw__rcpt_record);
	header.nblocks = MXW__RCPT_SHARDS;
	header.saved_ms = saved_ms;
	return header;
}

static bool fill_cache_file(const mxw__rcpt_keeper_t *keeper, int fd, const void *data)
{
	const struct mxw_clock *clock = keeper->env.clock;
	size_t max = mxw__rcpt_cache_shard_max(keeper->cache);
	struct block_header *block = malloc(sizeof *block + max * sizeof(struct mxw__rcpt_record));
	struct mxw__rcpt_record *records = (struct mxw__rcpt_record *)(block + 1);
	/* One moment for all: what is written a little later is taken to be that much older. */
	int64_t now_ms = mxw__now_ms(clock);
	struct file_header header = make_header(clock->wall_ms(clock->ctx));

	if (!block) {
		errno = ENOMEM;
		return false;
	}
	header.seal = seal_of(keeper->cache, &header, offsetof(struct file_header, seal));
	bool is_written = mxw__write_all(fd, &header, sizeof header);
	for (uint32_t i = 0; i < MXW__RCPT_SHARDS && is_written; i++) {
		size_t n = mxw__rcpt_cache_copy(keeper->cache, i, now_ms, records, max);
		*block = (struct block_header){.saved_ms = header.saved_ms, .index = i, .count = (uint32_t)n};
		block->seal = seal_of_block(keeper->cache, block);
		is_written = mxw__write_all(fd, block, sizeof *block + n * sizeof *records);
	}
	free(block);
	return is_written;
}

static void save(mxw__rcpt_keeper_t *keeper)
{
	keeper->is_dirty |= mxw__rcpt_cache_has_changed(keeper->cache);
	if (!keeper->is_dirty)
		return;
	if (replace_file(keeper, "recipients.cache", fill_cache_file, NULL)) {
		keeper->is_dirty = keeper->has_complained = false;
		return;
	}
	if (!keeper->has_complained)
		noticef(keeper, "%s/recipients.cache can't be written, and a restart would lose what is known: %s",
			keeper->env.state_dir, strerror(errno));
	keeper->has_complained = true;
}

/* ---- reading ---- */

/* NULL: it is what it should be. */
static const char *read_header(const mxw__rcpt_keeper_t *keeper, FILE *in, struct file_header *ret_header)
{
	struct file_header header, expected;

	if (fread(&header, sizeof header, 1, in) != 1)
		return "is cut short";
	expected = make_header(header.saved_ms);
	if (memcmp(header.magic, expected.magic, sizeof header.magic) != 0)
		return "is no recipient cache";
	if (memcmp(&header, &expected, offsetof(struct file_header, seal)) != 0)
		return "was written by another version or kind of machine";
	if (header.seal != seal_of(keeper->cache, &header, offsetof(struct file_header, seal)))
		return "is damaged, or does not belong to recipients.key";
	*ret_header = header;
	return NULL;
}

static const char *take_block(const mxw__rcpt_keeper_t *keeper, const struct block_header *block,
			      const struct file_header *header)
{
	const struct mxw_clock *clock = keeper->env.clock;
	const struct mxw__rcpt_record *records = (const struct mxw__rcpt_record *)(block + 1);
	int64_t passed_ms = clock->wall_ms(clock->ctx) - header->saved_ms;

	if (block->seal != seal_of_block(keeper->cache, block) || block->saved_ms != header->saved_ms)
		return "is damaged";
	for (size_t i = 0; i < block->count; i++) {
		struct mxw__rcpt_record record = records[i];
		record.age_ms += passed_ms > 0 ? passed_ms : 0;
		if (!mxw__rcpt_cache_take(keeper->cache, &record, mxw__now_ms(clock), passed_ms < 0))
			return "makes no sense";
	}
	return NULL;
}

static const char *read_blocks(const mxw__rcpt_keeper_t *keeper, FILE *in, const struct file_header *header, size_t left)
{
	const size_t size = sizeof(struct mxw__rcpt_record);

	for (uint32_t i = 0; i < header->nblocks; i++) {
		struct block_header head;
		if (left < sizeof head || fread(&head, sizeof head, 1, in) != 1)
			return "is cut short";
		left -= sizeof head;
		if (head.index != i || head.count > left / size)
			return "is damaged or cut short";
		struct block_header *block = malloc(sizeof head + head.count * size);
		if (!block)
			return "is too large for the memory there is";
		*block = head;
		const char *why = fread(block + 1, size, head.count, in) == head.count ? take_block(keeper, block, header) :
											"is cut short";
		free(block);
		if (why)
			return why;
		left -= head.count * size;
	}
	return left == 0 ? NULL : "is damaged";
}

static void load(mxw__rcpt_keeper_t *keeper)
{
	char path[PATH_ROOM];
	struct file_header header = {.version = 0};
	struct stat st;
	const char *why = NULL;

	if (!path_of(keeper, "recipients.cache", path))
		return;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *in = fd >= 0 ? fdopen(fd, "rb") : NULL;
	if (!in) {
		if (errno != ENOENT && !keeper->env.is_read_only)
			noticef(keeper, "%s can't be read: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		why = "is no regular file";
	if (!why)
		why = read_header(keeper, in, &header);
	if (!why)
		why = read_blocks(keeper, in, &header, (size_t)st.st_size - sizeof header);
	fclose(in);
	if (!why) {
		(void)mxw__rcpt_cache_has_changed(keeper->cache);
		return;
	}
	mxw__rcpt_cache_clear(keeper->cache);
	set_aside(keeper, "recipients.cache");
	noticef(keeper, "%s %s; it is set aside, and the cache begins empty", path, why);
}

/* ---- the secret ---- */

static uint64_t check_of(const struct mxw__rcpt_cache_secret *secret)
{
	static const struct mxw__hashkey key = {0, 0};
	return mxw__hash(&key, secret, sizeof *secret);
}

static bool fill_key_file(const mxw__rcpt_keeper_t *keeper, int fd, const void *data)
{
	return mxw__write_all(fd, data, sizeof(struct key_file));
}

static bool make_secret(const mxw__rcpt_keeper_t *keeper, struct mxw__rcpt_cache_secret *ret_secret)
{
	struct key_file file = {.magic = KEY_MAGIC};

	mxw__hashkey_random(&file.secret.keys[0]);
	mxw__hashkey_random(&file.secret.keys[1]);
	mxw__hashkey_random(&file.secret.seal);
	file.check = check_of(&file.secret);
	bool is_written = replace_file(keeper, "recipients.key", fill_key_file, &file);
	if (!is_written)
		noticef(keeper, "%s/recipients.key can't be written, and a restart will lose what is known: %s",
			keeper->env.state_dir, strerror(errno));
	*ret_secret = file.secret;
	mxw__wipe(&file, sizeof file);
	return is_written;
}

/* True: it is on disk. */
static bool find_secret(const mxw__rcpt_keeper_t *keeper, struct mxw__rcpt_cache_secret *ret_secret)
{
	char path[PATH_ROOM];
	struct key_file file;

	if (!path_of(keeper, "recipients.key", path))
		return false;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT)
			return !keeper->env.is_read_only && make_secret(keeper, ret_secret);
		if (!keeper->env.is_read_only)
			noticef(keeper, "%s can't be read, and a restart will lose what is known: %s", path, strerror(errno));
		return false;
	}
	bool is_good = read(fd, &file, sizeof file) == (ssize_t)sizeof file &&
		       memcmp(file.magic, KEY_MAGIC, sizeof file.magic) == 0 && file.check == check_of(&file.secret);
	close(fd);
	if (is_good) {
		*ret_secret = file.secret;
	} else if (!keeper->env.is_read_only) {
		noticef(keeper, "%s is damaged; it is set aside, and the cache begins empty", path);
		set_aside(keeper, "recipients.key");
		is_good = make_secret(keeper, ret_secret);
	}
	mxw__wipe(&file, sizeof file);
	return is_good;
}

/* ---- the keeper ---- */

static void *keeper_main(void *arg)
{
	mxw__rcpt_keeper_t *keeper = arg;

	pthread_mutex_lock(&keeper->mutex);
	while (!keeper->is_stopping) {
		if (!keeper->is_wanted_now)
			mxw__cond_wait_ms(&keeper->wake, &keeper->mutex, (int64_t)keeper->save_interval_ms);
		keeper->is_wanted_now = false;
		pthread_mutex_unlock(&keeper->mutex);
		save(keeper);
		pthread_mutex_lock(&keeper->mutex);
	}
	pthread_mutex_unlock(&keeper->mutex);
	return NULL;
}

mxw_status_t mxw__rcpt_keeper_new(const struct mxw__rcpt_keeper_env *env, mxw__rcpt_keeper_t **ret_keeper)
{
	mxw__rcpt_keeper_t *keeper = calloc(1, sizeof *keeper);
	struct mxw__rcpt_cache_secret secret;

	if (!keeper)
		return MXW_ERR_NOMEM;
	keeper->env = *env;
	keeper->save_interval_ms = env->save_interval_ms;
	pthread_mutex_init(&keeper->mutex, NULL);
	mxw__cond_init(&keeper->wake);
	bool has_secret = env->state_dir && find_secret(keeper, &secret);
	keeper->cache = mxw__rcpt_cache_new(env->max_entries, has_secret ? &secret : NULL);
	mxw__wipe(&secret, sizeof secret);
	if (!keeper->cache) {
		mxw__rcpt_keeper_free(keeper);
		return MXW_ERR_NOMEM;
	}
	if (has_secret)
		load(keeper);
	keeper->is_persistent = has_secret && !env->is_read_only;
	if (keeper->is_persistent)
		keeper->has_thread = mxw__quiet_thread(&keeper->thread, keeper_main, keeper) == 0;
	*ret_keeper = keeper;
	return MXW_OK;
}

void mxw__rcpt_keeper_free(mxw__rcpt_keeper_t *keeper)
{
	if (!keeper)
		return;
	if (keeper->has_thread) {
		pthread_mutex_lock(&keeper->mutex);
		keeper->is_stopping = true;
		pthread_cond_signal(&keeper->wake);
		pthread_mutex_unlock(&keeper->mutex);
		pthread_join(keeper->thread, NULL);
	}
	if (keeper->is_persistent)
		save(keeper);
	mxw__rcpt_cache_free(keeper->cache);
	pthread_cond_destroy(&keeper->wake);
	pthread_mutex_destroy(&keeper->mutex);
	free(keeper);
}

mxw__rcpt_cache_t *mxw__rcpt_keeper_cache(mxw__rcpt_keeper_t *keeper)
{
	return keeper->cache;
}

mxw_status_t mxw__rcpt_keeper_configure(mxw__rcpt_keeper_t *keeper, size_t max_entries, uint64_t save_interval_ms)
{
	pthread_mutex_lock(&keeper->mutex);
	keeper->save_interval_ms = save_interval_ms;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->mutex);
	return mxw__rcpt_cache_resize(keeper->cache, max_entries);
}

void mxw__rcpt_keeper_save_soon(mxw__rcpt_keeper_t *keeper)
{
	pthread_mutex_lock(&keeper->mutex);
	keeper->is_wanted_now = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->mutex);
}
