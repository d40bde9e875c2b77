/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.h: the offline copy of a directory: a complete list of its addresses, for the time when it can't answer.
 *
 * A thread lists the directory at an interval (mxw__directory_ops.enumerate). Each address becomes a keyed hash
 * (copy_list.c); the sorted hashes are written to STATE_DIR/copy-NAME, which is mapped and takes the place of the one
 * before (copy_file.c). A look-up that its directory could not answer asks the copy (copy_use.c): who is in it is
 * found. Who is not in it stays unanswered; the result only says what the copy said, for policy to look at.
 *
 * When absence says nothing (MXW__COPY_OLD): the copy is older than copy-max-age; the wall clock went back since it
 * was made, or while nobody looked; the last lists were less than half as long as it is (a tree being restored,
 * a changed access rule). Of a list that is that short nothing is used until copy-confirmations of them in
 * a row agree; an empty one is never used. And when the directory finds addresses that are not in the list: then
 * copy-filter and address-attributes list something else than filter finds, or it has changed much since.
 *
 * Who may call: directory.c (to make, ask and end it).
 * Threads: mxw__copy_consult() from any thread. `lock` guards the pointer to the map and is held for
 *          a few instructions; hashing, searching, reading and writing go on without it. Each copy has one
 *          thread, that of mxw__copy_start(), which alone lists and writes.
 * Memory:  a map is counted: a look-up that is on its way keeps the one it has.
 * Errors:  a file that is damaged, or of other settings, is renamed to *.damaged and told. What goes wrong while
 *          listing is told once and tried again after growing pauses; the copy there is stays.
 * Standards: RFC 2104 (HMAC), FIPS 180-4 (SHA-256).
 */
#ifndef MXW_SRC_DIRECTORY_COPY_H
#define MXW_SRC_DIRECTORY_COPY_H

#include "src/directory/source.h"

/* ---- keys ---- */

enum { MXW__COPY_KEY_SIZE = 32, MXW__COPY_PRINT_SIZE = 16 };

/* What is derived from the key file, one for each use. */
struct mxw__copy_keys {
	unsigned char address[MXW__COPY_KEY_SIZE];
	unsigned char file[MXW__COPY_KEY_SIZE];
	unsigned char settings[MXW__COPY_KEY_SIZE];
};
/* Reads DIR/copy.key, which nobody else may be able to read; makes it if there is none, unless `is_read_only`. */
mxw_status_t mxw__copy_keys_load(const char *dir, bool is_read_only, struct mxw__copy_keys *ret_keys, struct mxw_error *err);
void mxw__copy_keys_derive(const unsigned char secret[MXW__COPY_KEY_SIZE], struct mxw__copy_keys *ret_keys);
/* HMAC-SHA256. False: libcrypto could not. */
bool mxw__copy_hmac(const unsigned char key[MXW__COPY_KEY_SIZE], const void *data, size_t len, unsigned char ret[32]);

/* ---- records ---- */

/* One address: the first octets of its hash, then the number of its settings. */
enum { MXW__COPY_RECORD_SIZE = 16, MXW__COPY_HASH_SIZE = 15, MXW__COPY_SETTINGS_MAX = 255 };
enum { MXW__COPY_ADDRESS_MAX = 1024 };

struct mxw__copy_settings {
	size_t n;
	struct mxw__rcpt_settings v[MXW__COPY_SETTINGS_MAX];
};

/* The hash of an address in the form for comparison (mxw__address.key_text); ASCII case does not count. */
bool mxw__copy_hash(const struct mxw__copy_keys *keys, const char *text, unsigned char ret[MXW__COPY_HASH_SIZE]);
/* That of a local part that stands alone (mxw__address.key_local): never that of an address. */
bool mxw__copy_hash_local(const struct mxw__copy_keys *keys, const char *local, unsigned char ret[MXW__COPY_HASH_SIZE]);

/* A list being made. */
typedef struct mxw__copy_list mxw__copy_list_t;
/* `keys` is borrowed. NULL: no memory. */
mxw__copy_list_t *mxw__copy_list_new(const struct mxw__copy_keys *keys, size_t max);
void mxw__copy_list_free(mxw__copy_list_t *list);
/*
 * Adds an address as the directory has it, or a local part that is good in every domain; one that no recipient can have is
 * passed over. False: `*ret_why` says why
 * the list can't become complete.
 */
bool mxw__copy_list_add(mxw__copy_list_t *list, const char *address, size_t len,
			const struct mxw__rcpt_settings *settings, const char **ret_why);
/* Sorts, and makes one of addresses that came several times, with what mxw__rcpt_settings_add() makes of their settings. */
void mxw__copy_list_finish(mxw__copy_list_t *list);
size_t mxw__copy_list_count(const mxw__copy_list_t *list);
const unsigned char *mxw__copy_list_records(const mxw__copy_list_t *list);
const struct mxw__copy_settings *mxw__copy_list_settings(const mxw__copy_list_t *list);

