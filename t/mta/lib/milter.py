# SPDX-License-Identifier: BSD-2-Clause
"""The MTA's side of the milter protocol (version 6), for what no MTA can be made to do."""

import socket
import struct

ACTIONS = 0x1ff
STEPS = 0x1fffff  # what Postfix 3.7 and sendmail 8.17 offer

# Command, the bit that leaves it out, the bit that leaves its reply out.
_STEP_BITS = {b"C": (0x1, 0x1000), b"H": (0x2, 0x2000), b"M": (0x4, 0x4000), b"R": (0x8, 0x8000),
              b"B": (0x10, 0x80000), b"L": (0x20, 0x80), b"N": (0x40, 0x40000), b"U": (0x100, 0x20000),
              b"T": (0x200, 0x10000)}
_MODIFICATIONS = b"+-bhimqe2"
_PROGRESS = b"p"


class Closed(Exception):
    """The daemon closed the connection."""


class Answer:
    """kind: "continue", "reject", "tempfail", "accept", "reply", "discard", "skip", "none" (the step is not wanted)."""

    KINDS = {b"c": "continue", b"r": "reject", b"t": "tempfail", b"a": "accept", b"y": "reply", b"d": "discard",
             b"s": "skip", b"f": "connfail", b"4": "shutdown"}

    def __init__(self, kind, text="", edits=()):
        self.kind, self.text, self.edits = kind, text, list(edits)
        self.code = int(text[:3]) if kind == "reply" else 0

    def __repr__(self):
        return "<%s %s>" % (self.kind, self.text)


class MilterConnection:
    """One connection to the daemon, as an MTA's SMTP session makes it."""

    def __init__(self, target, timeout=60.0):
        if isinstance(target, str):
            self.sock = socket.socket(socket.AF_UNIX)
        else:
            self.sock = socket.socket(socket.AF_INET6 if ":" in target[0] else socket.AF_INET)
        self.sock.settimeout(timeout)
        self.steps = 0
        try:
            self.sock.connect(target)
        except BaseException:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, command, data=b""):
        try:
            self.sock.sendall(struct.pack("!I", len(data) + 1) + command + data)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise Closed("while sending %r" % command) from e

    def _exactly(self, length):
        data = b""
        while len(data) < length:
            try:
                more = self.sock.recv(length - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed("while waiting for a reply")
            data += more
        return data

    def receive(self):
        length = struct.unpack("!I", self._exactly(4))[0]
        packet = self._exactly(length)
        return packet[:1], packet[1:]

    def answer(self):
        edits = []
        while True:
            command, data = self.receive()
            if command == _PROGRESS:
                continue
            if command in _MODIFICATIONS:
                edits.append((command, data))
                continue
            text = data.rstrip(b"\0").decode("latin-1") if command == b"y" else ""
            return Answer(Answer.KINDS[command], text, edits)

    def negotiate(self, actions=ACTIONS, steps=STEPS):
        self.send(b"O", struct.pack("!III", 6, actions, steps))
        command, data = self.receive()
        assert command == b"O", command
        _, self.actions, self.steps = struct.unpack("!III", data[:12])
        return self

    def macros(self, command, **values):
        """Macros before a command; names of more than one letter get their braces."""
        pairs = b"".join(("{%s}" % k if len(k) > 1 else k).encode() + b"\0" + v.encode() + b"\0"
                         for k, v in values.items())
        self.send(b"D", command + pairs)

    def step(self, command, data=b""):
        """Sends one command, if it is wanted, and waits for its reply, if there is one."""
        leave_out, no_reply = _STEP_BITS.get(command, (0, 0))
        if self.steps & leave_out:
            return Answer("none")
        self.send(command, data)
        if self.steps & no_reply:
            return Answer("none")
        return self.answer()

    def connect(self, address, name=None, port=4321):
        family = b"6" if ":" in address else b"4"
        name = name or "[%s]" % address
        return self.step(b"C", name.encode() + b"\0" + family + struct.pack("!H", port) + address.encode() + b"\0")

    def helo(self, name):
        return self.step(b"H", name.encode() + b"\0")

    def mail(self, sender):
        return self.step(b"M", b"<" + sender.encode() + b">\0")

    def rcpt(self, rcpt, *params):
        return self.step(b"R", b"<" + rcpt.encode() + b">\0" + b"".join(p.encode() + b"\0" for p in params))

    def message(self, text):
        """DATA, header, body (CRLF line ends) up to the end of the message."""
        answer = self.step(b"T")
        if answer.kind not in ("none", "continue"):
            return answer
        head, _, body = text.partition(b"\r\n\r\n")
        for field in head.replace(b"\r\n ", b"\n ").replace(b"\r\n\t", b"\n\t").split(b"\r\n"):
            name, _, value = field.partition(b":")
            answer = self.step(b"L", name + b"\0" + value + b"\0")
            if answer.kind not in ("none", "continue"):
                return answer
        self.step(b"N")
        for at in range(0, len(body), 65535):
            if self.step(b"B", body[at:at + 65535]).kind == "skip":
                break
        self.send(b"E")
        return self.answer()

    def abort(self):
        self.send(b"A")

    def quit(self):
        self.send(b"Q")
        self.close()
