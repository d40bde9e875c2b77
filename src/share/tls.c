/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>

#include "src/share/link.h"

static bool use_files(SSL_CTX *ctx, const char *ca_file, const char *certificate_file, const char *key_file,
		      char ret_why[MXW__LINK_WHY_MAX])
{
	if ((*ca_file ? SSL_CTX_load_verify_locations(ctx, ca_file, NULL) : SSL_CTX_set_default_verify_paths(ctx)) != 1) {
		snprintf(ret_why, MXW__LINK_WHY_MAX, "no certificates of authorities in %.140s", *ca_file ? ca_file : "the system");
		return false;
	}
	if (!*certificate_file)
		return true;
	if (SSL_CTX_use_certificate_chain_file(ctx, certificate_file) == 1 &&
	    SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(ctx) == 1)
		return true;
	snprintf(ret_why, MXW__LINK_WHY_MAX, "%.140s and its key can't be used", certificate_file);
	return false;
}

SSL_CTX *mxw__link_tls_new(const char *ca_file, const char *certificate_file, const char *key_file,
			   char ret_why[MXW__LINK_WHY_MAX])
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx) {
		snprintf(ret_why, MXW__LINK_WHY_MAX, "TLS can't be set up");
		return NULL;
	}
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	bool is_ok = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1;
	if (!is_ok)
		snprintf(ret_why, MXW__LINK_WHY_MAX, "TLS 1.2 can't be asked for");
	is_ok = is_ok && use_files(ctx, ca_file, certificate_file, key_file, ret_why);
	ERR_clear_error();
	if (is_ok)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static bool set_name(SSL *ssl, const char *host)
{
	char name[256];
	struct mxw_ip ip;

	if (mxw_ip_parse(host, &ip) == MXW_OK)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	snprintf(name, sizeof name, "%s", host);
	/* Written out: SSL_set_tlsext_host_name() casts const away. */
	return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1 && SSL_set1_host(ssl, host) == 1;
}

bool mxw__link_tls_begin(struct mxw__link *link, SSL_CTX *tls, const char *host)
{
	ERR_clear_error();
	link->ssl = SSL_new(tls);
	bool is_ok = link->ssl && SSL_set_fd(link->ssl, link->fd) == 1 && set_name(link->ssl, host);
	ERR_clear_error();
	if (!is_ok)
		snprintf(link->why, sizeof link->why, "TLS can't be set up");
	return is_ok;
}

/* Notes what to wait for after a call that returned `rc`; false for an error. */
static bool is_waiting(struct mxw__link *link, int rc)
{
	int code = SSL_get_error(link->ssl, rc);

	link->want_events = code == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
	return code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE;
}

int mxw__link_tls_shake(struct mxw__link *link)
{
	char text[120] = "the connection was lost";

	ERR_clear_error();
	int rc = SSL_connect(link->ssl);
	if (rc == 1 || is_waiting(link, rc))
		return rc == 1;
	long verified = SSL_get_verify_result(link->ssl);
	unsigned long code = ERR_peek_last_error();
	if (code)
		ERR_error_string_n(code, text, sizeof text);
	ERR_clear_error();
	if (verified != X509_V_OK)
		snprintf(link->why, sizeof link->why, "its certificate is not accepted: %.120s",
			 X509_verify_cert_error_string(verified));
	else
		snprintf(link->why, sizeof link->why, "TLS failed: %s", text);
	return -1;
}

static ssize_t result(struct mxw__link *link, int n)
{
	if (n > 0)
		return n;
	errno = is_waiting(link, n) ? EAGAIN : ECONNRESET;
	return -1;
}

static int clamp(size_t len)
{
	return len < INT_MAX ? (int)len : INT_MAX;
}

ssize_t mxw__link_tls_read(struct mxw__link *link, void *data, size_t len)
{
	ERR_clear_error();
	return result(link, SSL_read(link->ssl, data, clamp(len)));
}

ssize_t mxw__link_tls_write(struct mxw__link *link, const void *data, size_t len)
{
	ERR_clear_error();
	return result(link, SSL_write(link->ssl, data, clamp(len)));
}

void mxw__link_tls_end(struct mxw__link *link)
{
	if (!link->ssl)
		return;
	SSL_free(link->ssl);
	ERR_clear_error();
	link->ssl = NULL;
}