/* ---- the file ---- */

struct mxw__copy_head {
	unsigned char print[MXW__COPY_PRINT_SIZE]; /* of the settings it was made with */
	int64_t completed_ms; /* wall clock */
	uint64_t count;
	uint32_t nsettings;
	bool is_partial;      /* it does not have what the directory finds */
	uint32_t doubts;      /* lists since then, in a row, that were less than half as long */
	uint64_t doubt_count; /* length of the last of them */
};

/* A file's content, checked. Points into it. */
struct mxw__copy_view {
	struct mxw__copy_head head;
	const unsigned char *settings;
	const unsigned char *records;
};
/* MXW_ERR_INVALID: damaged, or made with another key. */
mxw_status_t mxw__copy_view(const unsigned char *data, size_t len, const struct mxw__copy_keys *keys,
			    struct mxw__copy_view *ret_view, struct mxw_error *err);
bool mxw__copy_view_find(const struct mxw__copy_view *view, const unsigned char hash[MXW__COPY_HASH_SIZE],
			 struct mxw__rcpt_settings *ret_settings);

/* Fills `ret` with all settings of the file. */
void mxw__copy_view_settings(const struct mxw__copy_view *view, struct mxw__copy_settings *ret);

/* A file that is mapped. */
typedef struct mxw__copy_map mxw__copy_map_t;
/*
 * `ret_map` is NULL if there is no such file. Errors: MXW_ERR_INVALID (damaged), MXW_ERR_SYSTEM, MXW_ERR_NOMEM.
 */
mxw_status_t mxw__copy_map_open(const char *path, const struct mxw__copy_keys *keys, mxw__copy_map_t **ret_map,
				struct mxw_error *err);
mxw__copy_map_t *mxw__copy_map_ref(mxw__copy_map_t *map);
void mxw__copy_map_unref(mxw__copy_map_t *map);
const struct mxw__copy_view *mxw__copy_map_view(const mxw__copy_map_t *map);
/* False: somebody has cut the file short. It must not be touched then: that would end the process. */
bool mxw__copy_map_is_whole(const mxw__copy_map_t *map);
/* The latest time on the wall clock at which somebody was there to see it; kept as the file's time of change. By one
 * thread at a time. */
int64_t mxw__copy_map_seen(const mxw__copy_map_t *map);
void mxw__copy_map_touch(mxw__copy_map_t *map, int64_t wall_ms);

/* What is to be written. */
struct mxw__copy_content {
	struct mxw__copy_head head;
	const struct mxw__copy_settings *settings;
	const unsigned char *records; /* sorted */
};
/*
 * Writes a file beside `path`, and renames it. If a file of other settings has been put there since, by the
 * configuration that follows ours, it stays, and ours is only mapped.
 */
mxw_status_t mxw__copy_file_write(const char *path, const struct mxw__copy_keys *keys,
				  const struct mxw__copy_content *content, mxw__copy_map_t **ret_map,
				  struct mxw_error *err);
/* Removes what a crash while writing has left. */
void mxw__copy_file_tidy(const char *path);

/* ---- the copy of one directory ---- */

typedef struct mxw__copy mxw__copy_t;

/* Loads the file, if there is one. Everything given must outlive the copy. Fails only without memory or locks. */
mxw_status_t mxw__copy_new(const struct mxw__directory_env *env, const struct mxw__directory_ops *ops, void *self,
			   mxw__copy_t **ret_copy, struct mxw_error *err);
/* Starts its thread. */
mxw_status_t mxw__copy_start(mxw__copy_t *copy, struct mxw_error *err);
/* To be called before the source is closed. */
void mxw__copy_free(mxw__copy_t *copy);
/*
 * For an answer that is temporary or misconfigured: what the copy says. It may become MXW_FOUND, nothing else; `copy`
 * and `age_ms` are set. NULL: there is no copy.
 */
void mxw__copy_consult(mxw__copy_t *copy, const struct mxw__address *address, struct mxw__rcpt_result *result);
/* Tells the copy of an address that the directory itself has just found: a list that does not have those is in doubt. */
void mxw__copy_compare(mxw__copy_t *copy, const struct mxw__address *address);
typedef enum mxw__copy_pull {
	MXW__COPY_FAILED,  /* there is no complete list, or it could not be written */
	MXW__COPY_DOUBTED, /* it is so short that the one before stays */
	MXW__COPY_USED
} mxw__copy_pull_t;
/* Lists the directory now. What the thread does; else for tests. */
mxw__copy_pull_t mxw__copy_pull(mxw__copy_t *copy);
/* Milliseconds until the thread lists the directory again. */
int64_t mxw__copy_pause(mxw__copy_t *copy);

#endif
