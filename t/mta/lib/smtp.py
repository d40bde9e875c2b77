# SPDX-License-Identifier: BSD-2-Clause
"""An SMTP client that does what it is told, right or wrong, and shows every reply."""

import re
import socket


class Disconnected(Exception):
    """The server closed the connection."""


class Reply:
    """One reply: code, enhanced code ("5.1.1" or ""), text (lines joined by LF), and whether the server closed."""

    def __init__(self, lines):
        self.code = int(lines[0][:3])
        self.lines = [line[4:] for line in lines]
        self.text = "\n".join(self.lines)
        match = re.match(r"([245]\.\d{1,3}\.\d{1,3})(?:\s|$)", self.text)
        self.enhanced = match.group(1) if match else ""

    def is_positive(self):
        return self.code < 400

    def is_temporary(self):
        return 400 <= self.code < 500

    def __repr__(self):
        return "<%d %s>" % (self.code, self.text)


class Client:
    """One connection. `source` is the address to come from."""

    def __init__(self, address, port=25, source=None, timeout=60.0):
        self.transcript = []
        self._buffer = b""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if source:
                self.sock.bind((source, 0))
            self.sock.connect((address, port))
            self.greeting = self.reply()
        except BaseException:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        """Octets as they are."""
        if len(data) < 200:
            self.transcript.append("C: " + data.decode("ascii", "backslashreplace").rstrip("\r\n"))
        else:
            self.transcript.append("C: (%d octets)" % len(data))
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise Disconnected("while sending") from e

    def _line(self):
        while b"\n" not in self._buffer:
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                self.transcript.append("S: (closed)")
                raise Disconnected("\n".join(self.transcript[-8:]))
            self._buffer += more
        line, self._buffer = self._buffer.split(b"\n", 1)
        text = line.rstrip(b"\r").decode("utf-8", "backslashreplace")
        self.transcript.append("S: " + text)
        return text

    def reply(self):
        lines = [self._line()]
        while lines[-1][3:4] == "-":
            lines.append(self._line())
        return Reply(lines)

    def command(self, line):
        if isinstance(line, str):
            line = line.encode("utf-8")
        self.send(line + b"\r\n")
        return self.reply()

    def ehlo(self, name="client.good.example"):
        return self.command("EHLO " + name)

    def helo(self, name="client.good.example"):
        return self.command("HELO " + name)

    def mail(self, sender, params=""):
        return self.command("MAIL FROM:<%s>%s" % (sender, " " + params if params else ""))

    def rcpt(self, rcpt, params=""):
        return self.command("RCPT TO:<%s>%s" % (rcpt, " " + params if params else ""))

    def content(self, message):
        """After DATA: the message (CRLF line ends), dots doubled, and its end."""
        if message.startswith(b"."):
            message = b"." + message
        self.send(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return self.reply()

    def data(self, message):
        """DATA and the message. The reply to DATA itself if that is a refusal."""
        reply = self.command("DATA")
        return self.content(message) if reply.code == 354 else reply

    def rset(self):
        return self.command("RSET")

    def quit(self):
        reply = self.command("QUIT")
        self.close()
        return reply

    def xclient(self, **attributes):
        """Postfix only: take the place of another client. EHLO must follow."""
        return self.command("XCLIENT " + " ".join("%s=%s" % item for item in attributes.items()))

    def send_mail(self, sender, rcpts, message):
        """A whole transaction; gives the replies to MAIL, each RCPT, and the last one."""
        mail = self.mail(sender)
        if not mail.is_positive():
            return mail, [], None
        replies = [self.rcpt(rcpt) for rcpt in rcpts]
        if not any(r.is_positive() for r in replies):
            return mail, replies, None
        return mail, replies, self.data(message)

    def is_closed(self, seconds=5.0):
        """Has the server closed the connection, or does it within that time?"""
        self.sock.settimeout(seconds)
        try:
            while True:
                data = self.sock.recv(65536)
                if not data:
                    return True
                self._buffer += data
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False
