/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to one LDAP server, from nothing to bound.
 *
 * The socket is ours: libldap's own connect can't be ended from outside. A second descriptor for it stays here,
 * so that cancelling can shut the socket down at any time without hitting a descriptor that was closed
 * and given to somebody else; whatever libldap waits for on that socket then ends at once.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openldap.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/directory/ldap_pool.h"

#define LDAPI_DEFAULT "/var/run/slapd/ldapi"

enum { KEEPALIVE_IDLE_S = 60, KEEPALIVE_INTERVAL_S = 10, KEEPALIVE_PROBES = 3 };

mxw_status_t mxw__ldap_link_init(struct mxw__ldap_link *link, mxw__jobs_t *jobs, struct mxw_error *err)
{
	*link = (struct mxw__ldap_link){.jobs = jobs, .fd = -1};
	link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (link->wake_fd < 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "eventfd: %s", strerror(errno));
	int rc = pthread_mutex_init(&link->lock, NULL);
	if (rc != 0) {
		close(link->wake_fd);
		return mxw__fail(err, MXW_ERR_SYSTEM, "pthread_mutex_init: %s", strerror(rc));
	}
	return MXW_OK;
}

void mxw__ldap_link_fini(struct mxw__ldap_link *link)
{
	mxw__ldap_link_close(link, true);
	mxw__ldap_tls_forget(link);
	close(link->wake_fd);
	pthread_mutex_destroy(&link->lock);
}

void mxw__ldap_link_wake(struct mxw__ldap_link *link)
{
	uint64_t one = 1;
	/* It can only fail when the counter is full: then the wake-up is there already. */
	MXW_UNUSED ssize_t n = write(link->wake_fd, &one, sizeof one);
}

void mxw__ldap_link_cancel(struct mxw__ldap_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->is_cancelled = true;
	if (link->fd >= 0)
		shutdown(link->fd, SHUT_RDWR);
	pthread_mutex_unlock(&link->lock);
	mxw__ldap_link_wake(link);
}

bool mxw__ldap_link_is_cancelled(struct mxw__ldap_link *link)
{
	pthread_mutex_lock(&link->lock);
	bool is_cancelled = link->is_cancelled;
	pthread_mutex_unlock(&link->lock);
	return is_cancelled;
}

bool mxw__ldap_link_wait(struct mxw__ldap_link *link, int fd, short events, int64_t timeout_ms)
{
	struct pollfd fds[2] = {{.fd = link->wake_fd, .events = POLLIN}, {.fd = fd, .events = events}};
	int timeout = timeout_ms < 0 ? -1 : timeout_ms > 3600000 ? 3600000 : (int)timeout_ms;

	if (poll(fds, fd >= 0 ? 2 : 1, timeout) <= 0)
		return false;
	if (fds[0].revents) {
		uint64_t count;
		MXW_UNUSED ssize_t n = read(link->wake_fd, &count, sizeof count);
	}
	return fd >= 0 && fds[1].revents != 0;
}

/* Keeps a descriptor of our own for the socket; false when cancelled or out of descriptors. */
static bool adopt(struct mxw__ldap_link *link, int fd)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	pthread_mutex_lock(&link->lock);
	bool ok = own >= 0 && !link->is_cancelled;
	if (ok)
		link->fd = own;
	pthread_mutex_unlock(&link->lock);
	if (!ok && own >= 0)
		close(own);
	return ok;
}

void mxw__ldap_link_close(struct mxw__ldap_link *link, bool is_lost)
{
	/* Over a lost connection not even the farewell is sent: it could wait for a buffer that nobody empties. */
	if (is_lost && link->fd >= 0)
		shutdown(link->fd, SHUT_RDWR);
	if (link->ld)
		ldap_unbind_ext_s(link->ld, NULL, NULL);
	link->ld = NULL;
	pthread_mutex_lock(&link->lock);
	int own = link->fd;
	link->fd = -1;
	pthread_mutex_unlock(&link->lock);
	if (own >= 0)
		close(own);
}

/* ---- the socket ---- */

static void set_tcp_options(int fd, const struct mxw__directory_conf *conf)
{
	int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S, probes = KEEPALIVE_PROBES;
	unsigned user_timeout = (unsigned)conf->timeout_ms;

	/* Each makes a dead peer known sooner; without one of them the time-outs above still hold. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof user_timeout);
}

/*
 * libldap can't tell us when it wants to write, so the socket blocks; but not for long, should the peer read
 * nothing, or send half a message. libldap takes the EAGAIN of either as "later".
 */
static bool make_blocking(int fd)
{
	struct timeval send = {1, 0}, receive = {0, 200000};
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof send) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof receive) == 0;
}

