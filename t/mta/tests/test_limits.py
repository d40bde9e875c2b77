# SPDX-License-Identifier: BSD-2-Clause
"""A client over a limit of connections or sessions is put off from its connect on: it loses nothing, and nobody else is put off."""

import time

from lib import message
from lib.mta import DOMAIN
from lib.postfix import Postfix
from lib.process import wait_until
from lib.sendmail import Sendmail
from lib.site import MtaCase, both_mtas, next_client, shared, standard_conf

CONNECTIONS = 3


class Limits(MtaCase):
    """The base of those below; has no tests of its own."""

    def assertIsPutOff(self, client):
        """
        Neither MTA says it in the greeting: they greet, and put off each MAIL. Postfix hands on our reply as it is; sendmail has one of its own,
        without our text and the session's id.
        """
        self.assertReply(client.greeting, 220)
        self.assertReply(client.ehlo(), 250)
        for _ in range(2):
            reply = client.mail("sender@good.example")
            if self.mta_kind is Postfix:
                self.assertReply(reply, 450, "4.7.1", "over a limit, try again later")
            else:
                self.assertReply(reply, 451, "4.3.2", "Please try again later")
            # Nothing can be handed over, and nothing is refused for good that could be: no MAIL, no RCPT.
            self.assertReply(client.rcpt("alice@" + DOMAIN), 503)
            self.assertReply(client.command("DATA"), 503)
            self.assertReply(client.rset(), 250)
        self.assertReply(client.quit(), 221)

    def over(self, source=None):
        """A connection that is over a limit; logged when it ends."""
        source = source or self.source
        self.assertIsPutOff(self.connect(source, helo=None))
        return self.mxward.wait_line(client=source, rule="rate-limit-connect")


@both_mtas
class Connections(Limits):
    @classmethod
    def conf(cls):
        return standard_conf(extra="rates { limit often connections per address %d/1h }\n" % CONNECTIONS)

    def test_client_over_its_limit_is_put_off_and_nobody_else(self):
        for _ in range(CONNECTIONS):
            self.good_mail(self.connect())
        line = self.over()
        self.assertEqual(line.get("verdict"), "defer")
        self.good_mail(self.connect(next_client()))
        # And it stays over.
        self.over()

    def test_client_that_connects_and_says_nothing_counts(self):
        for _ in range(CONNECTIONS):
            self.connect(helo=None).quit()
        self.over()


@both_mtas
class Sessions(Limits):
    @classmethod
    def conf(cls):
        return standard_conf(extra="rates { limit open sessions per address 1 for any }\n")

    def test_client_over_its_limit_is_put_off_until_a_session_ends(self):
        first = self.connect()
        self.over()
        # The one that was there first goes on, and others are served.
        self.good_mail(first)
        self.good_mail(self.connect(next_client()))
        first.quit()
        self.served(self.source)

    def served(self, source):
        """There is room again as soon as mxward has seen the end of the other session."""
        def is_served():
            client = self.connect(source)
            reply = client.mail("sender@good.example")
            client.quit()
            return reply.is_positive()
        wait_until(is_served, "its next session is served")

    def test_mail_server_over_its_limit_keeps_the_message_and_delivers_it_later(self):
        target = shared(Sendmail if self.mta_kind is Postfix else Postfix)
        holder = target.client(self.mta.relay_address)
        self.addCleanup(holder.close)
        self.assertOk(holder.ehlo("client.good.example"))
        rcpt = "alice@" + self.mta.relayed_domain
        _, _, last = self.connect().send_mail("sender@good.example", [rcpt], message.build(self.token, rcpt=rcpt))
        self.assertReply(last, 250)
        self.mxward.wait_line(client=self.mta.relay_address, rule="rate-limit-connect")
        wait_until(self.mta.is_idle, "it has given up for now")
        self.assertFalse(self.mta.queue_is_empty())
        self.assertEqual(target.delivered(self.token), [])
        holder.quit()

        def is_delivered():
            """There is room as soon as mxward has seen the end of the session."""
            self.mta.run_queue()
            time.sleep(0.3)
            return target.delivered(self.token, "alice")
        wait_until(is_delivered, "the message has been delivered")
        wait_until(self.mta.queue_is_empty, "the queue is empty")
        self.assertEqual(len(target.delivered(self.token)), 1)
