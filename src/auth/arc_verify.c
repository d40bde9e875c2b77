/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "src/auth/arc_verify.h"
#include "src/auth/dkim_sig.h"

enum { KEY_MAX = 4096, SIGNATURE_MAX = 2048 };

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool mxw__base64_decode(const char *text, unsigned char *ret_data, size_t size, size_t *ret_len)
{
	size_t len = strlen(text), n = 0;
	unsigned bits = 0, nbits = 0;

	if (!len || len % 4)
		return false;
	for (unsigned pad = 0; pad < 2 && text[len - 1] == '='; pad++)
		len--;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(text[i]);
		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned)value) & 0xffff;
		nbits += 6;
		if (nbits < 8)
			continue;
		if (n == size)
			return false;
		nbits -= 8;
		ret_data[n++] = (unsigned char)(bits >> nbits);
	}
	*ret_len = n;
	return true;
}

/* ---- keys ---- */

/* Both forms in which RSA keys are published: RFC 6376 section 3.6.1, with its erratum. */
static EVP_PKEY *read_rsa(const unsigned char *der, size_t len, unsigned min_bits)
{
	const unsigned char *at = der;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)len);

	if (!key) {
		at = der;
		key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)len);
	}
	if (key && (EVP_PKEY_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_bits(key) < (int)min_bits)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

/* `text` is what mxw__dkim_read_key() writes. NULL: no key. */
static EVP_PKEY *read_key(const char *text, bool is_rsa, unsigned min_bits)
{
	unsigned char der[KEY_MAX];
	const char *p = strstr(text, "p=");
	size_t len;

	if (!p || !mxw__base64_decode(p + 2, der, sizeof(der), &len))
		return NULL;
	return is_rsa ? read_rsa(der, len, min_bits) : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, der, len);
}

/* ---- signatures ---- */

static mxw_outcome_t outcome_of(int rc)
{
	return rc == 1 ? MXW_FOUND : MXW_NOT_FOUND;
}

static mxw_outcome_t verify_rsa(EVP_PKEY *key, const unsigned char hash[MXW__SHA256_SIZE], const unsigned char *sig, size_t len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	mxw_outcome_t outcome = MXW_TEMPORARY;

	if (ctx && EVP_PKEY_verify_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1)
		outcome = outcome_of(EVP_PKEY_verify(ctx, sig, len, hash, MXW__SHA256_SIZE));
	EVP_PKEY_CTX_free(ctx);
	return outcome;
}

/* Of the hash, which is the message here (RFC 8463 section 3). */
static mxw_outcome_t verify_ed25519(EVP_PKEY *key, const unsigned char hash[MXW__SHA256_SIZE], const unsigned char *sig,
				    size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	mxw_outcome_t outcome = MXW_TEMPORARY;

	if (ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1)
		outcome = outcome_of(EVP_DigestVerify(ctx, sig, len, hash, MXW__SHA256_SIZE));
	EVP_MD_CTX_free(ctx);
	return outcome;
}

mxw_outcome_t mxw__arc_verify(const mxw_dns_answer_t *records, const char *algorithm, unsigned min_key_bits,
			      const unsigned char hash[MXW__SHA256_SIZE], const char *signature)
{
	bool is_rsa = strcmp(algorithm, "rsa-sha256") == 0;
	struct mxw__dkim_signature by = {.result = MXW__DKIM_NONE};
	struct mxw__dkim_signature_info info = {.sig = &by};
	unsigned char sig[SIGNATURE_MAX];
	char text[2 * KEY_MAX];
	mxw_outcome_t outcome = MXW_NOT_FOUND;
	size_t len;

	snprintf(by.algorithm, sizeof(by.algorithm), "%s", algorithm);
	struct mxw__dkim_key record = mxw__dkim_read_key(records, &info, text, sizeof(text));
	if (record.result == MXW__DKIM_TEMPERROR)
		return MXW_TEMPORARY;
	if (record.result != MXW__DKIM_NONE || !mxw__base64_decode(signature, sig, sizeof(sig), &len))
		return MXW_NOT_FOUND;
	EVP_PKEY *key = read_key(text, is_rsa, min_key_bits);
	if (key)
		outcome = is_rsa ? verify_rsa(key, hash, sig, len) : verify_ed25519(key, hash, sig, len);
	EVP_PKEY_free(key);
	/* What OpenSSL has to say of a key that is none is nobody else's matter on this thread. */
	ERR_clear_error();
	return outcome;
}
