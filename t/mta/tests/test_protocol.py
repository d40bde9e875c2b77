# SPDX-License-Identifier: BSD-2-Clause
"""What no MTA can be made to do: bursts, frames too large, commands in no order, descriptors used up."""

import os
import struct
import threading
import time

from lib import dnsd, message
from lib.milter import Closed, MilterConnection
from lib.mta import AUTHSERV_ID, DOMAIN, OTHER_DOMAIN, milter_socket
from lib.mxward import Mxward
from lib.process import in_own_process, soonest, wait_until
from lib.site import Case, standard_conf
from lib.slowldap import SlowLdap

BURST = 200
BURST_SECONDS = 4.0


def connection(**kwargs):
    return MilterConnection(milter_socket("unix").split(":", 1)[1], **kwargs)


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class ProtocolCase(Case):
    def begin(self, source=None, helo="client.good.example"):
        milter = connection()
        self.addCleanup(milter.close)
        milter.negotiate()
        milter.connect(source or self.source)
        milter.helo(helo)
        return milter

    def whole_message(self, milter, text=None):
        for answer in (milter.mail("sender@good.example"), milter.rcpt("alice@" + DOMAIN)):
            self.assertIn(answer.kind, ("continue", "none"))
        return milter.message(text or message.build(self.token))

    def assertServes(self):
        answer = self.whole_message(self.begin())
        self.assertEqual(answer.kind, "continue")
        self.assertTrue(any(AUTHSERV_ID.encode() in data for _, data in answer.edits), answer.edits)


class Frames(ProtocolCase):
    @classmethod
    def conf(cls):
        return standard_conf(extra="limits {\n    header-field-bytes 1M\n    recipients 500\n}\n")

    def test_header_field_larger_than_a_usual_frame_passes(self):
        milter = self.begin()
        for size in (66000, 102400, 300000, 900000):
            with self.subTest(size=size):
                text = message.build(self.token, extra=["X-Big: " + "x" * size])
                self.assertEqual(self.whole_message(milter, text).kind, "continue")

    def test_many_fields_pass(self):
        text = message.build(self.token, extra=["X-%d: some value of a field" % i for i in range(5000)])
        self.assertEqual(self.whole_message(self.begin(), text).kind, "continue")

    def test_many_recipients_are_answered_one_by_one(self):
        milter = self.begin()
        milter.mail("sender@good.example")
        answers = [milter.rcpt("alice@" + DOMAIN) for _ in range(700)]
        self.assertEqual({a.kind for a in answers[:500]}, {"continue"})
        # Beyond the limit the client is asked to send the rest in another message.
        self.assertEqual({a.code for a in answers[500:]}, {452})

    def test_mta_that_can_do_little_is_served(self):
        with connection() as milter:
            milter.negotiate(actions=0x1, steps=0x7f)
            milter.connect(self.source)
            milter.helo("client.good.example")
            self.assertEqual(self.whole_message(milter).kind, "continue")

    def test_commands_in_no_order_do_no_harm(self):
        text = message.build(self.token)
        orders = [
            ("MAIL first", [lambda m: m.mail("a@good.example"), lambda m: m.rcpt("alice@" + DOMAIN)]),
            ("RCPT first", [lambda m: m.rcpt("alice@" + DOMAIN)]),
            ("message first", [lambda m: m.message(text)]),
            ("end first", [lambda m: m.send(b"E"), lambda m: m.answer()]),
            ("abort first", [lambda m: m.abort(), lambda m: m.abort(), lambda m: m.connect(self.source)]),
            ("two greetings", [lambda m: m.connect(self.source), lambda m: m.connect(self.source),
                               lambda m: m.helo("a.example"), lambda m: m.helo("b.example"),
                               lambda m: m.mail("a@good.example"), lambda m: m.mail("b@good.example")]),
            ("no helo", [lambda m: m.connect(self.source), lambda m: m.mail("a@good.example"),
                         lambda m: m.rcpt("alice@" + DOMAIN), lambda m: m.message(text)]),
        ]
        for name, steps in orders:
            with self.subTest(name):
                with connection() as milter:
                    milter.negotiate()
                    # Not all of them have an answer.
                    milter.sock.settimeout(1.0)
                    try:
                        for step in steps:
                            step(milter)
                    except (Closed, TimeoutError):
                        pass
                self.assertTrue(self.mxward.process.is_running())
        self.assertServes()

    def test_garbage_does_no_harm(self):
        for name, data in (("nothing", b""), ("half a length", b"\0\0"), ("huge length", b"\xff\xff\xff\xffO"),
                           ("zero length", b"\0\0\0\0"), ("unknown command", struct.pack("!I", 1) + b"\x01"),
                           ("text", b"GET / HTTP/1.0\r\n\r\n"), ("half a negotiation", struct.pack("!I", 13) + b"O\0")):
            with self.subTest(name):
                with connection() as milter:
                    milter.sock.sendall(data)
                self.assertTrue(self.mxward.process.is_running())
        self.assertServes()

    def test_peer_data_of_any_bytes_does_no_harm(self):
        odd = bytes(range(1, 256))
        text = b"From: " + odd.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n" + odd + b": x\r\n\r\n" + odd
        milter = self.begin(helo="\u00e9\x01%n%s")
        milter.step(b"U", odd + b"\0")
        milter.step(b"M", b"<" + odd + b">\0")
        milter.abort()
        self.assertEqual(milter.mail("sender@good.example").kind, "continue")
        milter.step(b"R", b"<" + odd + b">\0")
        self.assertEqual(milter.rcpt("alice@" + DOMAIN).kind, "continue")
        milter.message(text)
        milter.quit()
        self.mxward.wait_line(client=self.source, sender="sender@good.example")
        for line in self.mxward.log.since_mark().splitlines():
            self.assertTrue(line.isascii() and line.isprintable(), repr(line))
        self.assertServes()


