# SPDX-License-Identifier: BSD-2-Clause
"""Senders of outgoing mail get a tag, and bounces are taken to tagged addresses only (BATV)."""

import os
import re

from lib import message
from lib.mta import DOMAIN, OTHER_DOMAIN
from lib.site import MtaCase, both_mtas, standard_conf, write_file

INSIDE = "192.0.2.97"


class Bounce(MtaCase):
    """The base of those below; has no tests of its own."""

    bounce_mode = None

    @classmethod
    def conf(cls):
        path = write_file("bounce.key", "a key for the tests of bounces\n")
        os.chmod(path, 0o600)
        return standard_conf(extra="""
bounce-proof {
    domains   %s
    key-file  "%s"
    mode      %s
}
tracker { enabled no }
""" % (DOMAIN, path, cls.bounce_mode))

    def send_out(self, sender="alice@" + DOMAIN, rcpt="carol@" + OTHER_DOMAIN):
        """A mail of ours; gives its envelope sender as it was delivered."""
        self.token = message.new_token()
        client = self.connect(INSIDE)
        _, _, last = client.send_mail(sender, [rcpt], message.build(self.token, sender=sender, rcpt=rcpt))
        self.assertReply(last, 250)
        client.quit()
        return self.mta.wait_delivered(self.token).values("Return-Path")[0].strip("<>")

    def bounce(self, rcpt):
        """The reply to DATA, or the end of it, of a bounce to that address."""
        self.token = message.new_token()
        client = self.connect()
        self.assertOk(client.mail(""))
        # Whoever only asks is told nothing.
        self.assertReply(client.rcpt(rcpt), 250)
        last = client.data(message.build(self.token, sender="mailer-daemon@good.example", rcpt=rcpt))
        client.quit()
        return last

    def check_round_trip(self):
        tagged = self.send_out()
        self.assertRegex(tagged, r"^prvs=[0-9]{4}[0-9a-f]{6}=alice@" + re.escape(DOMAIN))
        self.assertReply(self.bounce(tagged), 250)
        delivered = self.mta.wait_delivered(self.token)
        self.assertEqual([v.split(",")[0] for v in delivered.values("Delivered-To")], ["alice@" + DOMAIN])
        self.assertEqual(len(self.mta.delivered(self.token)), 1)
        self.mxward.wait_line(client=self.source, bounce_tag="valid")


@both_mtas
class Enforcing(Bounce):
    bounce_mode = "enforce"

    def test_outgoing_mail_is_tagged_and_a_bounce_to_the_tag_is_delivered_without_it(self):
        self.check_round_trip()

    def test_what_a_sender_wants_to_be_told_is_told_of_the_address_behind_the_tag(self):
        tagged = self.send_out()
        sender, original = "bob@" + DOMAIN, "rfc822;first@old.example"
        client = self.connect(INSIDE)
        token = message.new_token()
        self.assertOk(client.mail(sender, "RET=HDRS ENVID=q1234"))
        self.assertOk(client.rcpt(tagged, "NOTIFY=SUCCESS,FAILURE ORCPT=" + original))
        self.assertReply(client.data(message.build(token, sender=sender)), 250)
        self.assertTrue(self.mta.wait_delivered(token, "alice"))
        report = self.mta.wait_report(token, "bob")
        self.assertRegex(report, r"(?mi)^Original-Recipient: *%s\r?$" % re.escape(original))
        self.assertRegex(report, r"(?mi)^Original-Envelope-Id: *q1234\r?$")
        self.assertRegex(report, r"(?mi)^Action: *(delivered|relayed)")

    def test_mail_to_a_tag_that_is_no_bounce_is_delivered_without_it(self):
        tagged = self.send_out()
        client = self.connect()
        token = message.new_token()
        _, _, last = client.send_mail("sender@good.example", [tagged], message.build(token))
        self.assertReply(last, 250)
        self.assertTrue(self.mta.wait_delivered(token, "alice"))

    def test_mail_among_ourselves_and_from_strangers_is_not_tagged(self):
        self.assertEqual(self.send_out(rcpt="bob@" + DOMAIN), "alice@" + DOMAIN)
        self.good_mail(self.connect())

    def test_bounce_without_a_tag_is_refused_after_data(self):
        self.assertReply(self.bounce("alice@" + DOMAIN), 550, "5.7.1")
        self.mxward.wait_line(client=self.source, rule="bounce-forged", bounce_tag="missing")
        self.assertEqual(self.mta.delivered(self.token), [])

    def test_bounce_with_a_forged_tag_is_refused_after_data(self):
        tagged = self.send_out()
        for forged in (tagged.replace("=alice@", "=bob@"), "prvs=0000000000=alice@" + DOMAIN):
            self.assertReply(self.bounce(forged), 550, "5.7.1")
            self.assertEqual(self.mta.delivered(self.token), [])

    def test_tag_before_nobody_is_nobody(self):
        client = self.connect()
        self.assertOk(client.mail(""))
        self.assertReply(client.rcpt("prvs=0000000000=nobody@" + DOMAIN), 550, "5.1.1")

    def test_postmaster_needs_no_tag(self):
        self.assertReply(self.bounce("postmaster@" + DOMAIN), 250)

    def test_a_bounce_is_for_one_recipient(self):
        client = self.connect()
        self.assertOk(client.mail(""))
        self.assertReply(client.rcpt("alice@" + DOMAIN), 250)
        self.assertReply(client.rcpt("bob@" + DOMAIN), 452, "4.5.3")


@both_mtas
class Learning(Bounce):
    bounce_mode = "learn"

    def test_tags_work(self):
        self.check_round_trip()

    def test_bounce_without_a_tag_is_delivered_and_observed(self):
        self.assertReply(self.bounce("alice@" + DOMAIN), 250)
        self.mta.wait_delivered(self.token, "alice")
        line = self.mxward.wait_line(client=self.source, bounce_tag="missing")
        self.assertIn("bounce-learn:reject", line["observed"])
