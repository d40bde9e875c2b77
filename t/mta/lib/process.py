# SPDX-License-Identifier: BSD-2-Clause
"""Programs that run beside the tests, and waiting with a deadline."""

import multiprocessing
import os
import signal
import subprocess
import time


class TimedOut(AssertionError):
    """What was waited for did not come."""


def wait_until(condition, what, seconds=15.0):
    """Calls `condition` until it gives something true, which is returned."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimedOut("not within %g s: %s" % (seconds, what() if callable(what) else what))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def in_own_process(function, *args):
    """Calls a function in a process of its own and gives what it returns."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function, args)


class LogFile:
    """A file that somebody else writes, read from a mark on."""

    def __init__(self, path, name):
        self.path, self.name = path, name
        self._mark = 0

    def text(self, start=0):
        try:
            with open(self.path, "rb") as f:
                f.seek(start)
                return f.read().decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return ""

    def mark(self):
        """From here on since_mark() reads."""
        try:
            self._mark = os.path.getsize(self.path)
        except FileNotFoundError:
            self._mark = 0

    def since_mark(self):
        return self.text(self._mark)


class Process:
    """A program in a process group of its own, with its output in the file `log_path`."""

    def __init__(self, name, argv, log_path, env=None, cwd=None, limits=None):
        self.name = name
        full_env = dict(os.environ, LC_ALL="C")
        full_env.update(env or {})
        with open(log_path, "ab") as out:
            self._popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=full_env,
                                           cwd=cwd, start_new_session=True, preexec_fn=limits)
        self.pid = self._popen.pid

    def is_running(self):
        return self._popen.poll() is None

    def send(self, number):
        if self.is_running():
            os.kill(self.pid, number)

    def wait(self, seconds=15.0):
        """Waits for its end and returns the exit code (negative: the signal)."""
        wait_until(lambda: not self.is_running(), "%s has ended" % self.name, seconds)
        return self._popen.returncode

    def kill_group(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._popen.wait()

    def stop(self, number=signal.SIGTERM, seconds=15.0):
        """Asks it to end, and makes it end where it does not."""
        self.send(number)
        try:
            self.wait(seconds)
        except TimedOut:
            pass
        self.kill_group()
        return self._popen.returncode
