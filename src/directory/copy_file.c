/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of an offline copy. Numbers are little-endian.
 *
 *   0  8   "MXWCOPY\n"
 *   8  4   version
 *  12  4   number of settings
 *  16  16  of which settings of the directory it is the copy
 *  32  8   when the list was complete, milliseconds since 1970
 *  40  8   number of addresses
 *  48  8   length of the last doubtful list
 *  56  4   number of doubtful lists since
 *  60  4   1: it does not have what the directory finds; else 0
 *  64      settings, 40 octets each: disabled, internal only, 6 zeros, class (32, with its NUL)
 *          addresses, 16 octets each, ascending: 15 of the hash, number of the settings
 *      32  HMAC-SHA256 of all that is before
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/directory/copy.h"

enum { HEAD_SIZE = 64, SETTINGS_SIZE = 40, SEAL_SIZE = 32, FORMAT = 1, PATH_SIZE = 4096, LEFTOVER_S = 3600 };
static const char magic[8] = "MXWCOPY\n";
#define SIZE_MAX_FILE ((uint64_t)1 << 32)

struct mxw__copy_map {
	atomic_uint refs;
	int fd;
	const unsigned char *data;
	size_t len;
	int64_t seen_ms;
	struct mxw__copy_view view;
};

/* ---- numbers ---- */

static void put(unsigned char *p, uint64_t v, int n)
{
	for (int i = 0; i < n; i++, v >>= 8)
		p[i] = (unsigned char)v;
}

