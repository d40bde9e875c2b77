# SPDX-License-Identifier: BSD-2-Clause
"""From fields and bodies that are not as they should be: what a real MTA makes of them before and after it asks."""

from lib import message
from lib.mta import DOMAIN
from lib.postfix import Postfix
from lib.site import MtaCase, both_mtas

GOOD, OTHER = b"sender@good.example", b"boss@forged.example"


@both_mtas
class Authors(MtaCase):
    def send(self, head, body=b"Good morning.\r\n", sender="sender@good.example"):
        """From a client of its own, octets as they are; the reply to the message."""
        self.fresh_client()
        client = self.connect()
        self.token = message.new_token()
        self.assertOk(client.mail(sender))
        self.assertOk(client.rcpt("alice@" + DOMAIN))
        self.assertReply(client.command("DATA"), 354)
        client.send(head + b"Subject: x\r\nX-Token: " + self.token.encode() + b"\r\n\r\n" + body + b".\r\n")
        reply = client.reply()
        client.close()
        return reply

    def assertRefused(self, reply, rule):
        self.assertReply(reply, 550, "5.7.1")
        self.mxward.wait_line(client=self.source, rule=rule)

    def assertDelivered(self, reply, author):
        self.assertReply(reply, 250)
        self.assertEqual(self.mta.wait_delivered(self.token, "alice").values("From"), [author])

    def test_honest_names_pass_as_they_are(self):
        for author in ("sender@good.example", "Sender <sender@good.example>", '"Berg, Anna" <sender@good.example>',
                       '"anna@forged.example via List" <sender@good.example>', "sender@good.example (Anna Berg)",
                       "=?utf-8?q?anna=40forged=2Eexample?= <sender@good.example>",
                       '"%s" <sender@good.example>' % ("x" * 200)):
            with self.subTest(author[:60]):
                self.assertDelivered(self.send(b"From: " + author.encode() + b"\r\n"), author)

    def test_two_readings_are_refused(self):
        for author in (b"<%s> <%s>", b"%s <%s>", b"<%s>%s", b"<%s>\\,<%s>", b"(<%s>) <%s>", b'"a\\" <%s>, \\"b" <%s>',
                       b"<%s\x01.x <%s>", b"%s; %s"):
            for pair in ((GOOD, OTHER), (OTHER, GOOD)):
                with self.subTest(author % pair):
                    self.assertRefused(self.send(b"From: " + author % pair + b"\r\n"), "from-ambiguous")

    def test_several_authors_are_refused(self):
        for head in (b"From: %s, %s\r\n", b"From: %s\r\nFrom: %s\r\n", b"From: %s\r\nfrom : %s\r\n", b"From\t: %s\r\nFROM: %s\r\n"):
            with self.subTest(head):
                self.assertRefused(self.send(head % (GOOD, OTHER)), "from-several")

    def test_without_author_nobody_is_made_one(self):
        """The last of these end the header, or are taken for the line of a mailbox file."""
        for head in (b"", b" From: %s\r\n" % OTHER, b"From\r\n : %s\r\n" % OTHER, b"From : %s\r\n" % OTHER):
            with self.subTest(head):
                self.assertRefused(self.send(head), "from-missing")

    def test_notice_without_author_passes(self):
        self.assertReply(self.send(b"", sender=""), 250)

    def test_author_without_address_is_observed(self):
        self.assertReply(self.send(b"From: MAILER-DAEMON\r\n"), 250)
        line = self.mxward.wait_line(client=self.source)
        self.assertIn("from-invalid:reject", line["observed"])

    def test_nul_hides_no_author(self):
        """Postfix ends the field there, sendmail takes it out; each does the same to what it delivers."""
        reply = self.send(b"From: <%s>\0, <%s>\r\n" % (GOOD, OTHER))
        if self.mta_kind is Postfix:
            self.assertDelivered(reply, "<%s>" % GOOD.decode())
        else:
            self.assertRefused(reply, "from-several")

    def test_bare_line_ends_hide_no_author(self):
        """sendmail refuses them itself; to Postfix a bare LF is a line end, and a bare CR a blank."""
        for end, rule in ((b"\r", "from-ambiguous"), (b"\n", "from-several")):
            with self.subTest(end):
                reply = self.send(b"From: %s%sFrom: %s\r\n" % (GOOD, end, OTHER))
                if self.mta_kind is Postfix:
                    self.assertRefused(reply, rule)
                else:
                    self.assertGreaterEqual(reply.code, 400)

    def test_fold_within_an_address_is_no_second_reading(self):
        self.assertReply(self.send(b"From: <sender@good\r\n .example>\r\n"), 250)

    def test_faults_that_all_read_alike_pass(self):
        for author in (b'"Berg <%s>', b"(Berg <%s>", b"Berg <%s", b"Berg, Anna <%s>", b"J\xfcrgen <%s>", b"\r\n <%s>"):
            with self.subTest(author):
                self.assertReply(self.send(b"From: " + author % GOOD + b"\r\n"), 250)

    def test_rest_of_a_smuggled_message_is_seen(self):
        for dot in (b"..\r\n", b"..\0\r\n"):
            with self.subTest(dot):
                reply = self.send(b"From: %s\r\n" % GOOD, b"x\r\n" + dot + b"MAIL FROM:<%s>\r\nRCPT TO:<bob@%s>\r\nDATA\r\n" %
                                  (OTHER, DOMAIN.encode()))
                self.assertReply(reply, 250)
                self.assertIn("body-smuggled:reject", self.mxward.wait_line(client=self.source)["observed"])
