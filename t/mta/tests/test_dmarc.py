# SPDX-License-Identifier: BSD-2-Clause
"""DMARC, and mail in our own name, with fields as real mail servers hand them over."""

import os
import sqlite3

from lib import message
from lib.mta import DOMAIN
from lib.process import wait_until
from lib.site import MtaCase, both_mtas, standard_conf, txt_line, write_file, zone_text

ZONE = """
strict.example TXT "v=spf1 ip4:192.0.2.200 -all"
_dmarc.strict.example TXT "v=DMARC1; p=reject; sp=none; np=reject"
_dmarc.sender.example TXT "v=DMARC1; p=reject"
"""

# Signed for sender.example, sealed by relay.example and, altered, by list.example, with another implementation.
SEALED = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../replay/arc.eml")


@both_mtas
class Dmarc(MtaCase):
    @classmethod
    def conf(cls):
        zone = write_file("zone-dmarc", zone_text() + ZONE + txt_line("_dmarc." + DOMAIN, "v=DMARC1; p=reject") +
                          "".join(txt_line("rsa._domainkey.%s.example" % name, message.dkim_record("rsa"))
                                  for name in ("strict", "sender", "relay", "list")))
        return standard_conf(resolver='forward     none\n    local-data  "%s"' % zone,
                             extra="dmarc { arc-sealers list.example }\n")

    def kept(self, line):
        """What dmarc.db has of the message with this log line, as soon as it has it."""
        path = os.path.join(self.mxward.state, "dmarc.db")

        def look():
            if not os.path.exists(path):
                return None
            db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
            try:
                return db.execute("SELECT author_domain, policy_domain, result, disposition, override, envelope_from, envelope_to,"
                                  " (SELECT group_concat(domain || '/' || selector || '=' || result || aligned) FROM signature"
                                  "  WHERE evaluation = id) FROM evaluation WHERE session = ?", (line["session"],)).fetchone()
            except sqlite3.OperationalError:
                return None
            finally:
                db.close()
        return wait_until(look, "dmarc.db has session " + line["session"])

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

    def sealed(self):
        with open(SEALED, "rb") as f:
            text = f.read()
        return b"X-Token: " + self.token.encode() + b"\r\n" + text.replace(b"\n", b"\r\n")

    def test_what_a_named_sealer_saw_pass_is_delivered(self):
        self.assertReply(self.send(self.sealed()), 250)
        delivered = self.mta.wait_delivered(self.token, "alice")
        self.assertIn("arc=pass", " ".join(delivered.values("Authentication-Results")[0].split()))
        line = self.mxward.wait_line(client=self.source)
        self.assertEqual(line.get("dmarc"), "fail")
        self.assertEqual(self.kept(line), ("sender.example", "sender.example", "fail", "none", "trusted_forwarder", "good.example",
                                           DOMAIN, "sender.example/rsa=fail1"))

    def test_what_was_altered_behind_the_sealer_is_refused(self):
        # Without the field that makes it a list's, which is signed, too.
        self.assertRefused(self.send(self.sealed().replace(b"List-Id:", b"X-List:")), "dmarc-reject")

    def test_evaluations_are_kept(self):
        self.assertReply(self.send(message.sign(self.build(), "strict.example")), 250)
        self.assertEqual(self.kept(self.mxward.wait_line(client=self.source)),
                         ("strict.example", "strict.example", "pass", "none", "", "good.example", DOMAIN,
                          "strict.example/rsa=pass1"))
        self.assertEqual(os.stat(os.path.join(self.mxward.state, "dmarc.db")).st_mode & 0o7777, 0o600)

    def test_refusals_are_kept(self):
        self.assertRefused(self.send(self.build()), "dmarc-reject")
        self.assertEqual(self.kept(self.mxward.wait_line(client=self.source))[2:5], ("fail", "reject", ""))
