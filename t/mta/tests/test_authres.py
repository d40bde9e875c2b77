# SPDX-License-Identifier: BSD-2-Clause
"""Authentication-Results on real mail servers: ours on top, forged ones gone, all else as it was, byte for byte."""

from lib import message, site
from lib.mta import AUTHSERV_ID, DOMAIN
from lib.site import MtaCase, both_mtas

# A message's own trace and results, in an odd order. 'F' is forged, 'O' is another's.
FIELDS = [
    ("O", "Authentication-Results: one.example;\r\n\tspf=pass (a \"comment\")\r\n smtp.mailfrom=x@one.example"),
    ("F", "Authentication-Results: %s; dkim=pass header.d=bank.example" % AUTHSERV_ID),
    ("", "Received: from a.example by one.example; Fri, 22 Nov 2024 10:00:00 +0000"),
    ("F", "AUTHENTICATION-results: (c) \"%s\" 1 ;\r\n dmarc=pass header.from=bank.example" % AUTHSERV_ID.upper()),
    ("", "X-One: 1"),
    ("O", "authentication-results:two.example; none"),
    ("F", "Authentication-Results: sub.%s.; spf=pass smtp.mailfrom=bank.example" % AUTHSERV_ID),
    ("", "ARC-Authentication-Results: i=1; %s; dmarc=pass" % AUTHSERV_ID),
    ("F", "Authentication-Results: =?utf-8?q?%s?=; spf=pass smtp.mailfrom=bank.example" % AUTHSERV_ID),
    ("", "X-Two: 2\r\n\tfolded  twice"),
    ("O", "Authentication-Results:  three.example; dkim=fail  "),
]
FROM_THE_MTA = ("return-path", "x-original-to", "delivered-to")


class Fields(MtaCase):
    results = "keep"

    @classmethod
    def conf(cls):
        return site.standard_conf(extra="foreign-results %s\n" % cls.results)

    def renamed(self, kind, line):
        """What becomes of a field; None if it goes."""
        return None if kind == "F" else line

    def send(self, text):
        client = self.connect()
        _, _, last = client.send_mail("sender@good.example", ["alice@" + DOMAIN], text)
        self.assertReply(last, 250)
        client.close()
        return self.mta.wait_delivered(self.token)

    def top(self, delivered):
        """The names of the fields that were put on top of the message."""
        names = [name for name, _ in delivered.headers if name not in FROM_THE_MTA]
        return names[:names.index("received") + 1]

    def check(self, text, expected):
        delivered = self.send(text)
        self.assertEqual(self.top(delivered), ["authentication-results", "received"])
        self.assertEqual(len(delivered.results(AUTHSERV_ID)), 1, delivered.values("Authentication-Results"))
        self.assertNotIn(b"bank.example", delivered.raw)
        # From the first field of the message on it is what it was.
        self.assertIn(b"\n" + expected.replace(b"\r\n", b"\n").rstrip(b"\n"), delivered.raw)
        return delivered

    def build(self, wanted, **kwargs):
        kept = [self.renamed(kind, line) if wanted else line for kind, line in FIELDS]
        return message.build(self.token, extra=[line for line in kept if line is not None], **kwargs)


class Kept:
    def test_forged_fields_go_and_the_rest_stays_as_it_was(self):
        self.check(self.build(False), self.build(True))

    def test_the_signature_of_the_message_still_verifies_afterwards(self):
        signed = message.sign(self.build(True))
        delivered = self.check(signed, signed)
        self.assertIn("dkim=pass", delivered.results(AUTHSERV_ID)[0])
        # The same once more, with our field on it, which is now a forged one.
        token, self.token = self.token, message.new_token()
        again = delivered.raw.replace(b"\n", b"\r\n") + b"\r\n"
        again = b"X-Token: " + self.token.encode() + b"\r\n" + again
        second = self.send(again)
        self.assertEqual(len(second.results(AUTHSERV_ID)), 1)
        self.assertIn("dkim=pass", second.results(AUTHSERV_ID)[0], token)

    def test_every_method_is_in_one_field(self):
        results = self.send(message.sign(self.build(False))).results(AUTHSERV_ID)[0]
        for text in ("iprev=permerror policy.iprev=" + self.source, "spf=pass smtp.mailfrom=sender@good.example",
                     "dkim=pass header.d=good.example header.s=rsa header.a=rsa-sha256 header.b=", "dmarc="):
            self.assertIn(text, results)

    def test_a_field_of_60_kilobytes_that_claims_our_name_goes(self):
        long = "Authentication-Results: %s (%s); dkim=pass header.d=bank.example" % (
            AUTHSERV_ID, "\r\n ".join(["x" * 900] * 65))
        delivered = self.send(message.build(self.token, extra=[long]))
        self.assertNotIn(b"bank.example", delivered.raw)
        self.assertEqual(len(delivered.values("Authentication-Results")), 1)


@both_mtas
class ForeignKept(Kept, Fields):
    pass


class InternationalisedOnPostfix(Fields):
    """Of the two, only Postfix speaks SMTPUTF8."""

    from lib.postfix import Postfix as mta_kind

    def test_a_local_part_beyond_ascii_stands_in_an_internationalised_message(self):
        client = self.connect()
        self.assertOk(client.mail("j\u00fcrg@b\u00fccher.example", "SMTPUTF8"))
        self.assertOk(client.rcpt("alice@" + DOMAIN))
        self.assertReply(client.data(message.build(self.token)), 250)
        results = self.mta.wait_delivered(self.token).results(AUTHSERV_ID)[0].encode("latin-1").decode("utf-8")
        self.assertIn("smtp.mailfrom=j\u00fcrg@xn--bcher-kva.example;", results)


class Renamed(Fields):
    results = "rename"

    @staticmethod
    def new_name(line):
        return "X-Original-Authentication-Results:" + line.partition(":")[2]


class ForeignRenamedPostfix(Renamed):
    from lib.postfix import Postfix as mta_kind

    def renamed(self, kind, line):
        return self.new_name(line) if kind == "O" else super().renamed(kind, line)

    def test_fields_of_others_are_renamed_where_they_stand(self):
        self.check(self.build(False), self.build(True))


class ForeignRenamedSendmail(Renamed):
    """sendmail counts fields of its own configuration that it shows to nobody, so a place can't be said."""

    from lib.sendmail import Sendmail as mta_kind

    def renamed(self, kind, line):
        return line if not kind else None

    def top(self, delivered):
        names = super().top(delivered)
        self.assertEqual(names[1:4], ["x-original-authentication-results"] * 3)
        return names[:1] + names[4:]

    def test_fields_of_others_are_renamed_and_stand_below_ours(self):
        delivered = self.check(self.build(False), self.build(True))
        expected = "".join(self.new_name(line) + "\n" for kind, line in FIELDS if kind == "O")
        self.assertIn(expected.replace("\r\n", "\n").encode() + b"Received:", delivered.raw)


@both_mtas
class ForeignRemoved(Fields):
    results = "remove"

    def renamed(self, kind, line):
        return line if not kind else None

    def test_fields_of_others_are_removed(self):
        self.check(self.build(False), self.build(True))
