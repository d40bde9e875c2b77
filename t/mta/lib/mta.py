# SPDX-License-Identifier: BSD-2-Clause
"""What the two MTAs have in common: where they listen, which milter sockets they use, what they delivered."""

import os
import socket

from lib import world
from lib.message import Delivered
from lib.process import wait_until
from lib.smtp import Client

# The milter sockets, one SMTP port of each MTA for each.
MILTER_PORTS = {"unix": 25, "inet": 2501, "inet6": 2502}
INET_PORT, INET6_PORT = 8891, 8892

DOMAIN = "ward.example"
OTHER_DOMAIN = "ldap.example"
# The same domain in its two forms.
IDN_ALABEL, IDN_ULABEL = "xn--bcher-kva.example", "b\u00fccher.example"
AUTHSERV_ID = "mx.ward.example"
# Each MTA relays one of these to the other one, from an address of its own.
VIA_POSTFIX, VIA_SENDMAIL = "via-postfix.example", "via-sendmail.example"


def milter_socket(kind):
    """The daemon's `socket` setting for a kind of MILTER_PORTS."""
    return {"unix": "unix:%s/mxward.sock" % world.tmp,
            "inet": "inet:%d@127.0.0.1" % INET_PORT,
            "inet6": "inet6:%d@[::1]" % INET6_PORT}[kind]


def answers(address, port):
    """Does anybody listen there?"""
    try:
        socket.create_connection((address, port), timeout=5).close()
        return True
    except OSError:
        return False


class Mta:
    """A running MTA that accepts any recipient of DOMAIN, the host gate of it, IDN_ALABEL and OTHER_DOMAIN but those of
    refused_recipient()."""

    name = None
    relayed_domain = None  # what it hands on to the other MTA ...
    relay_address = None   # ... from here
    address = None
    address6 = None

    def __init__(self):
        self.base = os.path.join(world.tmp, self.name)
        self.maildir = os.path.join(self.base, "mail")
        os.mkdir(self.base)
        for folder in ("", "tmp", "new", "cur"):
            os.makedirs(os.path.join(self.maildir, folder), exist_ok=True)
        self._seen = {}

    def client(self, source=None, milter="unix", **kwargs):
        address = self.address6 if source and ":" in source else self.address
        return Client(address, MILTER_PORTS[milter], source=source, **kwargs)

    def refused_recipient(self, number):
        """One of many recipients that the MTA itself refuses, and tells its milters of."""
        raise NotImplementedError

    def held(self):
        """What the MTA keeps because a milter told it to hold it, as octets of queue files."""
        raise NotImplementedError

    def wait_ready(self):
        wait_until(lambda: all(answers(self.address, port) for port in MILTER_PORTS.values()),
                   lambda: "%s listens; it said:\n%s" % (self.name, self.log.text()[-4000:]))

    def _messages(self):
        folder = os.path.join(self.maildir, "new")
        for name in os.listdir(folder):
            if name not in self._seen:
                with open(os.path.join(folder, name), "rb") as f:
                    self._seen[name] = Delivered(f.read())
        return self._seen.values()

    def delivered(self, token, rcpt=None):
        """The messages with this token that are delivered, to that recipient (local part) if one is named."""
        return [m for m in self._messages() if token in m.values("X-Token") and
                (rcpt is None or any(v.split("@")[0] == rcpt for v in m.values("Delivered-To")))]

    def wait_report(self, token, rcpt, seconds=60.0):
        """The text of a report (RFC 3464) to that recipient on the message with this token."""
        def reports():
            return [m.raw.decode("latin-1") for m in self._messages() if token not in m.values("X-Token") and token.encode() in m.raw and
                    any(v.split("@")[0] == rcpt for v in m.values("Delivered-To"))]
        return wait_until(reports, "%s has reported on %s to %s" % (self.name, token, rcpt), seconds)[0]

    def wait_delivered(self, token, rcpt=None, seconds=60.0):
        return wait_until(lambda: self.delivered(token, rcpt),
                          "%s has delivered %s to %s" % (self.name, token, rcpt or "somebody"), seconds)[0]
