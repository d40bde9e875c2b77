# SPDX-License-Identifier: BSD-2-Clause
"""What SPF has to say, in replies and in fields, comes through the mail servers as it was meant."""

from lib import message
from lib.mta import DOMAIN
from lib.site import MtaCase, both_mtas, standard_conf


@both_mtas
class SpfWords(MtaCase):
    @classmethod
    def conf(cls):
        return standard_conf(extra="spf { received-spf yes }\n")

    def deliver(self, sender):
        _, _, last = self.connect().send_mail(sender, ["alice@" + DOMAIN], message.build(self.token))
        self.assertReply(last, 250)
        return self.mta.wait_delivered(self.token, "alice")

    def test_domain_explains_a_refusal_under_its_name(self):
        """Percent signs mean something to milters, braces to our templates."""
        _, _, last = self.connect().send_mail("b=x@explains.example", ["alice@" + DOMAIN], message.build(self.token))
        self.assertReply(last, 550, "5.7.23")
        self.assertIn("explains.example explains: 100% of our mail comes from 198.51.100.11, not " + self.source +
                      " {x} b%3Dx%40explains.example", last.text)

    def test_refusal_without_explanation_ends_as_it_should(self):
        _, _, last = self.connect().send_mail("boss@forged.example", ["alice@" + DOMAIN], message.build(self.token))
        self.assertReply(last, 550, "5.7.23")
        self.assertNotIn("explains", last.text)

    def test_received_spf_field_stands_above_all_others(self):
        delivered = self.deliver("sender@good.example")
        names = [name for name, _ in delivered.headers if name not in ("return-path", "x-original-to", "delivered-to")]
        self.assertEqual(sorted(names[:2]), ["authentication-results", "received-spf"])
        field = " ".join(delivered.values("Received-SPF")[0].split())
        self.assertTrue(field.startswith("pass identity=mailfrom; receiver="), field)
        self.assertIn("client-ip=%s;" % self.source, field)
        self.assertIn('envelope-from="sender@good.example"; mechanism=ip4', field)

    def test_received_spf_field_of_a_null_sender_is_about_the_helo_name(self):
        delivered = self.deliver("")
        field = " ".join(delivered.values("Received-SPF")[0].split())
        self.assertIn("identity=helo; ", field)
        self.assertNotIn("envelope-from", field)
