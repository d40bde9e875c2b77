# SPDX-License-Identifier: BSD-2-Clause
"""Mail that is not wanted is refused, at the right step, with the right code, and the log says by which rule."""

from lib import message
from lib.mta import DOMAIN
from lib.site import MtaCase, both_mtas


@both_mtas
class Refusing(MtaCase):
    def test_unknown_recipient_is_refused_and_the_other_is_served(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        self.assertReply(client.rcpt("nobody@" + DOMAIN), 550, "5.1.1")
        self.assertReply(client.rcpt("alice@" + DOMAIN), 250)
        self.assertReply(client.rcpt("no.such.person@" + DOMAIN), 550, "5.1.1")
        self.assertReply(client.data(message.build(self.token)), 250)
        self.mta.wait_delivered(self.token, "alice")
        self.assertEqual(len(self.mta.delivered(self.token)), 1)

    def test_message_without_any_good_recipient_gets_no_data(self):
        client = self.connect()
        _, replies, _ = client.send_mail("sender@good.example", ["nobody@" + DOMAIN], b"")
        self.assertReply(replies[0], 550, "5.1.1")
        self.assertGreaterEqual(client.command("DATA").code, 500)

    def test_refused_recipient_is_logged_with_its_rule(self):
        client = self.connect()
        _, replies, _ = client.send_mail("sender@good.example", ["nobody@" + DOMAIN], b"")
        self.assertReply(replies[0], 550, "5.1.1")
        client.quit()
        self.mxward.wait_line(client=self.source, rule="unknown-recipient")

    def test_forged_sender_is_refused_at_the_end_of_the_message(self):
        client = self.connect()
        _, replies, last = client.send_mail("boss@forged.example", ["alice@" + DOMAIN],
                                            message.build(self.token, sender="boss@forged.example"))
        self.assertReply(replies[0], 250)
        self.assertReply(last, 550, "5.7.23")
        line = self.mxward.wait_line(client=self.source, rule="spf-forgery")
        self.assertIn("spf=fail", line[""])

    def test_forged_sender_with_a_broken_signature_is_refused(self):
        text = message.sign(message.build(self.token, sender="boss@forged.example"), "forged.example")
        _, _, last = self.connect().send_mail("boss@forged.example", ["alice@" + DOMAIN],
                                              text.replace(b"Good morning", b"Pay at once"))
        self.assertReply(last, 550, "5.7.23")

    def test_spf_record_that_overruns_libspf2_is_harmless(self):
        client = self.connect()
        _, _, last = client.send_mail("x@crash.example", ["alice@" + DOMAIN], message.build(self.token))
        self.assertReply(last, 550, "5.7.23")
        self.assertTrue(self.mxward.process.is_running())

    def test_refused_message_between_two_good_ones(self):
        client = self.connect()
        self.good_mail(client, "alice")
        _, _, last = client.send_mail("boss@forged.example", ["alice@" + DOMAIN], message.build(self.token))
        self.assertReply(last, 550, "5.7.23")
        self.good_mail(client, "bob")
        self.assertEqual(self.mta.delivered(self.token), [])

    def test_message_after_a_refused_recipient_is_served(self):
        client = self.connect()
        client.send_mail("sender@good.example", ["nobody@" + DOMAIN], b"")
        self.assertOk(client.rset())
        self.good_mail(client, "bob")

    def test_session_id_of_the_reply_is_in_the_log(self):
        client = self.connect()
        _, _, last = client.send_mail("boss@forged.example", ["alice@" + DOMAIN], message.build(self.token))
        line = self.mxward.wait_line(client=self.source, rule="spf-forgery")
        self.assertIn(line["session"], last.text)

    def test_recipient_cannot_forge_the_log(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        reply = client.rcpt('"x rule=fake verdict=accept client=192.0.2.99"@' + DOMAIN)
        self.assertGreaterEqual(reply.code, 500)
        client.quit()
        self.mxward.wait_line(client=self.source, rule="unknown-recipient")
        for line in self.mxward.lines():
            self.assertNotEqual(line.get("rule"), "fake")
            self.assertNotEqual(line.get("client"), "192.0.2.99")


@both_mtas
class HeloLies(MtaCase):
    def first_refusal(self, name, source):
        """The first reply of 500 or more in a session that says HELO with this name, or None."""
        with self.connect(source, helo=None) as client:
            for reply in (client.ehlo(name), client.mail("sender@good.example"), client.rcpt("alice@" + DOMAIN)):
                if reply.code >= 500:
                    return reply
        return None

    def test_client_that_claims_to_be_us_is_refused(self):
        for name in ("mx.ward.example", "MX.Ward.Example", "ward.example"):
            with self.subTest(name):
                self.fresh_client()
                self.assertReply(self.first_refusal(name, self.source), 550, "5.7.1")
                self.mxward.wait_line(client=self.source, rule="helo-forged")

    def test_client_that_claims_our_address_is_refused(self):
        self.assertReply(self.first_refusal("[%s]" % self.mta.address, self.source), 550, "5.7.1")

    def test_internal_client_may_use_our_names(self):
        self.assertIsNone(self.first_refusal("ward.example", "127.0.0.7"))

    def test_honest_client_is_not_refused(self):
        self.assertIsNone(self.first_refusal("client.good.example", self.source))
