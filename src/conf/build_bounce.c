/* SPDX-License-Identifier: BSD-2-Clause */
/* The section bounce-proof. */
#include "config.h"

#include <string.h>

#include "src/conf/build.h"

enum {
	/* Tags go to everybody, and tell by their own when a key was guessed: there must be too many to try. */
	KEY_MIN = 16,
	KEYS_MAX = 4
};

static void read_keys(struct mxw__build *b, const struct mxw__pos *pos)
{
	struct mxw__bounce_conf *bounce = &b->conf->bounce;
	const char **keys = mxw__build_alloc(b, bounce->key_files.n, sizeof *keys);

	if (bounce->key_files.n > KEYS_MAX)
		mxw__complain(b->values.complaints, pos, "more than %d keys", KEYS_MAX);
	for (size_t i = 0; keys && i < bounce->key_files.n; i++) {
		keys[i] = mxw__build_secret(b, bounce->key_files.v[i], pos);
		if (keys[i][0] && strlen(keys[i]) < KEY_MIN)
			mxw__complain(b->values.complaints, pos, "%s: a key has at least %d characters", bounce->key_files.v[i],
				      KEY_MIN);
	}
	bounce->keys = (struct mxw__strings){keys ? bounce->key_files.n : 0, keys};
}

void mxw__build_bounce(struct mxw__build *b, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_BOUNCE_PROOF];
	struct mxw__bounce_conf *bounce = &b->conf->bounce;
	const struct mxw__pos *domains = mxw__option_pos(s, pos, "domains"), *files = mxw__option_pos(s, pos, "key-file");
	const struct mxw__pos *mode = mxw__option_pos(s, pos, "mode");

	read_keys(b, files);
	/* Who wrote one of these believes himself protected. */
	if (!bounce->domains.n && files->file)
		mxw__complain(b->values.complaints, files, "'key-file' needs 'domains' beside it: nobody's senders would get a tag");
	else if (!bounce->domains.n && mode->file && bounce->mode == MXW__BOUNCE_PROOF_ENFORCE)
		mxw__complain(b->values.complaints, mode, "'mode enforce' needs 'domains' beside it: no bounce would be refused");
	if (bounce->domains.n && !files->file)
		mxw__complain(b->values.complaints, domains, "'bounce-proof' needs 'key-file': tags are made with a key");
	mxw__build_addresses(b, &bounce->exempt_senders);
	mxw__build_addresses(b, &bounce->exempt_recipients);
}
