# SPDX-License-Identifier: BSD-2-Clause
"""What rules do beside refusing: replies that come later, header fields, messages that are held."""

import time

from lib import message
from lib.mta import DOMAIN
from lib.process import wait_until
from lib.site import MtaCase, both_mtas, standard_conf

CONF = """
rule slow {
    at      rcpt
    when    helo = slow.good.example
    tarpit  1500ms
}
rule tag {
    when  client.class = outside
    tag   "X-Ward-Class: {helo} is {client.class}, and this value is so long that its line is folded before it comes to its end"
}
rule tag-rcpt {
    when  rcpt.address = bob@%s
    tag   "X-Ward-Bob: {rcpt.domain}"
}
rule hold-it {
    when  helo = hold.good.example
    hold  "looked at by hand: {helo}"
}
""" % DOMAIN


@both_mtas
class Measures(MtaCase):
    @classmethod
    def conf(cls):
        return standard_conf(extra=CONF)

    def test_tag_is_added_and_forged_ones_are_gone(self):
        forged = ["X-Ward-Class: internal", "Received: from x by y", "x-ward-class: forged as well", "X-Ward-Bob: me",
                  "X-Ward-Other: stays", "X-WARD-CLASS : with a blank"]
        delivered = self.good_mail(self.connect(), extra=forged)
        self.assertEqual(delivered.values("X-Ward-Class"),
                         ["client.good.example is outside, and this value is so long that its line is folded before it comes to its end"])
        self.assertEqual(delivered.values("X-Ward-Class "), [])
        self.assertEqual(delivered.values("X-Ward-Bob"), [])
        self.assertEqual(delivered.values("X-Ward-Other"), ["stays"])
        for line in delivered.raw.split(b"\n\n")[0].split(b"\n"):
            if b"Ward" in line or b"\t" == line[:1]:
                self.assertLessEqual(len(line), 80)
        line = self.mxward.wait_line(client=self.source, tags="X-Ward-Class")
        self.assertEqual(line.get("verdict"), "continue")

    def test_tag_of_a_recipient_is_for_the_message(self):
        rcpts = ["alice@" + DOMAIN, "bob@" + DOMAIN]
        _, _, last = self.connect().send_mail("sender@good.example", rcpts, message.build(self.token))
        self.assertReply(last, 250)
        self.assertEqual(self.mta.wait_delivered(self.token, "alice").values("X-Ward-Bob"), [DOMAIN])
        self.assertEqual(self.mta.wait_delivered(self.token, "bob").values("X-Ward-Bob"), [DOMAIN])

    def test_fields_of_our_own_hosts_stay(self):
        delivered = self.good_mail(self.connect("192.0.2.98"), extra=["X-Ward-Class: from our other host"])
        self.assertEqual(delivered.values("X-Ward-Class"), ["from our other host"])

    def test_tarpit_delays_one_reply_and_the_mail_goes_on(self):
        client = self.connect(helo="slow.good.example")
        self.assertOk(client.mail("sender@good.example"))
        began = time.monotonic()
        self.assertReply(client.rcpt("alice@" + DOMAIN), 250)
        self.assertGreater(time.monotonic() - began, 1.4)
        self.assertReply(client.data(message.build(self.token)), 250)
        self.mta.wait_delivered(self.token, "alice")
        line = self.mxward.wait_line(client=self.source, tarpit_rule="slow")
        self.assertGreater(int(line["tarpit-ms"]), 1400)

    def test_message_is_held(self):
        client = self.connect(helo="hold.good.example")
        _, _, last = client.send_mail("sender@good.example", ["alice@" + DOMAIN], message.build(self.token))
        self.assertReply(last, 250)
        wait_until(lambda: any(b"looked at by hand" in text or self.token.encode() in text for text in self.mta.held()),
                   "it is in the quarantine")
        self.mxward.wait_line(client=self.source, verdict="hold", rule="hold-it")
        self.assertEqual(self.mta.delivered(self.token), [])
