/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "src/base/base.h"
#include "src/track/event.h"

static const char *const names[MXW__EVENT_COUNT] = {
	[MXW__EVENT_UNKNOWN_RCPT] = "unknown-recipient",
	[MXW__EVENT_REJECTED_RCPT] = "rejected-recipient",
	[MXW__EVENT_TRAP_RCPT] = "trap-recipient",
	[MXW__EVENT_RELAY_ATTEMPT] = "relay-attempt",
	[MXW__EVENT_UNKNOWN_COMMAND] = "unknown-command",
	[MXW__EVENT_ABORT] = "abort",
	[MXW__EVENT_NO_MESSAGE] = "no-message",
	[MXW__EVENT_HELO_FORGED] = "helo-forged",
	[MXW__EVENT_OWN_DOMAIN_FORGED] = "own-domain-forged",
	[MXW__EVENT_SPF_FAIL] = "spf-fail",
	[MXW__EVENT_DMARC_FAIL] = "dmarc-fail",
	[MXW__EVENT_FROM_BAD] = "from-bad",
	[MXW__EVENT_LISTED] = "listed",
	[MXW__EVENT_OVER_LIMIT] = "over-limit",
	[MXW__EVENT_BACKUP_FIRST] = "backup-first",
	[MXW__EVENT_BOUNCE_FORGED] = "bounce-forged",
	[MXW__EVENT_AUTH_FAILURE] = "auth-failure",
	[MXW__EVENT_SPAM] = "spam",
	[MXW__EVENT_REPORTED] = "reported",
	[MXW__EVENT_ACCEPTED_RCPT] = "accepted-recipient",
	[MXW__EVENT_ALIGNED_MESSAGE] = "aligned-message",
};

const char *mxw__event_name(mxw__event_t event)
{
	return (size_t)event < MXW__EVENT_COUNT ? names[event] : "unknown";
}

bool mxw__event_find(const char *name, mxw__event_t *ret_event)
{
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret_event = (mxw__event_t)i;
			return true;
		}
	}
	return false;
}

bool mxw__event_is_good(mxw__event_t event)
{
	return event == MXW__EVENT_ACCEPTED_RCPT || event == MXW__EVENT_ALIGNED_MESSAGE;
}

bool mxw__event_is_reportable(mxw__event_t event)
{
	return event == MXW__EVENT_AUTH_FAILURE || event == MXW__EVENT_SPAM || event == MXW__EVENT_REPORTED;
}
