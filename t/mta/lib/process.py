# SPDX-License-Identifier: BSD-2-Clause
"""Programs that run beside the tests, and waiting with a deadline."""

import multiprocessing
import os
import signal
import subprocess
import threading
import time


class TimedOut(AssertionError):
    """What was waited for did not come."""


def wait_until(condition, what, seconds=120.0):
    """Calls `condition` until it gives something true, which is returned. The end of its patience says nothing of how fast that should be."""
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


class Stopwatch:
    """How long something takes, but for the time in which the machine ran nobody who wanted to run.

    For what another process has to do at once: a thread of this one sleeps a little again and again, and what it oversleeps is no
    fault of who is timed.
    """

    NAP = 0.01

    def __init__(self):
        self._overslept = 0.0
        self._is_over = threading.Event()
        self._began = time.monotonic()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while not self._is_over.is_set():
            began = time.monotonic()
            time.sleep(self.NAP)
            self._overslept += time.monotonic() - began - self.NAP

    def stop(self):
        """The seconds since it was made."""
        took = time.monotonic() - self._began
        self._is_over.set()
        return took - self._overslept


def soonest(measure, limit, rounds=3):
    """The least of what some rounds take, none after one that took no longer than the limit: what else runs on the machine makes
    single rounds slower, and none faster."""
    best = measure()
    while best > limit and rounds > 1:
        rounds -= 1
        best = min(best, measure())
    return best


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

    def wait(self, text, is_since_mark=True):
        """Who writes it may be behind with it."""
        def read():
            return self.since_mark() if is_since_mark else self.text()
        wait_until(lambda: text in read(), lambda: "%r in the log of %s:\n%s" % (text, self.name, read()[-4000:]))


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

    def freeze(self):
        """Returns when all its threads have stopped, each in its own time; until then one of them may still answer."""
        self.send(signal.SIGSTOP)
        wait_until(lambda: set(self._thread_states()) == {"T"}, "%s stands still" % self.name)

    def _thread_states(self):
        tasks = "/proc/%d/task" % self.pid
        for task in os.listdir(tasks):
            try:
                with open(os.path.join(tasks, task, "stat"), encoding="utf-8", errors="replace") as f:
                    yield f.read().rpartition(")")[2].split()[0]
            except FileNotFoundError:
                pass

    def wait(self, seconds=120.0):
        """Waits for its end and returns the exit code (negative: the signal)."""
        wait_until(lambda: not self.is_running(), "%s has ended" % self.name, seconds)
        return self._popen.returncode

    def kill_group(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._popen.wait()

    def stop(self, number=signal.SIGTERM, seconds=120.0):
        """Asks it to end, and makes it end where it does not."""
        self.send(number)
        try:
            self.wait(seconds)
        except TimedOut:
            pass
        self.kill_group()
        return self._popen.returncode
