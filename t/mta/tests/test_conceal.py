# SPDX-License-Identifier: BSD-2-Clause
"""A client that guesses recipients sees the same of those that exist and of others, and nothing it sends is delivered."""

import threading
import time

from lib import message
from lib.mta import DOMAIN
from lib.postfix import OPEN_PORT, Postfix
from lib.process import Stopwatch
from lib.site import MtaCase, both_mtas, next_client, standard_conf
from lib.smtp import Client

HOLD = 0.4
GUESSES = 5
MANY = 20
KNOWN = ["alice", "bob", "carol", "dave"]


class Conceal(MtaCase):
    """The base of those below; has no tests of its own."""

    rule = None

    @classmethod
    def conf(cls):
        return standard_conf(extra="timeouts { concealed-reply %dms }\nrule %s enforce\n" % (HOLD * 1000, cls.rule))

    def harvester(self):
        """A client that has been told of five recipients that they do not exist, in a new message."""
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        for i in range(GUESSES):
            self.assertReply(client.rcpt("guess%d@%s" % (i, DOMAIN)), 550, "5.1.1")
        self.assertOk(client.rset())
        return client

    def probe(self, client, names):
        """The replies to these recipients, without the addresses in them; each comes at its time."""
        replies = []
        for name in names:
            rcpt = "%s@%s" % (name, DOMAIN)
            began = time.monotonic()
            reply = client.rcpt(rcpt)
            self.assertGreater(time.monotonic() - began, HOLD * 0.9, "the reply to %s was %r" % (rcpt, reply))
            replies.append((reply.code, reply.enhanced, reply.text.replace(rcpt, "X")))
        return replies

    def mixed(self):
        return [name for pair in zip(KNOWN, ["unknown%d" % i for i in range(len(KNOWN))]) for name in pair]

    def check_others(self):
        self.good_mail(self.connect(next_client()))
        other = self.connect(next_client())
        self.assertOk(other.mail("sender@good.example"))
        self.assertReply(other.rcpt("nobody@" + DOMAIN), 550, "5.1.1")


@both_mtas
class ConcealDefer(Conceal):
    rule = "harvester-defer"

    def test_known_and_unknown_recipients_are_put_off_alike(self):
        client = self.harvester()
        self.assertOk(client.mail("sender@good.example"))
        replies = self.probe(client, self.mixed())
        self.assertEqual(len(set(replies)), 1, replies)
        self.assertEqual(replies[0][:2], (451, "4.7.1"))
        client.quit()
        line = self.mxward.wait_line(client=self.source, rule=self.rule)
        self.assertEqual((line["verdict"], line["concealed"], line["concealed-found"]),
                         ("conceal", "8", str(len(KNOWN))))

    def test_it_lasts_for_the_next_connection(self):
        self.harvester().quit()
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        self.assertEqual(len(set(self.probe(client, ["bob", "unknown"]))), 1)

    def test_many_that_are_held_hold_nobody_else_up(self):
        held = [self.harvester()] + [self.connect() for _ in range(MANY - 1)]
        threads, codes = [], []

        def guess(client):
            codes.extend(reply[0] for reply in self.probe(client, ["alice", "unknown"] * 3))
        for client in held:
            self.assertOk(client.mail("sender@good.example"))
            threads.append(threading.Thread(target=guess, args=(client,)))
        for thread in threads:
            thread.start()
        watch = Stopwatch()
        self.good_mail(self.connect(next_client()))
        took = watch.stop()
        for thread in threads:
            thread.join()
        self.assertEqual(codes, [451] * 6 * MANY)
        self.assertLess(took, 8.0)

    def test_others_are_served_as_ever(self):
        client = self.harvester()
        self.check_others()
        self.assertOk(client.mail("sender@good.example"))
        self.assertReply(client.rcpt("alice@" + DOMAIN), 451, "4.7.1")


@both_mtas
class ConcealRefuse(Conceal):
    rule = "harvester-refuse"

    def test_known_and_unknown_recipients_are_accepted_and_the_message_is_refused(self):
        client = self.harvester()
        self.assertOk(client.mail("sender@good.example"))
        replies = self.probe(client, self.mixed())
        self.assertEqual(len(set(replies)), 1, replies)
        self.assertEqual(replies[0][0], 250)
        self.assertReply(client.data(message.build(self.token)), 550, "5.7.1", "too many unknown recipients")
        line = self.mxward.wait_line(client=self.source, rule=self.rule)
        self.assertEqual((line["verdict"], line["code"], line["concealed"]), ("reject", "550", "8"))
        # What another sends meanwhile arrives; what this one sent does not.
        self.check_others()
        self.assertEqual(self.mta.delivered(self.token), [])

    def test_the_refusal_is_the_same_whoever_was_named(self):
        client = self.harvester()
        ends = []
        for name in ("alice", "unknown"):
            self.assertOk(client.mail("sender@good.example"))
            self.probe(client, [name])
            ends.append(repr(client.data(message.build(self.token))))
        self.assertEqual(ends[0], ends[1])
        self.check_others()
        self.assertEqual(self.mta.delivered(self.token), [])

    def test_recipients_accepted_before_in_the_message_get_nothing(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        self.assertOk(client.rcpt("alice@" + DOMAIN))
        for i in range(GUESSES):
            self.assertReply(client.rcpt("guess%d@%s" % (i, DOMAIN)), 550, "5.1.1")
        self.assertOk(client.rcpt("bob@" + DOMAIN))
        self.assertReply(client.data(message.build(self.token)), 550, "5.7.1")
        self.check_others()
        self.assertEqual(self.mta.delivered(self.token), [])


class ConcealAtPostfix(Conceal):
    """What Postfix itself refuses before it asks is told from others, unless it leaves that to mxward."""

    rule = "harvester-refuse"
    mta_kind = Postfix

    def replies_to_unlisted(self, client):
        self.assertOk(client.mail("sender@good.example"))
        return [client.rcpt(rcpt).code for rcpt in ("alice@" + DOMAIN, self.mta.refused_recipient(1))]

    def test_unlisted_recipients_are_told_from_others_by_default(self):
        self.assertEqual(self.replies_to_unlisted(self.harvester()), [250, 550])

    def test_and_not_with_smtpd_reject_unlisted_recipient_off(self):
        self.harvester().quit()
        client = Client(self.mta.address, OPEN_PORT, source=self.source)
        self.addCleanup(client.close)
        self.assertOk(client.ehlo())
        self.assertEqual(self.replies_to_unlisted(client), [250, 250])
        self.assertReply(client.data(message.build(self.token)), 550, "5.7.1")
