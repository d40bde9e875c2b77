# SPDX-License-Identifier: BSD-2-Clause
"""The same over the other kinds of milter sockets."""

from lib.mta import AUTHSERV_ID, DOMAIN
from lib.site import MtaCase, both_mtas


@both_mtas
class Inet(MtaCase):
    milter = "inet"

    def test_good_mail_passes_and_an_unknown_recipient_does_not(self):
        client = self.connect()
        self.assertEqual(len(self.good_mail(client).results(AUTHSERV_ID)), 1)
        self.assertOk(client.mail("sender@good.example"))
        self.assertReply(client.rcpt("nobody@" + DOMAIN), 550, "5.1.1")


@both_mtas
class Inet6(MtaCase):
    milter = "inet6"

    def test_good_mail_passes_and_an_unknown_recipient_does_not(self):
        client = self.connect()
        self.assertEqual(len(self.good_mail(client).results(AUTHSERV_ID)), 1)
        self.assertOk(client.mail("sender@good.example"))
        self.assertReply(client.rcpt("nobody@" + DOMAIN), 550, "5.1.1")
