# SPDX-License-Identifier: BSD-2-Clause
"""Messages: made, signed, and looked at after delivery."""

import itertools
import os
import re
import subprocess

from lib import world

_numbers = itertools.count(1)
DATA = os.path.join(world.TOP, "t", "data")


def new_token():
    """A word that no other message of this run has."""
    return "token%dx%d" % (os.getpid(), next(_numbers))


def build(token, sender="sender@good.example", rcpt="alice@ward.example", extra=(), body=None, subject=None):
    """A message with CRLF line ends. `extra` are header lines put on top of the others."""
    lines = list(extra) + [
        "From: Sender <%s>" % sender,
        "To: <%s>" % rcpt,
        "Subject: %s" % (subject or "Test " + token),
        "Date: Fri, 22 Nov 2024 10:00:00 +0000",
        "Message-ID: <%s@good.example>" % token,
        "X-Token: %s" % token,
    ]
    head = "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n"
    return head + (b"Good morning.\r\n" if body is None else body)


def sign(message, domain="good.example", selector="rsa", canon="relaxed/relaxed", length=None):
    """The message with a DKIM signature. The selector says which test key ("rsa", "ed25519"), `length` how much of the
    body is signed."""
    program = world.from_environment("MXW_SIGN", "t/tools/mxw_sign", "the signer of test mail")
    key = os.path.join(DATA, "dkim-test-%s.pem" % selector)
    done = subprocess.run([program, "-k", key, "-d", domain, "-s", selector, "-a", selector + "-sha256", "-c", canon] +
                          ([] if length is None else ["-l", str(length)]),
                          input=message, stdout=subprocess.PIPE, check=True)
    return done.stdout


def dkim_record(selector):
    """The text of the TXT record that belongs to a test key."""
    with open(os.path.join(DATA, "dkim-test-%s.txt" % selector), encoding="ascii") as f:
        return f.read().strip()


class Delivered:
    """A message as it was delivered, with LF line ends."""

    def __init__(self, raw):
        self.raw = raw.replace(b"\r\n", b"\n")
        head, _, self.body = self.raw.partition(b"\n\n")
        unfolded = re.sub(rb"\n(?=[ \t])", b"\r", head)
        self.headers = []
        for line in unfolded.split(b"\n"):
            name, colon, value = line.partition(b":")
            if colon:
                self.headers.append((name.decode("latin-1").lower(), value.replace(b"\r", b"\n").decode("latin-1")))

    def values(self, name):
        """The values of the fields of that name, unfolded, blanks run together."""
        return [re.sub(r"\s+", " ", value).strip() for key, value in self.headers if key == name.lower()]

    def results(self, authserv_id):
        """The values of Authentication-Results fields that bear this authserv-id."""
        return [value for value in self.values("Authentication-Results")
                if re.match(r"(\S+?)(?:\s+\d+)?\s*;", value) and value.split(";")[0].split()[0].lower()
                == authserv_id.lower()]
