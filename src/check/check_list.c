/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "src/check/check.h"

const struct mxw__check *const mxw__check_list[] = {
	&mxw__check_client,
	&mxw__check_helo,
	&mxw__check_spf_helo,
	&mxw__check_sender,
	&mxw__check_spf,
	&mxw__check_recipient,
	&mxw__check_directory,
	&mxw__check_authres,
	&mxw__check_content,
	&mxw__check_from,
	&mxw__check_dkim,
	&mxw__check_arc,
	NULL,
};

_Static_assert(MXW_ARRAY_LEN(mxw__check_list) <= MXW__CHECKS_MAX, "sessions remember one bit per check");

bool mxw__is_stranger(const struct mxw__envelope *env)
{
	return env->client_class == MXW__CLIENT_OUTSIDE && !*env->auth_user;
}
