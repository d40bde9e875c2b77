# SPDX-License-Identifier: BSD-2-Clause
"""The servers that tests share, each started when it is first asked for, and the test case on top of them."""

import ipaddress
import itertools
import os
import sys
import time
import unittest

from lib import message, world
from lib.mta import DOMAIN, OTHER_DOMAIN
from lib.mxward import Mxward
from lib.postfix import Postfix
from lib.sendmail import Sendmail
from lib.slapd import Slapd

_running = {}
_logs = []
_addresses = itertools.count(0)

LOG_LINES, LOG_LINE = 60, 600


def check_parts():
    """Says what is missing before anything begins."""
    world.from_environment("MXW_DAEMON", "milter/mxward", "the daemon")
    world.from_environment("MXW_SIGN", "t/tools/mxw_sign", "the signer of test mail")
    for part in (Postfix, Sendmail, Slapd):
        part.check()


def shared(kind):
    """The one Postfix, Sendmail or Slapd of this run."""
    if kind not in _running:
        _running[kind] = kind()
        _logs.append(_running[kind].log)
    return _running[kind]


def stop_all():
    while _running:
        _, part = _running.popitem()
        part.stop()


def tail(text):
    """The end of a log, long lines cut."""
    lines = [line if len(line) <= LOG_LINE else line[:LOG_LINE] + "..." for line in text.splitlines()]
    return "\n".join(lines[-LOG_LINES:])


def print_logs():
    """What every part has said since the test began."""
    for log in _logs:
        text = log.since_mark()
        if text:
            print("---- %s ----\n%s" % (log.name, tail(text)), flush=True)


