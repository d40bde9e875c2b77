# SPDX-License-Identifier: BSD-2-Clause
"""A DNS server that says nothing is no reason to refuse anybody."""

from lib import dnsd, message
from lib.mta import DOMAIN
from lib.process import Stopwatch, wait_until
from lib.site import MtaCase, both_mtas, standard_conf

PORT = 5354


@both_mtas
class SilentDns(MtaCase):
    @classmethod
    def conf(cls):
        cls.dns = dnsd.DnsServer({("forged.example", dnsd.TXT): ["v=spf1 ip4:198.51.100.9 -all"],
                                  ("good.example", dnsd.TXT): ["v=spf1 ip4:198.18.0.0/15 -all"]}, port=PORT)
        cls.addClassCleanup(cls.dns.stop)
        return standard_conf(resolver="forward     127.0.0.1@%d\n    timeout     2s" % PORT)

    def send(self, sender):
        client = self.connect()
        _, _, last = client.send_mail(sender, ["alice@" + DOMAIN], message.build(self.token))
        client.close()
        return last

    def test_forger_is_refused_once_dns_answers_and_never_before(self):
        self.dns.silent = True
        watch = Stopwatch()
        try:
            self.assertTemporary(self.send("boss@forged.example"))
        finally:
            self.dns.silent = False
        self.assertLess(watch.stop(), 25)
        reply = wait_until(lambda: (lambda r: r if not r.is_temporary() else None)(self.send("boss@forged.example")),
                           "DNS is asked again", 60)
        self.assertReply(reply, 550, "5.7.23")

    def test_unknown_recipient_needs_no_dns(self):
        self.dns.silent = True
        try:
            client = self.connect()
            self.assertOk(client.mail("sender@good.example"))
            self.assertReply(client.rcpt("nobody@" + DOMAIN), 550, "5.1.1")
        finally:
            self.dns.silent = False
