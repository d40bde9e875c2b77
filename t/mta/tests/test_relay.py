# SPDX-License-Identifier: BSD-2-Clause
"""Mail that a trusted relay hands on is that of the client which the relay wrote down: one MTA relays to the other."""

from lib import message, world
from lib.mta import AUTHSERV_ID
from lib.postfix import Postfix
from lib.process import wait_until
from lib.sendmail import Sendmail
from lib.site import MtaCase, both_mtas, next_client6, shared, standard_conf

CONF = """
networks {
    relays  %s %s
}
# On the way to the relay the same daemon looks at it.
rule spf-forgery observe
""" % (world.POSTFIX_RELAY_ADDRESS, world.SENDMAIL_RELAY_ADDRESS)


@both_mtas
class Relaying(MtaCase):
    """`mta` is the relay."""

    @classmethod
    def conf(cls):
        return standard_conf(extra=CONF)

    def setUp(self):
        super().setUp()
        self.target = shared(Sendmail if self.mta_kind is Postfix else Postfix)

    def relay(self, source=None, sender="sender@good.example", helo="client.good.example", **kwargs):
        """Sends a message through the relay; the target's log line and the message as it was delivered there."""
        client = self.connect(source, helo=helo)
        rcpt = "alice@" + self.mta.relayed_domain
        _, _, last = client.send_mail(sender, [rcpt], message.build(self.token, sender=sender, rcpt=rcpt, **kwargs))
        self.assertReply(last, 250)
        delivered = self.target.wait_delivered(self.token, "alice")
        return self.mxward.wait_line(client=self.mta.relay_address), delivered

    def test_the_client_behind_the_relay_is_the_origin(self):
        line, delivered = self.relay()
        self.assertEqual(line.get("origin"), self.source)
        self.assertEqual(line.get("spf"), "pass")
        self.assertIn("spf=pass", delivered.results(AUTHSERV_ID)[0])

    def test_the_client_may_have_an_ipv6_address(self):
        source = next_client6()
        line, _ = self.relay(source)
        self.assertEqual(line.get("origin"), source)
        self.assertEqual(line.get("spf"), "pass")

    def test_forged_mail_behind_the_relay_is_seen_and_not_bounced(self):
        line, _ = self.relay(sender="boss@forged.example")
        self.assertEqual(line.get("origin"), self.source)
        self.assertEqual(line.get("spf"), "fail")
        self.assertEqual(line.get("verdict"), "continue")

    def test_a_host_inside_behind_the_relay_is_nobody_to_be_judged(self):
        line, _ = self.relay("192.0.2.99", sender="boss@forged.example")
        self.assertNotIn("origin", line)
        self.assertNotIn("spf", line)

    def test_received_fields_that_came_with_the_message_are_not_believed(self):
        lines = ["Received: from x (x [198.51.100.9]) by %s (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100" % name
                 for name in ("mx.ward.example", "sm.ward.example")]
        line, _ = self.relay(extra=lines)
        self.assertEqual(line.get("origin"), self.source)

    def of_the_relay(self):
        return [line for line in self.mxward.lines() if line.get("client") == self.mta.relay_address]

    def test_a_helo_name_made_like_a_field_changes_nothing(self):
        relayed = 0
        for helo in ("[198.51.100.9]", "x[198.51.100.9]", "x ([198.51.100.9])", "x(198.51.100.9)", "x) ([198.51.100.9]"):
            with self.subTest(helo):
                client = self.connect(helo=None)
                self.assertOk(client.greeting)
                if not client.ehlo(helo).is_positive():
                    continue
                self.token = message.new_token()
                rcpt = "alice@" + self.mta.relayed_domain
                _, _, last = client.send_mail("sender@good.example", [rcpt], message.build(self.token, rcpt=rcpt))
                self.assertReply(last, 250)
                self.target.wait_delivered(self.token, "alice")
                relayed += 1
                # The log may be behind the delivery.
                wait_until(lambda: len(self.of_the_relay()) >= relayed, "the log has every message of the relay")
                for line in self.of_the_relay():
                    self.assertIn(line.get("origin"), (self.source, None))
        self.assertEqual(len(self.of_the_relay()), relayed)
        self.assertGreater(relayed, 0)