/* Returns 0 or an errno. */
static int connect_within(struct mxw__ldap_link *link, int fd, const struct sockaddr *addr, socklen_t len,
			  int64_t deadline_ms)
{
	int code = 0;
	socklen_t size = sizeof code;

	if (connect(fd, addr, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	for (;;) {
		int64_t left = deadline_ms - mxw__ldap_now_ms();
		if (mxw__ldap_link_is_cancelled(link))
			return ECANCELED;
		if (left <= 0)
			return ETIMEDOUT;
		if (mxw__ldap_link_wait(link, fd, POLLOUT, left))
			break;
	}
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

/* A connected socket, or -1 and errno. */
static int open_socket(struct mxw__ldap_link *link, const struct sockaddr *addr, socklen_t len, int64_t deadline_ms)
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	int rc = connect_within(link, fd, addr, len, deadline_ms);
	if (rc == 0)
		return fd;
	close(fd);
	errno = rc;
	return -1;
}

static int open_unix(struct mxw__ldap_link *link, const LDAPURLDesc *url, int64_t deadline_ms)
{
	const char *path = url->lud_host && *url->lud_host ? url->lud_host : LDAPI_DEFAULT;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof sun.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	return open_socket(link, (const struct sockaddr *)&sun, sizeof sun, deadline_ms);
}

static int open_tcp(struct mxw__ldap_link *link, const LDAPURLDesc *url, int64_t deadline_ms,
		    struct mxw__ldap_failure *ret_failure)
{
	const char *host = url->lud_host && *url->lud_host ? url->lud_host : "localhost";
	struct addrinfo *found = mxw__ldap_resolve(link, host, url->lud_port, deadline_ms, ret_failure);
	unsigned naddresses = 0;
	int fd = -1;

	if (!found)
		return -1;
	for (const struct addrinfo *ai = found; ai; ai = ai->ai_next)
		naddresses++;
	for (const struct addrinfo *ai = found; ai && fd < 0; ai = ai->ai_next, naddresses--) {
		/* One address that answers nothing leaves time for the others. */
		int64_t now = mxw__ldap_now_ms();
		fd = open_socket(link, ai->ai_addr, ai->ai_addrlen, now + (deadline_ms - now) / naddresses);
	}
	if (fd < 0)
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_CONNECT_ERROR, strerror(errno), NULL);
	freeaddrinfo(found);
	return fd;
}

/* ---- what is spoken over it ---- */

static void fail_code(struct mxw__ldap_link *link, struct mxw__ldap_failure *ret_failure, mxw_outcome_t outcome,
		      int code)
{
	char *diagnostic = NULL;

	ldap_get_option(link->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
	mxw__ldap_fail(ret_failure, outcome, code, ldap_err2string(code), diagnostic);
	ldap_memfree(diagnostic);
}

int mxw__ldap_link_result(struct mxw__ldap_link *link, int msgid, int64_t deadline_ms,
			  struct mxw__ldap_failure *ret_failure)
{
	int64_t left = deadline_ms - mxw__ldap_now_ms();
	struct timeval tv = {(time_t)(left > 0 ? left / 1000 : 0), (suseconds_t)(left > 0 ? left % 1000 * 1000 : 0)};
	LDAPMessage *res = NULL;
	int code;
	int rc = ldap_result(link->ld, msgid, LDAP_MSG_ALL, &tv, &res);

	if (rc == 0) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_TIMEOUT, "no answer in time", NULL);
		return -1;
	}
	if (rc < 0) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_SERVER_DOWN, "the connection was lost", NULL);
		return -1;
	}
	char *diagnostic = NULL;
	rc = ldap_parse_result(link->ld, res, &code, NULL, &diagnostic, NULL, NULL, 1);
	if (rc != LDAP_SUCCESS)
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, rc, ldap_err2string(rc), NULL);
	else if (code != LDAP_SUCCESS)
		mxw__ldap_fail(ret_failure, mxw__ldap_judge_bind(code), code, ldap_err2string(code), diagnostic);
	ldap_memfree(diagnostic);
	return rc == LDAP_SUCCESS ? code : -1;
}

static bool set_options(LDAP *ld, const struct mxw__directory_conf *conf)
{
	int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;
	struct timeval net = {(time_t)(conf->connect_timeout_ms / 1000),
			      (suseconds_t)(conf->connect_timeout_ms % 1000) * 1000};
	struct timeval op = {(time_t)(conf->timeout_ms / 1000), (suseconds_t)(conf->timeout_ms % 1000) * 1000};

	return ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_DEREF, &deref) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &net) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_TIMEOUT, &op) == LDAP_OPT_SUCCESS;
}

