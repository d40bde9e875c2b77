# SPDX-License-Identifier: BSD-2-Clause
"""The daemon under test, in the foreground, with a configuration of the test's own."""

import os
import re
import resource
import signal
import socket

from lib import world
from lib.mta import AUTHSERV_ID, INET6_PORT, INET_PORT, answers, milter_socket
from lib.process import LogFile, Process, TimedOut, wait_until

_PAIR = re.compile(r'(?:^|(?<=\s))([a-z][a-z0-9._-]*)=("(?:[^"\\]|\\.)*"|\S*)')

HEAD = """socket       {socket}
socket-mode  0666
authserv-id  {authserv_id}
mode         {mode}
state-dir    {state}
control-socket unix:{state}/control
user         root
"""


def parse_line(line):
    """A log line as a dictionary of its key=value pairs."""
    pairs = {}
    for key, value in _PAIR.findall(line):
        if value.startswith('"'):
            value = re.sub(r"\\(x[0-9a-f]{2}|.)",
                           lambda m: chr(int(m.group(1)[1:], 16)) if len(m.group(1)) == 3 else m.group(1), value[1:-1])
        pairs.setdefault(key, value)
    return pairs


def is_ready(said):
    """Does the daemon say that it serves?"""
    return "mxward: ready " in said


class Mxward:
    """`text` is what the configuration has below the top lines, which are written here."""

    def __init__(self, text, socket_kind="unix", mode="enforce", files_limit=None):
        self.program = world.from_environment("MXW_DAEMON", "milter/mxward", "the daemon")
        self.kind = socket_kind
        self.conf = os.path.join(world.tmp, "mxward.conf")
        self.state = os.path.join(world.tmp, "state")
        self.log = LogFile(os.path.join(world.tmp, "mxward.log"), "mxward")
        self._files_limit = files_limit
        os.makedirs(self.state, exist_ok=True)
        self.process = None
        self.configure(text, mode)
        self.start()

    def configure(self, text, mode="enforce"):
        """Writes the configuration; in force after start() or reload()."""
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(HEAD.format(socket=milter_socket(self.kind), authserv_id=AUTHSERV_ID, mode=mode,
                                state=self.state) + text)
        os.chmod(self.conf, 0o600)

    def _limits(self):
        if self._files_limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self._files_limit, self._files_limit))

    def is_listening(self):
        if self.kind == "inet":
            return answers("127.0.0.1", INET_PORT)
        if self.kind == "inet6":
            return answers("::1", INET6_PORT)
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(milter_socket("unix").split(":", 1)[1])
            return True
        except OSError:
            return False
        finally:
            sock.close()

    def start(self):
        said_before = len(self.log.text())
        self.process = Process("mxward", [self.program, "-f", "-c", self.conf], self.log.path, limits=self._limits)
        wait_until(lambda: is_ready(self.log.text()[said_before:]) or not self.process.is_running(),
                   lambda: "mxward is ready; it said:\n%s" % self.log.text()[said_before:])
        if not self.process.is_running():
            raise AssertionError("mxward did not start; it said:\n%s" % self.log.text()[said_before:])

    def kill(self):
        self.process.stop(signal.SIGKILL)

    def terminate(self):
        """SIGTERM; does not wait."""
        self.process.send(signal.SIGTERM)

    def reload(self):
        """SIGHUP; what changes must be waited for by its effect."""
        self.process.send(signal.SIGHUP)

    def stop(self):
        """Ends it, if nothing else has, and gives the exit code: 0 only if it ended in good order."""
        return self.process.stop(signal.SIGTERM)

    def lines(self):
        """The log lines since the mark, as dictionaries with the line itself under ""."""
        return [dict(parse_line(line), **{"": line}) for line in self.log.since_mark().splitlines()]

    def wait_line(self, seconds=60.0, **wanted):
        """The first log line since the mark whose pairs are as wanted (client="192.0.2.1", rule="...")."""
        def find():
            for line in self.lines():
                if all(line.get(key.replace("__", ".").replace("_", "-")) == value for key, value in wanted.items()):
                    return line
            return None
        try:
            return wait_until(find, "", seconds)
        except TimedOut:
            raise TimedOut("no log line with %r within %g s in:\n%s"
                           % (wanted, seconds, self.log.since_mark())) from None