def run_session(connect, number, names):
    with connect() as milter:
        milter.negotiate()
        milter.connect("198.19.0.%d" % number)
        milter.helo(names["helo"])
        for answer in (milter.mail(names["sender"]), milter.rcpt(names["rcpt"])):
            if answer.kind not in ("continue", "none"):
                return repr(answer)
        return repr(milter.message(message.build(message.new_token())))


def run_burst(connect, names):
    """BURST sessions at one time; the seconds they took and what the MTA would have been told at last."""
    answers = [None] * BURST
    together = threading.Barrier(BURST + 1)

    def run(number):
        own = {key: value.replace("%d", str(number)) for key, value in names.items()}
        together.wait()
        try:
            answers[number] = run_session(connect, number, own)
        except (Closed, OSError) as e:
            answers[number] = repr(e)
    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(BURST)]
    for thread in threads:
        thread.start()
    together.wait(30)
    began = time.monotonic()
    for thread in threads:
        thread.join(60)
    return time.monotonic() - began, answers


class Burst(ProtocolCase):
    """200 sessions at once, each of which waits a second for somebody."""

    @classmethod
    def conf(cls):
        cls.dns = dnsd.DnsServer({("*", dnsd.TXT): ["v=spf1 ip4:198.18.0.0/15 -all"],
                                  ("*", dnsd.A): ["8.8.8.8"], ("*", dnsd.MX): [(10, "mail.good.example")]},
                                 delay=1.0)
        cls.addClassCleanup(cls.dns.stop)
        cls.ldap = SlowLdap(1.0)
        cls.addClassCleanup(cls.ldap.stop)
        return standard_conf(resolver="forward     127.0.0.1@%d" % 5353, extra="""
directory slow {
    type    ldap
    uri     "%s"
    base    "dc=example"
    filter  "(mail={addr})"
}
domain %s {
    recipients  slow
}
""" % (cls.ldap.uri, OTHER_DOMAIN))

    def burst(self, **names):
        """Every session must end well, all of them in time. `names`: with %d for the number of the session."""
        self.assertLess(soonest(lambda: self.one_burst(names), BURST_SECONDS), BURST_SECONDS)

    def one_burst(self, names):
        """The seconds that it takes."""
        self.token = message.new_token()
        names = {key: value.replace("TOKEN", self.token) for key, value in names.items()}
        # A process of its own, so that the clients' threads do not slow the servers' down.
        took, answers = in_own_process(run_burst, connection, names)
        print("       burst of %d sessions of 1 s: %.2f s" % (BURST, took))
        self.assertEqual(set(answers), {"<continue >"})
        self.assertGreater(took, 0.9, "nobody was asked")
        return took

    def test_burst_that_waits_for_dns(self):
        # Of many zones: one alone may have only so many questions open.
        self.burst(helo="host.TOKENx%d.example", sender="x@TOKENx%d.example", rcpt="alice@" + DOMAIN)

    def test_burst_that_waits_for_ldap(self):
        # A null sender's SPF is the HELO name's; this one is an address, of which there is no SPF.
        self.burst(helo="[198.19.0.%d]", sender="", rcpt="person%d.TOKEN@" + OTHER_DOMAIN)


class Descriptors(ProtocolCase):
    """More connections than the process may have descriptors."""

    LIMIT = 256

    @classmethod
    def setUpClass(cls):
        cls.use(Mxward(cls.conf(), files_limit=cls.LIMIT))

    def test_used_up_descriptors_do_not_spin(self):
        many = []
        try:
            for _ in range(self.LIMIT * 2):
                milter = connection(timeout=0.2)
                many.append(milter)
            self.mxward.log.wait("descriptors: fewer than")
            before = cpu_seconds(self.mxward.process.pid)
            time.sleep(2.0)
            used = cpu_seconds(self.mxward.process.pid) - before
            self.assertLess(used, 0.6, "%.2f s of processor time in 2 s" % used)
        finally:
            for milter in many:
                milter.close()

        def serves():
            try:
                self.assertServes()
                return True
            except (Closed, OSError):
                return False
        wait_until(serves, "mxward serves again")
