/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "src/check/check.h"

const struct mxw__check *const mxw__check_list[] = {
	&mxw__check_client,
	&mxw__check_iprev,
	&mxw__check_client_dnsbl,
	&mxw__check_iprev_dnsbl,
	&mxw__check_helo,
	&mxw__check_helo_dnsbl,
	&mxw__check_spf_helo,
	&mxw__check_sender,
	&mxw__check_sender_domain,
	&mxw__check_sender_dnsbl,
	&mxw__check_spf,
	&mxw__check_spf_record,
	&mxw__check_recipient,
	&mxw__check_directory,
	&mxw__check_origin,
	&mxw__check_origin_dnsbl,
	&mxw__check_authres,
	&mxw__check_content,
	&mxw__check_from,
	&mxw__check_dkim,
	&mxw__check_arc,
	&mxw__check_dmarc,
	&mxw__check_own_domain,
	NULL,
};

_Static_assert(MXW_ARRAY_LEN(mxw__check_list) <= MXW__CHECKS_MAX, "sessions remember one bit per check");

bool mxw__is_stranger(const struct mxw__envelope *env)
{
	return env->client_class == MXW__CLIENT_OUTSIDE && !*env->auth_user;
}

bool mxw__rules_name(const struct mxw_conf *conf, const mxw_fact_id_t *facts, size_t nfacts)
{
	for (int stage = 0; stage < MXW_STAGE_COUNT; stage++)
		for (size_t i = 0; i < nfacts; i++)
			if (mxw_policy_needs(conf->policy, (mxw_stage_t)stage, facts[i]))
				return true;
	return false;
}
