# SPDX-License-Identifier: BSD-2-Clause
"""A world of its own for the tests: network, processes and files that the machine does not share.

enter() moves the program into new network, process and mount namespaces. In there every port is free and any
address can be a client's; there is no way out to the network, so nothing depends on it; and when the program
ends, however it ends, the kernel ends every process it started, and the files are gone.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

# Addresses of documentation and benchmarks (RFC 5737, RFC 3849, RFC 2544), all of them local in the world.
POSTFIX_ADDRESS = "192.0.2.25"
SENDMAIL_ADDRESS = "192.0.2.26"
POSTFIX_RELAY_ADDRESS = "192.0.2.77"
SENDMAIL_RELAY_ADDRESS = "192.0.2.78"
POSTFIX_ADDRESS6 = "2001:db8:2::25"
SENDMAIL_ADDRESS6 = "2001:db8:2::26"
CLIENTS = "198.18.0.0/15"
CLIENTS6 = "2001:db8:c:"
NETWORKS = ("192.0.2.0/24", "198.51.100.0/24", CLIENTS)
NETWORK6 = "2001:db8::/32"

HOSTS = """127.0.0.1 localhost
::1 localhost
192.0.2.25 mx.ward.example mx
192.0.2.26 sm.ward.example sm
198.18.0.1 client.good.example
"""
RESOLV_CONF = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))

_CLONE_NEWNS, _CLONE_NEWPID, _CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_PR_SET_PDEATHSIG = 1

tmp = None  # the directory for everything that is written; set by enter()


class Missing(Exception):
    """A part that the tests need is not there."""


def _libc(name, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*args) != 0:
        error = ctypes.get_errno()
        raise Missing("%s: %s (the tests need root with CAP_SYS_ADMIN and CAP_NET_ADMIN)"
                      % (name, os.strerror(error)))


def _mount(source, target, kind, flags, options=None):
    def encode(text):
        return text.encode() if text is not None else None
    _libc("mount", encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), encode(options))


def need_program(path, package):
    """The absolute path of a program, or Missing with the package that brings it."""
    found = shutil.which(path, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise Missing("%s is not there: install the package %s" % (path, package))
    return found


def from_environment(name, default, what):
    """A path from the environment or the build directory that must exist."""
    path = os.environ.get(name) or os.path.join(os.environ.get("MXW_BUILD", "."), default)
    if not os.path.exists(path):
        raise Missing("%s is not at %s: make it, or say in %s where it is" % (what, path, name))
    return os.path.realpath(path)


def _check_before():
    if os.geteuid() != 0:
        raise Missing("the tests on real MTAs must run as root")
    need_program("ip", "iproute2")


def _make_tmp():
    path = tempfile.mkdtemp(prefix="mxw-mta.")
    os.chmod(path, 0o755)
    above = path
    while above != "/":
        above = os.path.dirname(above)
        if not os.stat(above).st_mode & 0o001:
            os.rmdir(path)
            raise Missing("%s is closed to other users; the MTAs' users must get to %s (set TMPDIR)" % (above, path))
    return path


def _furnish(path):
    """Runs as the first process of the new namespaces."""
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    _mount("proc", "/proc", "proc", 0)
    _mount("tmpfs", path, "tmpfs", 0, "mode=0755,size=768m")
    for target, text in (("/etc/hosts", HOSTS), ("/etc/resolv.conf", RESOLV_CONF)):
        ours = os.path.join(path, os.path.basename(target))
        with open(ours, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(ours, 0o644)
        target = os.path.realpath(target)
        if os.path.exists(target):
            _mount(ours, target, None, _MS_BIND)
    ip = need_program("ip", "iproute2")
    subprocess.run([ip, "link", "set", "lo", "up"], check=True)
    for network in NETWORKS:
        subprocess.run([ip, "route", "add", "local", network, "dev", "lo"], check=True)
    with open("/proc/sys/net/ipv6/ip_nonlocal_bind", "w", encoding="ascii") as f:
        f.write("1\n")
    subprocess.run([ip, "-6", "route", "add", "local", NETWORK6, "dev", "lo"], check=True)


def end_with_parent(number):
    """This process gets the signal when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def _exit_code(status):
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 70


def _in_child(work):
    """Starts a child that ends with the exit code `work` gives; returns its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        end_with_parent(signal.SIGKILL)
        code = work()
    except Missing as e:
        print("run: %s" % e, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _first_process(path, work):
    """Furnishes the world, runs `work` in a child, and waits for whatever else ends in here."""
    _furnish(path)
    worker = _in_child(work)
    while True:
        pid, status = os.wait()
        if pid == worker:
            # When this process ends, the kernel ends all others of its namespace.
            return _exit_code(status)


def _make_world(path, work):
    """Namespaces of processes begin with the next child, so one process stands between."""
    _libc("unshare", _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWNET)
    _, status = os.waitpid(_in_child(lambda: _first_process(path, work)), 0)
    return _exit_code(status)


def enter(work):
    """Calls `work` in a new world and returns its exit code. The world is gone afterwards."""
    global tmp
    _check_before()
    path = tmp = _make_tmp()
    try:
        child = _in_child(lambda: _make_world(path, work))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: os.kill(child, signal.SIGKILL))
        _, status = os.waitpid(child, 0)
        return _exit_code(status)
    finally:
        os.rmdir(path)
