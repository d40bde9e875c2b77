# SPDX-License-Identifier: BSD-2-Clause
"""The daemon as the build directory has it, on sockets and files of the test's own; no root is needed.

Each test program is run in the build directory, as `make check` does.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "mta"))

from lib.milter import MilterConnection  # noqa: E402
from lib.process import Process, wait_until  # noqa: E402

DAEMON = os.path.abspath("milter/mxward")
CTL = os.path.abspath("milter/mxwardctl")
MCLIENT = os.path.abspath("t/bench/mclient")
OK, USAGE, TEMPFAIL, CONFIG = 0, 64, 75, 78
_COMPLAINTS = re.compile(r"WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer|runtime error:")


def _config_has(name):
    with open("config.h", encoding="ascii") as f:
        return re.search(r"^#define %s 1$" % name, f.read(), re.M) is not None


WITH_TSAN = _config_has("MXW_WITH_TSAN")
WITH_ASAN = _config_has("MXW_WITH_ASAN")
WITH_SANITIZER = WITH_TSAN or WITH_ASAN
# What is quick takes longer there.
PATIENCE = 5 if WITH_SANITIZER else 1

HEAD = """socket       {socket}
socket-mode  0600
authserv-id  mx.example.net
state-dir    {state}
control-socket unix:{control}
"""


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Daemon:
    """`mxward -f` with its configuration in a directory of its own."""

    def __init__(self, case, conf="", socket_spec=None, env=None, limits=None, is_started=True):
        self.dir = tempfile.mkdtemp(prefix="mxward-test-")
        case.addCleanup(shutil.rmtree, self.dir, True)
        self.case = case
        self.state = os.path.join(self.dir, "state")
        os.mkdir(self.state)
        self.path = os.path.join(self.dir, "sock")
        self.spec = socket_spec or "unix:" + self.path
        self.control = os.path.join(self.dir, "control")
        self.conf = os.path.join(self.dir, "mxward.conf")
        self.log_path = os.path.join(self.dir, "log")
        self.env = dict({"TSAN_OPTIONS": "exitcode=66"}, **(env or {}))
        self.limits = limits
        self.process = None
        self.configure(conf)
        if is_started:
            self.start()

    def configure(self, conf, head=HEAD):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(head.format(socket=self.spec, state=self.state, control=self.control) + conf)

    def spawn(self):
        self.process = Process("mxward", [DAEMON, "-f", "-c", self.conf], self.log_path, env=self.env,
                               limits=self.limits)
        self.case.addCleanup(self.end)

    def start(self):
        self.spawn()
        wait_until(lambda: "mxward: ready " in self.log() or not self.process.is_running(),
                   lambda: "ready, in:\n" + self.log())
        if not self.process.is_running():
            raise AssertionError("mxward did not start:\n" + self.log())

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="backslashreplace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, text, times=1):
        wait_until(lambda: self.log().count(text) >= times, lambda: "%r in:\n%s" % (text, self.log()))

    def stop(self, number=signal.SIGTERM):
        """The exit code, and no word of a sanitizer."""
        code = self.process.stop(number)
        said = self.log()
        self.process = None
        complaint = _COMPLAINTS.search(said)
        self.case.assertIsNone(complaint, said[-20000:])
        return code

    def end(self):
        if self.process:
            self.case.assertEqual(self.stop(), OK, "the daemon ended badly")

    def connection(self, timeout=60.0):
        """A connection to its socket; nothing has been said yet."""
        if self.spec.startswith("unix:"):
            target = self.path
        else:
            port, _, host = self.spec.split(":", 1)[1].partition("@")
            target = (host.strip("[]"), int(port))
        milter = MilterConnection(target, timeout)
        self.case.addCleanup(milter.close)
        return milter

    def session(self, address="192.0.2.1", helo="client.example", **kwargs):
        """A connection after HELO."""
        milter = self.connection().negotiate(**kwargs)
        milter.macros(b"C", j="mx.example.net", daemon_name="smtpd", client_resolve="OK")
        milter.connect(address)
        milter.helo(helo)
        return milter


def run(*args, **kwargs):
    """The program with these arguments, to its end: (exit code, standard output, standard error)."""
    done = subprocess.run([DAEMON] + list(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, encoding="utf-8", check=False, **kwargs)
    return done.returncode, done.stdout, done.stderr


def main():
    began = time.monotonic()
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    print("%d tests in %.1f s" % (result.testsRun, time.monotonic() - began))
    # Nothing is skipped, and a program that ran nothing has shown nothing.
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 and not result.skipped else 1)