static uint64_t get(const unsigned char *p, int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

/* ---- what a file holds ---- */

static void put_head(unsigned char out[HEAD_SIZE], const struct mxw__copy_head *head)
{
	memset(out, 0, HEAD_SIZE);
	memcpy(out, magic, sizeof magic);
	put(out + 8, FORMAT, 4);
	put(out + 12, head->nsettings, 4);
	memcpy(out + 16, head->print, MXW__COPY_PRINT_SIZE);
	put(out + 32, (uint64_t)head->completed_ms, 8);
	put(out + 40, head->count, 8);
	put(out + 48, head->doubt_count, 8);
	put(out + 56, head->doubts, 4);
	put(out + 60, head->is_partial, 4);
}

static void get_head(const unsigned char *data, struct mxw__copy_head *head)
{
	head->nsettings = (uint32_t)get(data + 12, 4);
	memcpy(head->print, data + 16, MXW__COPY_PRINT_SIZE);
	head->completed_ms = (int64_t)get(data + 32, 8);
	head->count = get(data + 40, 8);
	head->doubt_count = get(data + 48, 8);
	head->doubts = (uint32_t)get(data + 56, 4);
	head->is_partial = get(data + 60, 4) != 0;
}

static void put_settings(unsigned char out[SETTINGS_SIZE], const struct mxw__rcpt_settings *settings)
{
	memset(out, 0, SETTINGS_SIZE);
	out[0] = settings->is_disabled;
	out[1] = settings->is_internal_only;
	snprintf((char *)out + 8, SETTINGS_SIZE - 8, "%s", settings->class);
}

/* False if it is not what put_settings() would write. */
static bool get_settings(const unsigned char *data, struct mxw__rcpt_settings *ret)
{
	unsigned char again[SETTINGS_SIZE];

	*ret = (struct mxw__rcpt_settings){.is_disabled = data[0] != 0, .is_internal_only = data[1] != 0};
	memcpy(ret->class, data + 8, sizeof ret->class);
	ret->class[sizeof ret->class - 1] = '\0';
	for (const char *p = ret->class; *p; p++)
		if (*p < ' ' || *p >= 0x7f)
			return false;
	put_settings(again, ret);
	return memcmp(data, again, SETTINGS_SIZE) == 0;
}

static mxw_status_t damaged(struct mxw_error *err, const char *what)
{
	return mxw__fail(err, MXW_ERR_INVALID, "%s", what);
}

static bool is_in_order(const struct mxw__copy_view *view)
{
	const unsigned char *r = view->records;

	for (uint64_t i = 0; i < view->head.count; i++, r += MXW__COPY_RECORD_SIZE)
		if (r[MXW__COPY_HASH_SIZE] >= view->head.nsettings ||
		    (i > 0 && memcmp(r - MXW__COPY_RECORD_SIZE, r, MXW__COPY_HASH_SIZE) >= 0))
			return false;
	return true;
}

mxw_status_t mxw__copy_view(const unsigned char *data, size_t len, const struct mxw__copy_keys *keys,
			    struct mxw__copy_view *ret_view, struct mxw_error *err)
{
	struct mxw__copy_view view;
	struct mxw__rcpt_settings settings;
	unsigned char seal[SEAL_SIZE];

	if (len < HEAD_SIZE + SEAL_SIZE)
		return damaged(err, "too short");
	if (memcmp(data, magic, sizeof magic) != 0 || get(data + 8, 4) != FORMAT || get(data + 60, 4) > 1)
		return damaged(err, "not the copy of a directory, or of another version");
	get_head(data, &view.head);
	if (view.head.nsettings > MXW__COPY_SETTINGS_MAX || view.head.count > SIZE_MAX_FILE / MXW__COPY_RECORD_SIZE ||
	    len != HEAD_SIZE + SEAL_SIZE + (uint64_t)view.head.nsettings * SETTINGS_SIZE +
			    view.head.count * MXW__COPY_RECORD_SIZE)
		return damaged(err, "the length is wrong");
	if (!mxw__copy_hmac(keys->file, data, len - SEAL_SIZE, seal) || memcmp(seal, data + len - SEAL_SIZE, SEAL_SIZE) != 0)
		return damaged(err, "damaged, or made with another key");
	view.settings = data + HEAD_SIZE;
	view.records = view.settings + view.head.nsettings * SETTINGS_SIZE;
	for (uint32_t i = 0; i < view.head.nsettings; i++)
		if (!get_settings(view.settings + i * SETTINGS_SIZE, &settings))
			return damaged(err, "the settings can't be read");
	if (!is_in_order(&view))
		return damaged(err, "the addresses are not in order");
	*ret_view = view;
	return MXW_OK;
}

bool mxw__copy_view_find(const struct mxw__copy_view *view, const unsigned char hash[MXW__COPY_HASH_SIZE],
			 struct mxw__rcpt_settings *ret_settings)
{
	uint64_t low = 0, high = view->head.count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		const unsigned char *r = view->records + middle * MXW__COPY_RECORD_SIZE;
		int order = memcmp(hash, r, MXW__COPY_HASH_SIZE);
		if (order == 0)
			return r[MXW__COPY_HASH_SIZE] < view->head.nsettings &&
			       get_settings(view->settings + r[MXW__COPY_HASH_SIZE] * SETTINGS_SIZE, ret_settings);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

void mxw__copy_view_settings(const struct mxw__copy_view *view, struct mxw__copy_settings *ret)
{
	ret->n = view->head.nsettings;
	for (size_t i = 0; i < ret->n; i++)
		get_settings(view->settings + i * SETTINGS_SIZE, &ret->v[i]);
}

/* ---- mapping ---- */

static mxw_status_t map_fd(int fd, const char *path, const struct mxw__copy_keys *keys, mxw__copy_map_t *map,
			   struct mxw_error *err)
{
	struct mxw_error why = {0};
	struct stat st;

	if (fstat(fd, &st) != 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > SIZE_MAX_FILE)
		return mxw__fail(err, MXW_ERR_INVALID, "%s: no file, empty or too large", path);
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	map->data = data;
	map->len = (size_t)st.st_size;
	map->seen_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	mxw_status_t status = mxw__copy_view(map->data, map->len, keys, &map->view, &why);
	return status == MXW_OK ? MXW_OK : mxw__fail(err, status, "%s: %s", path, why.text);
}

/* Takes `fd` over. */
static mxw_status_t new_map(int fd, const char *path, const struct mxw__copy_keys *keys, mxw__copy_map_t **ret_map,
			    struct mxw_error *err)
{
	mxw__copy_map_t *map = calloc(1, sizeof *map);

	if (!map) {
		close(fd);
		return mxw__fail(err, MXW_ERR_NOMEM, "%s: out of memory", path);
	}
	atomic_init(&map->refs, 1);
	map->fd = fd;
	mxw_status_t status = map_fd(fd, path, keys, map, err);
	if (status == MXW_OK)
		*ret_map = map;
	else
		mxw__copy_map_unref(map);
	return status;
}

mxw_status_t mxw__copy_map_open(const char *path, const struct mxw__copy_keys *keys, mxw__copy_map_t **ret_map,
				struct mxw_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0)
		return new_map(fd, path, keys, ret_map, err);
	if (errno != ENOENT)
		return mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	*ret_map = NULL;
	return MXW_OK;
}

mxw__copy_map_t *mxw__copy_map_ref(mxw__copy_map_t *map)
{
	if (map)
		atomic_fetch_add_explicit(&map->refs, 1, memory_order_relaxed);
	return map;
}

void mxw__copy_map_unref(mxw__copy_map_t *map)
{
	if (!map || atomic_fetch_sub_explicit(&map->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (map->data)
		munmap((void *)(uintptr_t)map->data, map->len);
	close(map->fd);
	free(map);
}

const struct mxw__copy_view *mxw__copy_map_view(const mxw__copy_map_t *map)
{
	return &map->view;
}

bool mxw__copy_map_is_whole(const mxw__copy_map_t *map)
{
	struct stat st;

	return fstat(map->fd, &st) == 0 && (uint64_t)st.st_size == map->len;
}

int64_t mxw__copy_map_seen(const mxw__copy_map_t *map)
{
	return map->seen_ms;
}

void mxw__copy_map_touch(mxw__copy_map_t *map, int64_t wall_ms)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
				    {.tv_sec = (time_t)(wall_ms / 1000), .tv_nsec = (long)(wall_ms % 1000) * 1000000}};

	/* If it can't be kept, a clock that goes back while mxward is not running is not seen. */
	if (wall_ms >= 0 && futimens(map->fd, times) == 0)
		map->seen_ms = wall_ms;
}

/* ---- writing ---- */

static bool write_seal(int fd, const struct mxw__copy_keys *keys)
{
	unsigned char seal[SEAL_SIZE];
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return false;
	bool ok = mxw__copy_hmac(keys->file, data, (size_t)st.st_size, seal);
	munmap(data, (size_t)st.st_size);
	return ok && mxw__write_all(fd, seal, sizeof seal) && fsync(fd) == 0;
}

static bool write_content(int fd, const struct mxw__copy_keys *keys, const struct mxw__copy_content *content)
{
	unsigned char head[HEAD_SIZE], settings[SETTINGS_SIZE];
	struct mxw__copy_head with = content->head;

	with.nsettings = (uint32_t)content->settings->n;
	put_head(head, &with);
	if (!mxw__write_all(fd, head, sizeof head))
		return false;
	for (size_t i = 0; i < content->settings->n; i++) {
		put_settings(settings, &content->settings->v[i]);
		if (!mxw__write_all(fd, settings, sizeof settings))
			return false;
	}
	return mxw__write_all(fd, content->records, (size_t)content->head.count * MXW__COPY_RECORD_SIZE) &&
	       write_seal(fd, keys);
}

/* Is there the file of a configuration that came after ours? One that was there before was set aside at our start. */
static bool is_superseded(const char *path, const unsigned char *print)
{
	unsigned char head[HEAD_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return false;
	ssize_t n = read(fd, head, sizeof head);
	close(fd);
	return n == HEAD_SIZE && memcmp(head, magic, sizeof magic) == 0 && memcmp(head + 16, print, MXW__COPY_PRINT_SIZE) != 0;
}

static void sync_directory(const char *path)
{
	char copy[PATH_SIZE];

	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

mxw_status_t mxw__copy_file_write(const char *path, const struct mxw__copy_keys *keys,
				  const struct mxw__copy_content *content, mxw__copy_map_t **ret_map,
				  struct mxw_error *err)
{
	char temp[PATH_SIZE];
	mxw__copy_map_t *map = NULL;

	if (snprintf(temp, sizeof temp, "%s.new-XXXXXX", path) >= (int)sizeof temp)
		return mxw__fail(err, MXW_ERR_CONF, "%s: the name is too long", path);
	int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (!write_content(fd, keys, content)) {
		mxw_status_t status = mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
		close(fd);
		unlink(temp);
		return status;
	}
	/* Read again, as it will be after a restart; only then it takes the other's place. */
	mxw_status_t status = new_map(fd, temp, keys, &map, err);
	bool is_kept = status == MXW_OK && !is_superseded(path, content->head.print);
	if (is_kept && rename(temp, path) != 0) {
		status = mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
		is_kept = false;
	}
	if (is_kept)
		sync_directory(path);
	else
		unlink(temp);
	if (status == MXW_OK)
		*ret_map = map;
	else
		mxw__copy_map_unref(map);
	return status;
}

void mxw__copy_file_tidy(const char *path)
{
	char dir_copy[PATH_SIZE], base_copy[PATH_SIZE], prefix[PATH_SIZE + 8], left[2 * PATH_SIZE];
	struct dirent *entry;
	struct stat st;

	snprintf(dir_copy, sizeof dir_copy, "%s", path);
	snprintf(base_copy, sizeof base_copy, "%s", path);
	const char *dir_name = dirname(dir_copy);
	snprintf(prefix, sizeof prefix, "%s.new-", basename(base_copy));
	DIR *dir = opendir(dir_name);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(left, sizeof left, "%s/%s", dir_name, entry->d_name);
		/* A young one may be somebody's who is writing it. */
		if (lstat(left, &st) == 0 && st.st_mtime < time(NULL) - LEFTOVER_S)
			unlink(left);
	}
	if (dir)
		closedir(dir);
}
