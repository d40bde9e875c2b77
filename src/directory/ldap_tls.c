/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates and keys for a connection. Reading them makes a context of libldap, which each link keeps for its
 * next connections: it holds all certificates of the system, and libldap with GnuTLS loses our own key and
 * certificate with each context that it makes. When a file changes, a new one is made.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/directory/ldap_pool.h"

/* The certificates the system trusts, or "": then no server's certificate can be verified. */
static const char *system_ca_file(void)
{
	static const char *const known[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
					    "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

	for (size_t i = 0; i < MXW_ARRAY_LEN(known); i++)
		if (access(known[i], R_OK) == 0)
			return known[i];
	return "";
}

/* libldap's start-up of its TLS library is not safe from two threads; each link then has a context of its own. */
static void init_tls_library(void)
{
	LDAP *ld = NULL;
	int is_client = 0;

	if (ldap_create(&ld) != LDAP_SUCCESS)
		return;
	ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &is_client);
	ldap_unbind_ext_s(ld, NULL, NULL);
}

/* ---- files ---- */

static const char *text_of(const char *s)
{
	return s ? s : "";
}

static void stamp_file(const char *path, struct mxw__ldap_tls_file *ret_file)
{
	struct stat st;

	memset(ret_file, 0, sizeof *ret_file);
	if (!*path || stat(path, &st) != 0)
		return;
	ret_file->device = (uint64_t)st.st_dev;
	ret_file->inode = (uint64_t)st.st_ino;
	ret_file->size = (uint64_t)st.st_size;
	ret_file->changed_s = (uint64_t)st.st_mtim.tv_sec;
	ret_file->changed_ns = (uint64_t)st.st_mtim.tv_nsec;
}

/* ---- the context ---- */

void mxw__ldap_tls_forget(struct mxw__ldap_link *link)
{
	if (link->tls_keeper)
		ldap_unbind_ext_s(link->tls_keeper, NULL, NULL);
	link->tls_keeper = NULL;
	link->tls_context = NULL;
}

/* libldap counts a context that is read out of a handle, and offers no way to count it down again; this callback,
 * called before a handshake, sees it uncounted. A handle without a connection then keeps it. */
static int keep_context(LDAP *ld, void *session, void *context, void *arg)
{
	struct mxw__ldap_link *link = arg;

	if (link->tls_keeper || ldap_create(&link->tls_keeper) != LDAP_SUCCESS)
		return 0;
	if (ldap_set_option(link->tls_keeper, LDAP_OPT_X_TLS_CTX, context) == LDAP_OPT_SUCCESS)
		link->tls_context = context;
	else
		mxw__ldap_tls_forget(link);
	return 0;
}

static bool set_files(LDAP *ld, const char *ca, const char *cert, const char *key)
{
	if (*ca && ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, ca) != LDAP_OPT_SUCCESS)
		return false;
	return !*cert || (*key && ldap_set_option(ld, LDAP_OPT_X_TLS_CERTFILE, cert) == LDAP_OPT_SUCCESS &&
			  ldap_set_option(ld, LDAP_OPT_X_TLS_KEYFILE, key) == LDAP_OPT_SUCCESS);
}

static bool make_context(struct mxw__ldap_link *link, const char *ca, const char *cert, const char *key)
{
	/* The option is a pointer to a function, and libldap takes it as void *. */
	int (*callback)(LDAP *, void *, void *, void *) = keep_context;
	void *as_option;
	int is_client = 0;

	memcpy(&as_option, &callback, sizeof as_option);
	return set_files(link->ld, ca, cert, key) &&
	       ldap_set_option(link->ld, LDAP_OPT_X_TLS_NEWCTX, &is_client) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(link->ld, LDAP_OPT_X_TLS_CONNECT_ARG, link) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(link->ld, LDAP_OPT_X_TLS_CONNECT_CB, as_option) == LDAP_OPT_SUCCESS;
}

static bool use_context(struct mxw__ldap_link *link, const char *ca, const char *cert, const char *key)
{
	const char *const paths[MXW__LDAP_TLS_FILES] = {ca, cert, key};
	struct mxw__ldap_tls_file files[MXW__LDAP_TLS_FILES];

	for (size_t i = 0; i < MXW__LDAP_TLS_FILES; i++)
		stamp_file(paths[i], &files[i]);
	if (link->tls_keeper && memcmp(files, link->tls_files, sizeof files) == 0)
		return ldap_set_option(link->ld, LDAP_OPT_X_TLS_CTX, link->tls_context) == LDAP_OPT_SUCCESS;
	mxw__ldap_tls_forget(link);
	memcpy(link->tls_files, files, sizeof files);
	return make_context(link, ca, cert, key);
}

bool mxw__ldap_tls_prepare(struct mxw__ldap_link *link, const struct mxw__directory_conf *conf,
			   struct mxw__ldap_failure *ret_failure)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const char *ca = *text_of(conf->tls_ca_file) ? conf->tls_ca_file : system_ca_file();
	const char *cert = text_of(conf->tls_certificate_file), *key = text_of(conf->tls_key_file);
	int demand = LDAP_OPT_X_TLS_DEMAND;
	char text[120];

	pthread_once(&once, init_tls_library);
	/* For the handle too: by this it looks whether the certificate's name is checked. */
	if (ldap_set_option(link->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == LDAP_OPT_SUCCESS &&
	    use_context(link, ca, cert, key))
		return true;
	snprintf(text, sizeof text, "TLS can't be set up with the CA file %.60s%s", ca,
		 *cert ? " and our certificate and key" : "");
	mxw__ldap_fail(ret_failure, MXW_MISCONFIGURED, LDAP_LOCAL_ERROR, text, NULL);
	return false;
}