static bool start_tls(struct mxw__ldap_link *link, const struct mxw__directory_conf *conf, const LDAPURLDesc *url,
		      int64_t deadline_ms, struct mxw__ldap_failure *ret_failure)
{
	bool is_ldaps = strcmp(url->lud_scheme, "ldaps") == 0;

	if (!is_ldaps && !conf->starttls)
		return true;
	if (!mxw__ldap_tls_prepare(link, conf, ret_failure))
		return false;
	if (!is_ldaps) {
		int msgid;
		int rc = ldap_extended_operation(link->ld, LDAP_EXOP_START_TLS, NULL, NULL, NULL, &msgid);
		if (rc != LDAP_SUCCESS) {
			fail_code(link, ret_failure, MXW_TEMPORARY, rc);
			return false;
		}
		if (mxw__ldap_link_result(link, msgid, deadline_ms, ret_failure) != LDAP_SUCCESS)
			return false;
	}
	int rc = ldap_install_tls(link->ld);
	if (rc != LDAP_SUCCESS) {
		fail_code(link, ret_failure, MXW_TEMPORARY, rc);
		/* libldap's own words for all of it are "Connect error (unknown error code)". */
		snprintf(ret_failure->text, sizeof ret_failure->text,
			 "TLS failed: is the certificate valid, for this host name, from a CA we trust?");
		return false;
	}
	/* The handshake, which has a time-out, leaves the socket as it wanted it. */
	return make_blocking(link->fd);
}

/* Simple, or SASL EXTERNAL. Without a bind-dn an anonymous bind: it also shows that the server answers. */
static bool bind_as_configured(struct mxw__ldap_link *link, const struct mxw__directory_conf *conf, int64_t deadline_ms,
			struct mxw__ldap_failure *ret_failure)
{
	/* RFC 4422 appendix A: EXTERNAL with no identity of our own wish. */
	const char *mechanism = conf->bind_external ? "EXTERNAL" : LDAP_SASL_SIMPLE;
	const char *secret = !conf->bind_external && conf->bind_password ? conf->bind_password : "";
	struct berval credentials;
	int msgid;

	ber_str2bv(secret, 0, 0, &credentials);
	int rc = ldap_sasl_bind(link->ld, conf->bind_dn ? conf->bind_dn : "", mechanism, &credentials, NULL, NULL, &msgid);
	if (rc != LDAP_SUCCESS) {
		fail_code(link, ret_failure, MXW_TEMPORARY, rc);
		return false;
	}
	return mxw__ldap_link_result(link, msgid, deadline_ms, ret_failure) == LDAP_SUCCESS;
}

/* Left alone libldap reads each message in two parts. TLS brings a buffer of its own. */
static void read_ahead(struct mxw__ldap_link *link, const struct mxw__directory_conf *conf, const LDAPURLDesc *url)
{
	Sockbuf *sb = NULL;

	if (!conf->starttls && strcmp(url->lud_scheme, "ldaps") != 0 &&
	    ldap_get_option(link->ld, LDAP_OPT_SOCKBUF, &sb) == LDAP_OPT_SUCCESS && sb)
		ber_sockbuf_add_io(sb, &ber_sockbuf_io_readahead, LBER_SBIOD_LEVEL_PROVIDER, NULL);
}

bool mxw__ldap_link_open(struct mxw__ldap_link *link, const struct mxw__directory_conf *conf, const char *uri,
			 const LDAPURLDesc *url, struct mxw__ldap_failure *ret_failure)
{
	int64_t deadline_ms = mxw__ldap_now_ms() + (int64_t)conf->connect_timeout_ms;
	bool is_unix = strcmp(url->lud_scheme, "ldapi") == 0;
	int fd = is_unix ? open_unix(link, url, deadline_ms) : open_tcp(link, url, deadline_ms, ret_failure);

	if (fd < 0) {
		if (is_unix)
			mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_CONNECT_ERROR, strerror(errno), NULL);
		return false;
	}
	if (!is_unix)
		set_tcp_options(fd, conf);
	if (!make_blocking(fd) || !adopt(link, fd)) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_LOCAL_ERROR, "the socket can't be used", NULL);
		close(fd);
		return false;
	}
	int rc = ldap_init_fd(fd, is_unix ? LDAP_PROTO_IPC : LDAP_PROTO_TCP, uri, &link->ld);
	if (rc != LDAP_SUCCESS) {
		link->ld = NULL;
		close(fd);
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, rc, ldap_err2string(rc), NULL);
	} else if (!set_options(link->ld, conf)) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_LOCAL_ERROR, "libldap refuses an option", NULL);
	} else if (start_tls(link, conf, url, deadline_ms, ret_failure) &&
		   bind_as_configured(link, conf, deadline_ms, ret_failure)) {
		read_ahead(link, conf, url);
		return true;
	}
	mxw__ldap_link_close(link, true);
	return false;
}
