# SPDX-License-Identifier: BSD-2-Clause
"""The daemon killed, stopped, reloaded: the MTA defers, nothing is lost, nothing is refused for good."""

import os

from lib import message, smtp, world
from lib.mta import DOMAIN
from lib.process import Stopwatch, wait_until
from lib.site import MtaCase, both_mtas, standard_conf, write_file


@both_mtas
class Killed(MtaCase):
    def deferred(self, client, steps):
        """Goes on with a session; what the MTA says first that is no success must be temporary."""
        for step in steps:
            try:
                reply = step(client)
            except smtp.Disconnected:
                return
            if reply.code >= 400:
                self.assertTemporary(reply)
                return
        self.fail("the message was accepted:\n%s" % "\n".join(client.transcript))

    def again(self):
        """The same mail, after the daemon is back; it must arrive, and once only."""
        self.mxward.start()
        self.good_mail(self.connect(), token=self.token)
        self.assertEqual(len(self.mta.delivered(self.token)), 1)

    def test_without_the_daemon_mail_is_deferred(self):
        self.mxward.kill()
        client = self.connect(helo=None)
        self.deferred(client, [lambda c: c.greeting, lambda c: c.ehlo(), lambda c: c.mail("sender@good.example"),
                               lambda c: c.rcpt("alice@" + DOMAIN), lambda c: c.data(message.build(self.token))])
        self.again()

    def test_killed_between_two_messages(self):
        client = self.connect()
        self.good_mail(client)
        self.mxward.kill()
        self.deferred(client, [lambda c: c.mail("sender@good.example"), lambda c: c.rcpt("alice@" + DOMAIN),
                               lambda c: c.data(message.build(self.token))])
        self.again()

    def test_killed_in_the_middle_of_the_envelope(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        self.assertOk(client.rcpt("alice@" + DOMAIN))
        self.mxward.kill()
        self.deferred(client, [lambda c: c.rcpt("bob@" + DOMAIN), lambda c: c.data(message.build(self.token))])
        self.again()

    def test_killed_in_the_middle_of_the_message(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        self.assertOk(client.rcpt("alice@" + DOMAIN))
        self.assertReply(client.command("DATA"), 354)
        text = message.build(self.token, body=b"line of the body\r\n" * 20000)
        client.send(text[:200000])
        self.mxward.kill()
        self.deferred(client, [lambda c: c.content(text[200000:])])
        self.again()

    def test_restarted_in_the_middle_of_a_session(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        self.mxward.kill()
        self.mxward.start()
        self.deferred(client, [lambda c: c.rcpt("alice@" + DOMAIN), lambda c: c.data(message.build(self.token))])
        self.good_mail(self.connect())


@both_mtas
class Stopped(MtaCase):
    @classmethod
    def conf(cls):
        return "drain-timeout 60s\n" + standard_conf()

    def test_message_in_progress_is_finished(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        self.assertOk(client.rcpt("alice@" + DOMAIN))
        self.assertReply(client.command("DATA"), 354)
        text = message.build(self.token)
        client.send(text[:100])
        self.mxward.terminate()
        wait_until(lambda: not self.mxward.is_listening(), "mxward takes no new sessions")
        client.send(text[100:])
        self.assertReply(client.content(b""), 250)
        self.mta.wait_delivered(self.token, "alice")
        client.quit()
        self.assertEqual(self.mxward.process.wait(), 0)
        self.mxward.start()

    def test_new_mail_is_deferred_meanwhile(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        self.mxward.terminate()
        wait_until(lambda: not self.mxward.is_listening(), "mxward takes no new sessions")
        other = self.connect(helo=None)
        codes = [other.greeting.code, other.ehlo().code, other.mail("sender@good.example").code]
        self.assertTrue(any(400 <= code < 500 for code in codes) and not any(code >= 500 for code in codes), codes)
        self.assertOk(client.rcpt("alice@" + DOMAIN))
        self.assertReply(client.data(message.build(self.token)), 250)
        client.quit()
        self.assertEqual(self.mxward.process.wait(), 0)
        self.mxward.start()
        self.good_mail(self.connect())

    def test_without_sessions_it_ends_at_once(self):
        watch = Stopwatch()
        self.assertEqual(self.mxward.stop(), 0)
        self.assertLess(watch.stop(), 8)
        self.assertFalse(os.path.exists(os.path.join(world.tmp, "mxward.sock")))
        self.mxward.start()
        self.good_mail(self.connect())


@both_mtas
class StoppedWithIdleSessions(MtaCase):
    @classmethod
    def conf(cls):
        return "drain-timeout 2s\n" + standard_conf()

    def test_idle_sessions_hold_it_no_longer_than_the_drain_timeout(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        watch = Stopwatch()
        self.mxward.terminate()
        self.assertEqual(self.mxward.process.wait(), 0)
        self.assertLess(watch.stop(), 9)
        self.assertTemporary(client.rcpt("alice@" + DOMAIN))
        self.mxward.start()
        self.good_mail(self.connect())

    def test_second_signal_ends_it_sooner(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        watch = Stopwatch()
        self.mxward.terminate()
        wait_until(lambda: not self.mxward.is_listening(), "mxward takes no new sessions")
        self.mxward.reload()
        self.mxward.terminate()
        self.mxward.process.wait()
        self.assertLess(watch.stop(), 9)
        self.mxward.start()


@both_mtas
class Reloaded(MtaCase):
    def tearDown(self):
        self.mxward.configure(standard_conf())
        self.mxward.reload()

    def test_reload_ends_no_session(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        for _ in range(5):
            self.mxward.reload()
        self.assertOk(client.rcpt("alice@" + DOMAIN))
        self.assertReply(client.data(message.build(self.token)), 250)
        self.mta.wait_delivered(self.token)
        self.good_mail(client)

    def rcpt_code(self, name):
        self.fresh_client()
        with self.connect() as client:
            self.assertOk(client.mail("sender@good.example"))
            return client.rcpt("%s@%s" % (name, DOMAIN)).code

    def test_new_configuration_is_in_force_for_new_sessions(self):
        self.assertEqual(self.rcpt_code("alice"), 250)
        self.mxward.configure(standard_conf(extra="""
rule nobody-today {
    when    rcpt.address = "alice@%s"
    reject  "554 5.7.1 closed today"
}
""" % DOMAIN))
        self.mxward.reload()
        wait_until(lambda: self.rcpt_code("alice") == 554, "the new rule is in force")
        self.assertEqual(self.rcpt_code("bob"), 250)

    def test_bad_file_leaves_the_old_configuration(self):
        self.mxward.configure(standard_conf(extra="no-such-option 1\n"))
        self.mxward.reload()
        wait_until(lambda: "no-such-option" in self.mxward.log.since_mark(), "mxward complains")
        self.assertEqual(self.rcpt_code("alice"), 250)
        self.assertEqual(self.rcpt_code("nobody"), 550)

    def test_recipients_file_is_read_again_when_it_changes(self):
        self.assertEqual(self.rcpt_code("newcomer"), 550)
        write_file("people", "alice@%s\nnewcomer@%s\n" % (DOMAIN, DOMAIN))
        wait_until(lambda: self.rcpt_code("newcomer") == 250, "the new recipient is known")
        self.assertEqual(self.rcpt_code("bob"), 550)
