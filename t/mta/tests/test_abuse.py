# SPDX-License-Identifier: BSD-2-Clause
"""What a client does is remembered: it is put off first one by one, then altogether and slowly, and nobody else is."""

import itertools
import os
import re
import time

from lib import message, smtp, world
from lib.mta import DOMAIN
from lib.process import wait_until
from lib.site import MtaCase, both_mtas, next_client, next_client6, standard_conf

MOST_TRIES = 120
TARPIT = 0.3


def quick_tarpits():
    """The built-in rules that make a client wait, as they are but for how long."""
    with open(os.path.join(world.TOP, "src/policy/default-policy.conf"), encoding="ascii") as f:
        rules = re.findall(r"(?ms)^rule client-score-tarpit.*?^}\n", f.read())
    text = "".join(rules)
    assert len(rules) == 2 and text.count("\ttarpit  2s\n") == 2, rules
    return text.replace("tarpit  2s", "tarpit  %dms" % (TARPIT * 1000))


def is_refusal(reply):
    return reply.code == 451 and "too many errors" in reply.text


@both_mtas
class Abuse(MtaCase):
    @classmethod
    def conf(cls):
        # What the score does: who guesses would be left in the dark long before.
        return standard_conf(extra="rule harvester-defer off\nrule harvester-network-defer off\n" + quick_tarpits())

    def cut_off(self, misbehave, source=None):
        """Misbehaves in new sessions until a message is put off for it; gives the number of misdeeds it took."""
        source = source or self.source
        done = 0
        while done < MOST_TRIES:
            try:
                with self.connect(source) as client:
                    if is_refusal(client.mail("sender@good.example")):
                        return done
                client = self.connect(source)
                for _ in range(15):
                    reply = misbehave(client)
                    done += 1
                    if is_refusal(reply):
                        return done
                client.close()
            except smtp.Disconnected:
                pass
        self.fail("%d misdeeds, and no message was put off" % done)

    def assertIsCutOff(self, source):
        """A new session from there is served, slowly, and can't hand over a message."""
        client = self.connect(source, helo=None)
        self.assertReply(client.greeting, 220)
        begin = time.monotonic()
        self.assertOk(client.ehlo())
        self.assertTrue(is_refusal(client.mail("sender@good.example")), "\n".join(client.transcript))
        # Two replies, each late.
        self.assertGreater(time.monotonic() - begin, 2 * 0.95 * TARPIT)
        # The connection stays.
        self.assertOk(client.rset())
        client.quit()
        wait_until(lambda: any(line.get("client") == source and line.get("rule") == "client-score-refuse" and
                               line.get("tarpit-rule") == "client-score-tarpit"
                               for line in self.mxward.lines()), "the log says so")

    def check(self, misbehave):
        self.cut_off(misbehave)
        self.assertIsCutOff(self.source)
        # It is this client's doing, not its neighbour's.
        self.good_mail(self.connect(next_client()))

    def test_harvester_is_cut_off(self):
        numbers = itertools.count()

        def guess(client):
            client.mail("sender@good.example")
            return client.rcpt("guess%d@%s" % (next(numbers), DOMAIN))
        self.check(guess)

    def test_client_is_put_off_before_it_is_cut_off(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        for i in range(6):
            # For good, so that an honest server does not ask for them again.
            self.assertReply(client.rcpt("guess%d@%s" % (i, DOMAIN)), 550)
        self.assertIn(client.rcpt("alice@" + DOMAIN).code, (450, 451))

    def test_flood_of_rsets_is_cut_off(self):
        def begin_and_reset(client):
            reply = client.mail("sender@good.example")
            return reply if is_refusal(reply) else client.rset()
        self.check(begin_and_reset)

    def test_flood_of_unknown_commands_is_cut_off(self):
        self.check(lambda client: client.command("XYZZY now"))

    def test_recipients_that_the_mta_refused_count(self):
        numbers = itertools.count()

        def guess(client):
            client.mail("sender@good.example")
            return client.rcpt(self.mta.refused_recipient(next(numbers)))
        self.check(guess)

    def test_recipients_that_the_mta_refused_are_in_the_log(self):
        client = self.connect()
        client.mail("sender@good.example")
        for i in range(2):
            self.assertGreaterEqual(client.rcpt(self.mta.refused_recipient(i)).code, 500)
        client.quit()
        line = self.mxward.wait_line(client=self.source, mta_refused="2")
        self.assertGreater(int(line["score"]), 0)

    def test_score_is_in_the_log(self):
        client = self.connect()
        client.mail("sender@good.example")
        for i in range(3):
            self.assertEqual(client.rcpt("guess%d@%s" % (i, DOMAIN)).code, 550)
        client.quit()
        line = self.mxward.wait_line(client=self.source, rule="unknown-recipient")
        self.assertGreater(int(line["score"]), 0)

    def test_ipv6_neighbours_share_a_score(self):
        source = next_client6()
        numbers = itertools.count()

        def guess(client):
            client.mail("sender@good.example")
            return client.rcpt("guess%d@%s" % (next(numbers), DOMAIN))
        self.cut_off(guess, source)
        self.assertIsCutOff(source.replace("::1", "::77"))

    def test_good_client_keeps_a_clean_record(self):
        client = self.connect()
        for _ in range(20):
            self.good_mail(client)
        client.quit()
        self.good_mail(self.connect())


@both_mtas
class Observing(MtaCase):
    """mode observe decides and logs, and refuses nothing."""

    mode = "observe"

    def test_what_would_be_refused_is_accepted_and_logged(self):
        client = self.connect()
        _, replies, last = client.send_mail("boss@forged.example", ["alice@" + DOMAIN, "nobody@" + DOMAIN],
                                            message.build(self.token))
        self.assertEqual([r.code for r in replies], [250, 250])
        self.assertReply(last, 250)
        self.mta.wait_delivered(self.token, "alice")
        line = self.mxward.wait_line(client=self.source)
        self.assertIn("spf-forgery", line[""])
        self.assertIn("observe", line[""])

    def test_harvester_is_only_watched(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        for i in range(60):
            self.assertReply(client.rcpt("guess%d@%s" % (i, DOMAIN)), 250)
        self.good_mail(self.connect())

    def test_helo_lie_is_only_watched(self):
        client = self.connect(helo="mx.ward.example")
        self.good_mail(client)