def next_client():
    """A client address that no test has used, so that no test sees another one's score; the next ones are in other networks."""
    number = next(_addresses)
    return ipaddress.ip_network(world.CLIENTS)[256 * (1 + number % 500) + 1 + number // 500].compressed


def next_client6():
    return "%s%x::1" % (world.CLIENTS6, next(_addresses) + 1)


# What the names of the tests' senders are in DNS.
ZONE = """$TTL 300
good.example.            IN A    198.18.0.1
good.example.            IN MX   10 mail.good.example.
mail.good.example.       IN A    198.18.0.1
good.example.            IN TXT  "v=spf1 ip4:198.18.0.0/15 ip6:2001:db8:c::/48 -all"
client.good.example.     IN A    198.18.0.1
client.good.example.     IN TXT  "v=spf1 ip4:198.18.0.0/15 -all"
forged.example.          IN A    198.51.100.9
forged.example.          IN MX   10 mail.forged.example.
mail.forged.example.     IN A    198.51.100.9
forged.example.          IN TXT  "v=spf1 ip4:198.51.100.9 -all"
explains.example.        IN A    198.51.100.11
explains.example.        IN TXT  "v=spf1 ip4:198.51.100.11 -all exp=why.explains.example"
why.explains.example.    IN TXT  "100%% of our mail comes from 198.51.100.11, not %{i} {x} %{S}"
plain.example.           IN A    198.51.100.10
ward.example.            IN A    192.0.2.25
ward.example.            IN MX   10 mx.ward.example.
mx.ward.example.         IN A    192.0.2.25
"""
# A record whose explanation, expanded by libspf2, overruns a buffer of its own.
CRASHING_EXPLANATION = "%{d}" * 130 + "abcdefghijklmnopqrstuvwxyz"

RECIPIENTS = ["alice", "bob", "carol", "dave"]


def txt_line(name, text):
    """A TXT record of a zone file; no string of it may be longer than 255 octets."""
    return "%s. IN TXT %s\n" % (name, " ".join('"%s"' % text[i:i + 200] for i in range(0, len(text), 200)))


def zone_text():
    text = ZONE + txt_line("crash.example", "v=spf1 -all exp=x.crash.example")
    text += txt_line("x.crash.example", CRASHING_EXPLANATION)
    for domain in ("good.example", "forged.example"):
        for selector in ("rsa", "ed25519"):
            text += txt_line("%s._domainkey.%s" % (selector, domain), message.dkim_record(selector))
    return text


def write_file(name, text):
    path = os.path.join(world.tmp, name)
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    # Nobody is in the middle of writing it: a younger file would make no recipient unknown for a second.
    os.utime(path + ".new", (time.time() - 60,) * 2)
    os.rename(path + ".new", path)
    return path


def standard_conf(resolver=None, extra=""):
    """Local DNS, recipients from a file, the built-in policy."""
    zone = write_file("zone", zone_text())
    people = write_file("people", "# the tests' recipients\n" + "".join(
        "%s@%s\n" % (name, DOMAIN) for name in RECIPIENTS))
    return """
networks {
    internal  127.0.0.0/8 ::1 192.0.2.0/24
}
resolver {
    %s
}
directory people {
    type  file
    path  "%s"
}
domain %s {
    recipients  people
}
%s
""" % (resolver or 'forward     none\n    local-data  "%s"' % zone, people, DOMAIN, extra)


# Each question goes to the server: most tests of it want to see that.
NOTHING_REMEMBERED = "positive-lifetime 0\n    negative-lifetime 0\n    stale-lifetime 0"


def ldap_conf(slapd, uri, more="", remembered=NOTHING_REMEMBERED):
    """As standard_conf(), and OTHER_DOMAIN's recipients in LDAP at `uri`; `more` are further lines of its section."""
    return standard_conf(extra="""
directory staff {
    type                ldap
    uri                 "%s"
    base                "ou=people,dc=ldap,dc=example"
    filter              "(mail={addr})"
    bind-dn             "cn=mxward,dc=ldap,dc=example"
    bind-password-file  "%s"
    timeout             2s
    connect-timeout     2s
    %s
    %s
}
domain %s {
    recipients  staff
}
""" % (uri, slapd.password_file, more, remembered, OTHER_DOMAIN))


class Case(unittest.TestCase):
    """A test with a daemon; the daemon is started once for the class, with conf() as its configuration."""

    milter = "unix"
    mode = "enforce"

    @classmethod
    def conf(cls):
        return standard_conf()

    @classmethod
    def setUpClass(cls):
        cls.use(Mxward(cls.conf(), cls.milter, cls.mode))

    @classmethod
    def use(cls, mxward):
        """Makes this the daemon of the class."""
        cls.mxward = mxward
        cls.addClassCleanup(cls._stop)
        _logs.append(mxward.log)

    @classmethod
    def _stop(cls):
        _logs.remove(cls.mxward.log)
        code = cls.mxward.stop()
        if code != 0:
            raise AssertionError("mxward ended with %d; it said:\n%s" % (code, tail(cls.mxward.log.text())))

    def setUp(self):
        for log in _logs:
            log.mark()
        self.source = next_client()
        self.token = message.new_token()

    def fresh_client(self):
        """From here on, another client address."""
        self.source = next_client()

    # ---- replies ----

    def assertReply(self, reply, code, enhanced=None, text=None):
        self.assertIsNotNone(reply, "no reply")
        self.assertEqual(reply.code, code, "the reply was %r" % reply)
        if enhanced is not None:
            self.assertEqual(reply.enhanced, enhanced, "the reply was %r" % reply)
        if text is not None:
            self.assertIn(text, reply.text)

    def assertOk(self, reply):
        self.assertIsNotNone(reply, "no reply")
        self.assertTrue(reply.is_positive(), "the reply was %r" % reply)

    def assertTemporary(self, reply):
        self.assertIsNotNone(reply, "no reply")
        self.assertTrue(reply.is_temporary(), "the reply was %r" % reply)


class MtaCase(Case):
    """A test on an MTA. both_mtas() makes one class for each of the two."""

    mta_kind = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mta = shared(cls.mta_kind)

    def connect(self, source=None, helo="client.good.example", **kwargs):
        """A connection that has said EHLO and is closed when the test ends."""
        client = self.mta.client(source or self.source, milter=self.milter, **kwargs)
        self.addCleanup(client.close)
        if helo:
            self.assertOk(client.greeting)
            self.assertOk(client.ehlo(helo))
        return client

    def good_mail(self, client, rcpt="alice", token=None, **kwargs):
        """Sends a message that must be accepted, and returns it as delivered."""
        token = token or message.new_token()
        text = message.build(token, rcpt="%s@%s" % (rcpt, DOMAIN), **kwargs)
        _, rcpts, last = client.send_mail("sender@good.example", ["%s@%s" % (rcpt, DOMAIN)], text)
        for reply in rcpts:
            self.assertOk(reply)
        self.assertReply(last, 250)
        return self.mta.wait_delivered(token, rcpt)


def both_mtas(cls):
    """Replaces a class of tests by one on Postfix and one on sendmail."""
    made = {}
    for kind in (Postfix, Sendmail):
        name = cls.__name__ + kind.__name__
        made[name] = type(name, (cls,), {"mta_kind": kind, "__module__": cls.__module__, "__doc__": cls.__doc__,
                                         "__qualname__": name})
    vars(sys.modules[cls.__module__]).update(made)
    return None
