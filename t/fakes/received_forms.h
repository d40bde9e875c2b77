/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * received_forms.h: how mail servers write down a client at 192.0.2.1, with its HELO name as it came: %s. For tests that put
 * into it what a stranger would.
 */
#ifndef MXW_T_FAKES_RECEIVED_FORMS_H
#define MXW_T_FAKES_RECEIVED_FORMS_H

#include <stdio.h>
#include <string.h>

#define RECEIVED_DATE "; Mon, 2 Feb 2026 10:11:12 +0100"

static const struct received_form {
	const char *server, *text;
} received_forms[] = {
	{"Postfix", " from %s (mail.client.example [192.0.2.1])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
		"\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)\n\t(No client certificate requested)\n"
		"\tby relay.example.net (Postfix) with ESMTPS id 4XyZ1234\n\tfor <anna@example.net>; Mon,  2 Feb 2026 10:11:12 +0100 (CET)"},
	{"Postfix, no name", " from %s (unknown [192.0.2.1])\n\tby relay.example.net (Postfix) with SMTP id 4XyZ1234"
		RECEIVED_DATE " (CET)"},
	{"sendmail", " from %s (mail.client.example [192.0.2.1])\n\tby relay.example.net (8.17.1/8.17.1) with ESMTPS id 612ABCD1012345\n"
		"\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NO)\n\tfor <anna@example.net>" RECEIVED_DATE},
	{"sendmail, no name", " from %s ([192.0.2.1])\n\tby relay.example.net (8.17.1/8.17.1) with ESMTP id 612ABCD1012345" RECEIVED_DATE},
	{"sendmail, name not confirmed", " from %s (mail.client.example [192.0.2.1] (may be forged))\n"
		"\tby relay.example.net (8.17.1/8.17.1) with ESMTP id 612ABCD1012345\n\tfor <anna@example.net>" RECEIVED_DATE},
	{"Exim", " from mail.client.example ([192.0.2.1] helo=%s)\n\tby relay.example.net with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384\n"
		"\t(Exim 4.96)\n\t(envelope-from <bob@client.example>)\n\tid 1qABCD-000123-4E\n\tfor anna@example.net" RECEIVED_DATE},
	{"Exim, no name", " from [192.0.2.1] (helo=%s)\n\tby relay.example.net with esmtp (Exim 4.96)\n"
		"\t(envelope-from <bob@client.example>) id 1qABCD-000123-4E" RECEIVED_DATE},
	{"Exim, with ports", " from [192.0.2.1] (port=41234 helo=%s)\n\tby relay.example.net with esmtp (Exim 4.96)\n"
		"\tid 1qABCD-000123-4E" RECEIVED_DATE},
	{"Exchange", " from %s (192.0.2.1) by\n EX1.example.net (10.0.0.5) with Microsoft SMTP Server\n"
		" (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id\n 15.1.2507.9 via Frontend Transport" RECEIVED_DATE},
	{"qmail", " from unknown (HELO %s) (192.0.2.1)\n  by relay.example.net with SMTP" RECEIVED_DATE},
	{"qmail, with ident", " from mail.client.example (HELO %s) (bob@192.0.2.1)\n  by relay.example.net with ESMTPS" RECEIVED_DATE},
	{"Cisco ESA", " from mail.client.example (HELO %s) ([192.0.2.1])\n  by esa1.example.net with ESMTP/TLS/ECDHE-RSA-AES256-GCM-SHA384; "
		"02 Feb 2026 10:11:12 +0100"},
	{"MailMarshal", " from %s (Not Verified[192.0.2.1]) by seg.example.net with Trustwave SEG (v8,2,6,11305)\n"
		"\tid <B647908770001>" RECEIVED_DATE},
	{"CommuniGate Pro", " from [192.0.2.1] (HELO %s)\n  by cgp.example.net (CommuniGate Pro SMTP 6.3.19)\n"
		"  with ESMTPS id 11859414 for anna@example.net" RECEIVED_DATE},
	{"Courier", " from %s (mail.client.example [::ffff:192.0.2.1])\n  (TLS: TLSv1.3,256bits,TLS_AES_256_GCM_SHA384)\n"
		"  by relay.example.net with ESMTPS\n  id 000000000002A.0000000065BCD.00001234" RECEIVED_DATE},
	{"ZMailer", " from mail.client.example ([192.0.2.1]:19206 \"EHLO\n        %s\" rhost-flags-OK-OK-OK-OK) by relay.example.net\n"
		"        with ESMTP id S1727067AbgBDLTN (ORCPT\n        <rfc822;anna@example.net>)" RECEIVED_DATE},
	{"Mimecast", " from %s\n (mail.client.example [192.0.2.1]) (Using TLS) by relay.mail.example with ESMTP id\n"
		" de-mta-23-abc-1" RECEIVED_DATE},
	{"OpenSMTPD", " from %s (<unknown> [192.0.2.1])\n\tby relay.example.net (OpenSMTPD) with ESMTPS id 91512a4d "
		"(TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO)\n\tfor <anna@example.net>" RECEIVED_DATE " (UTC)"},
	{"Zimbra", " from mail.client.example (LHLO %s) (192.0.2.1) by store.example.net with LMTP" RECEIVED_DATE " (CET)"},
	{"Google", " from %s (mail.client.example. [192.0.2.1])\n        by mx.relay.example with ESMTPS id d9443c01a7336-abc\n"
		"        for <anna@example.net>\n        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256)" RECEIVED_DATE " (PST)"},
};

/* The field with that HELO name. */
static inline void received_form_fill(char *out, size_t size, const struct received_form *form, const char *helo)
{
	const char *at = strstr(form->text, "%s");

	snprintf(out, size, "%.*s%s%s", (int)(at - form->text), form->text, helo, at + 2);
}

#endif
