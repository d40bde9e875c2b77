/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS over a socket that does not block. With tls = require the certificate must be valid and for this host; with
 * opportunistic any certificate and any version is better than none (RFC 7435), since without TLS the same would be
 * said in the clear.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "src/directory/callahead.h"

static mxw_status_t set_up_verified(SSL_CTX *ctx, const char *ca_file, struct mxw_error *err)
{
	bool has_file = ca_file && *ca_file;
	int ok = has_file ? SSL_CTX_load_verify_locations(ctx, ca_file, NULL) : SSL_CTX_set_default_verify_paths(ctx);

	ERR_clear_error();
	if (ok != 1)
		return mxw__fail(err, MXW_ERR_CONF, "TLS can't be set up with the CA file %.200s", has_file ? ca_file : "");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1
		       ? MXW_OK
		       : mxw__fail(err, MXW_ERR_SYSTEM, "TLS 1.2 can't be asked for");
}

static void set_up_opportunistic(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	/* Old Exchange servers know TLS 1.0 only. Either may be refused by this OpenSSL: then what it has is used. */
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, 0);
	SSL_CTX_set_cipher_list(ctx, "DEFAULT@SECLEVEL=0");
	ERR_clear_error();
}

mxw_status_t mxw__call_tls_new(const struct mxw__directory_conf *conf, SSL_CTX **ret_ctx, struct mxw_error *err)
{
	mxw_status_t status = MXW_OK;

	*ret_ctx = NULL;
	if (conf->tls == MXW__TLS_NO)
		return MXW_OK;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION);
	if (conf->tls == MXW__TLS_REQUIRE)
		status = set_up_verified(ctx, conf->tls_ca_file, err);
	else
		set_up_opportunistic(ctx);
	if (status != MXW_OK) {
		SSL_CTX_free(ctx);
		return status;
	}
	*ret_ctx = ctx;
	return MXW_OK;
}

/* What to wait for after a call that returned `rc`; 0 for an error. */
static short wanted(SSL *ssl, int rc)
{
	switch (SSL_get_error(ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

static int clamp(size_t len)
{
	return len < INT_MAX ? (int)len : INT_MAX;
}

ssize_t mxw__call_tls_read(struct mxw__call_link *link, void *data, size_t len, short *ret_events)
{
	ERR_clear_error();
	int n = SSL_read(link->ssl, data, clamp(len));

	*ret_events = n > 0 ? 0 : wanted(link->ssl, n);
	ERR_clear_error();
	return n > 0 ? n : -1;
}

ssize_t mxw__call_tls_write(struct mxw__call_link *link, const void *data, size_t len, short *ret_events)
{
	ERR_clear_error();
	int n = SSL_write(link->ssl, data, clamp(len));

	*ret_events = n > 0 ? 0 : wanted(link->ssl, n);
	ERR_clear_error();
	return n > 0 ? n : -1;
}

void mxw__call_tls_end(struct mxw__call_link *link)
{
	if (!link->ssl)
		return;
	/* One try, without waiting for the other side's. */
	if (link->is_in_step)
		SSL_shutdown(link->ssl);
	SSL_free(link->ssl);
	ERR_clear_error();
	link->ssl = NULL;
}

static bool set_name(SSL *ssl, const char *host, bool is_verified)
{
	char name[256];
	struct mxw_ip ip;
	bool is_ip = mxw_ip_parse(host, &ip) == MXW_OK;

	snprintf(name, sizeof name, "%s", host);
	/* Written out: SSL_set_tlsext_host_name() casts const away. */
	if (!is_ip && SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) != 1)
		return false;
	if (!is_verified)
		return true;
	return is_ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 : SSL_set1_host(ssl, host) == 1;
}

/* 1: done. 0: refused. -1: no time left, or cancelled. */
static int shake_hands(struct mxw__call_link *link, int64_t deadline_ms)
{
	for (;;) {
		ERR_clear_error();
		int rc = SSL_connect(link->ssl);
		if (rc == 1)
			return 1;
		short events = wanted(link->ssl, rc);
		if (!events)
			return 0;
		if (!mxw__call_link_wait_io(link, link->fd, events, deadline_ms))
			return -1;
	}
}

bool mxw__call_tls_start(struct mxw__call_link *link, SSL_CTX *ctx, bool is_verified, const char *host,
			 int64_t deadline_ms, struct mxw__call_failure *ret_failure)
{
	char text[160] = "";

	/* What came in the clear after the reply to STARTTLS must not be taken for something said within TLS. */
	link->in_start = link->in_end = 0;
	link->ssl = SSL_new(ctx);
	if (!link->ssl || SSL_set_fd(link->ssl, link->fd) != 1 || !set_name(link->ssl, host, is_verified)) {
		ERR_clear_error();
		return mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "TLS can't be set up");
	}
	int rc = shake_hands(link, deadline_ms);
	if (rc == 1)
		return true;
	long verified = SSL_get_verify_result(link->ssl);
	unsigned long code = ERR_peek_last_error();
	if (rc == 0 && is_verified && verified != X509_V_OK)
		mxw__call_fail(ret_failure, MXW_MISCONFIGURED, NULL, "its certificate is not accepted: %s",
			       X509_verify_cert_error_string(verified));
	else if (rc == 0 && code)
		ERR_error_string_n(code, text, sizeof text);
	if (rc < 0)
		mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "no end of the TLS handshake in time");
	else if (!is_verified || verified == X509_V_OK)
		mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "TLS failed: %.90s",
			       *text ? text : "the connection was lost");
	ERR_clear_error();
	ret_failure->is_tls = true;
	return false;
}
