# SPDX-License-Identifier: BSD-2-Clause
"""DMARC, and mail in our own name, with fields as real mail servers hand them over."""

from lib import message
from lib.mta import DOMAIN
from lib.site import MtaCase, both_mtas, standard_conf, txt_line, write_file, zone_text

ZONE = """
strict.example TXT "v=spf1 ip4:192.0.2.200 -all"
_dmarc.strict.example TXT "v=DMARC1; p=reject; sp=none; np=reject"
"""


@both_mtas
class Dmarc(MtaCase):
    @classmethod
    def conf(cls):
        zone = write_file("zone-dmarc", zone_text() + ZONE + txt_line("_dmarc." + DOMAIN, "v=DMARC1; p=reject") +
                          txt_line("rsa._domainkey.strict.example", message.dkim_record("rsa")))
        return standard_conf(resolver='forward     none\n    local-data  "%s"' % zone)

    def send(self, text, sender="sender@good.example"):
        _, _, last = self.connect().send_mail(sender, ["alice@" + DOMAIN], text)
        return last

    def build(self, sender="boss@strict.example", **kwargs):
        return message.build(self.token, sender=sender, **kwargs)

    def assertRefused(self, reply, rule):
        self.assertReply(reply, 550, "5.7.1")
        line = self.mxward.wait_line(client=self.source, rule=rule)
        self.assertEqual(line.get("dmarc"), "fail")

    def test_forged_author_is_refused(self):
        reply = self.send(self.build())
        self.assertRefused(reply, "dmarc-reject")
        self.assertIn("DMARC policy of strict.example", reply.text)

    def test_author_of_a_subdomain_that_does_not_exist_is_refused(self):
        self.assertRefused(self.send(self.build("boss@none.strict.example")), "dmarc-reject")

    def test_folded_from_is_read(self):
        text = self.build().replace(b"From: Sender <", b"From: The\r\n Boss\r\n\t<")
        self.assertRefused(self.send(text), "dmarc-reject")

    def test_signed_mail_passes_whoever_brings_it(self):
        self.assertReply(self.send(message.sign(self.build(), "strict.example")), 250)
        self.mta.wait_delivered(self.token, "alice")
        self.assertEqual(self.mxward.wait_line(client=self.source).get("dmarc"), "pass")

    def test_altered_list_mail_is_delivered_and_seen(self):
        text = message.sign(self.build(), "strict.example").replace(b"Good morning", b"[talk] Good morning")
        listed = b"List-Id: All that there is to say\r\n\t<talk.list.example>\r\n" + text
        self.assertReply(self.send(listed), 250)
        self.mta.wait_delivered(self.token, "alice")
        line = self.mxward.wait_line(client=self.source)
        self.assertEqual(line.get("dmarc"), "fail")
        self.assertIn("dmarc-list", line.get("observed"))

    def test_altered_mail_of_no_list_is_refused(self):
        text = message.sign(self.build(), "strict.example").replace(b"Good morning", b"Pay at once")
        self.assertRefused(self.send(text), "dmarc-reject")

    def test_stranger_in_our_own_name_is_refused(self):
        self.assertRefused(self.send(self.build("alice@" + DOMAIN)), "own-domain-forged")

    def test_our_own_hosts_may_use_our_name(self):
        self.source = "192.0.2.98"
        self.assertReply(self.send(self.build("alice@" + DOMAIN), "alice@" + DOMAIN), 250)
