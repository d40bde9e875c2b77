/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "src/directory/ldap_pool.h"

struct addrinfo *mxw__ldap_resolve(struct mxw__ldap_link *link, const char *host, int port, int64_t deadline_ms,
				   struct mxw__ldap_failure *ret_failure)
{
	const char *why = "the host name can't be resolved: too many look-ups of it hang";
	struct addrinfo *found;
	mxw__resolving_t *name = mxw__resolving_start(link->jobs, host, (unsigned)port, &found);
	int64_t left;

	if (found)
		return found;
	if (name) {
		while (!mxw__resolving_is_done(name) && !mxw__ldap_link_is_cancelled(link) &&
		       (left = deadline_ms - mxw__ldap_now_ms()) > 0)
			mxw__ldap_link_wait(link, mxw__resolving_fd(name), POLLIN, left);
		found = mxw__resolving_end(name, &why);
	}
	if (!found)
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_CONNECT_ERROR, why, NULL);
	return found;
}
