# SPDX-License-Identifier: BSD-2-Clause
"""A private sendmail 8.17 out of an unpacked package (t/mta/fetch-sendmail); nothing of the machine's own is used."""

import glob
import os
import signal
import subprocess

from lib import world
from lib.mta import (DOMAIN, IDN_ALABEL, INET6_PORT, INET_PORT, MILTER_PORTS, Mta, OTHER_DOMAIN, VIA_POSTFIX, VIA_SENDMAIL)
from lib.process import LogFile, Process

CF = "/usr/share/sendmail/cf"

# FEATURE(`nocanonify') and friends: no name is looked up, there is no DNS here.
SENDMAIL_MC = """divert(-1)
define(`_USE_ETC_MAIL_')
include(`{cf}/m4/cf.m4')
divert(0)dnl
VERSIONID(`mxward test')
OSTYPE(`linux')
define(`confPID_FILE', `{base}/sendmail.pid')
define(`STATUS_FILE', `{base}/statistics')
define(`QUEUE_DIR', `{base}/mq')
define(`HELP_FILE', `{root}/etc/mail/helpfile')
define(`ALIAS_FILE', `{base}/aliases')
define(`confDOMAIN_NAME', `sm.{domain}')
define(`confDEF_USER_ID', `nobody')
define(`confLOG_LEVEL', `9')
define(`confTO_IDENT', `0')
define(`confTO_QUEUERETURN', `1h')
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe,TrustStickyBit')
define(`confPRIVACY_FLAGS', `')
define(`confDELIVERY_MODE', `interactive')
define(`confREJECT_LOG_INTERVAL', `0')
define(`confBAD_RCPT_THROTTLE', `0')
define(`confCONNECTION_RATE_THROTTLE', `0')
define(`confMAX_DAEMON_CHILDREN', `0')
define(`confQUEUE_LA', `1000')
define(`confREFUSE_LA', `1000')
define(`confMAX_HEADERS_LENGTH', `1000000')
define(`confMAX_NOOP_COMMANDS', `0')
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`access_db', `hash -o -T<TMPF> {base}/access.db')dnl
FEATURE(`blocklist_recipients')dnl
LOCAL_DOMAIN(`{local}')dnl
RELAY_DOMAIN(`{alabel}')dnl
DAEMON_OPTIONS(`Name=MTA-unix, Family=inet, Addr={address}, Port={unix}, Listen=128, InputMailFilters=unix')dnl
DAEMON_OPTIONS(`Name=MTA-unix6, Family=inet6, Addr=IPv6:{address6}, Port={unix}, Listen=128, InputMailFilters=unix')dnl
DAEMON_OPTIONS(`Name=MTA-inet, Family=inet, Addr={address}, Port={inet}, Listen=128, InputMailFilters=inet')dnl
DAEMON_OPTIONS(`Name=MTA-inet6, Family=inet, Addr={address}, Port={inet6}, Listen=128, InputMailFilters=inet6')dnl
CLIENT_OPTIONS(`Family=inet, Addr={relay_address}')dnl
INPUT_MAIL_FILTER(`unix', `S=unix:{tmp}/mxward.sock, F=T, T=C:10s;S:30s;R:60s;E:2m')dnl
INPUT_MAIL_FILTER(`inet', `S=inet:{inet_port}@127.0.0.1, F=T, T=C:10s;S:30s;R:60s;E:2m')dnl
INPUT_MAIL_FILTER(`inet6', `S=inet6:{inet6_port}@localhost, F=T, T=C:10s;S:30s;R:60s;E:2m')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
MAILER_DEFINITIONS
Mfolder,	P={base}/deliver, F=lsDFMn, S=EnvFromL/HdrFromL, R=EnvToL/HdrToL, T=DNS/RFC822/X-Unix, A=deliver $u $f
LOCAL_RULE_0
R$+ < @ {domain} . >	$#folder $: $1 @ {domain}
R$+ < @ {domain} >	$#folder $: $1 @ {domain}
R$+ < @ gate.{domain} . >	$#folder $: $1 @ gate.{domain}
R$+ < @ gate.{domain} >	$#folder $: $1 @ gate.{domain}
R$+ < @ {alabel} . >	$#folder $: $1 @ {alabel}
R$+ < @ {alabel} >	$#folder $: $1 @ {alabel}
R$+ < @ {other} . >	$#folder $: $1 @ {other}
R$+ < @ {other} >	$#folder $: $1 @ {other}
R$+ < @ {via_postfix} . >	$#folder $: $1 @ {via_postfix}
R$+ < @ {via_postfix} >	$#folder $: $1 @ {via_postfix}
R$+ < @ {via_sendmail} . >	$#esmtp $@ [{next_hop}] $: $1 < @ {via_sendmail} . >
R$+ < @ {via_sendmail} >	$#esmtp $@ [{next_hop}] $: $1 < @ {via_sendmail} >
"""

# The users of this machine are its recipients. sendmail tells milters of no other refusals of its own than those
# of unknown local users: not of the access database, of virtusertable, of relaying.
LOCAL_DOMAIN = "local.example"

DELIVER = """#!/bin/sh
umask 022
file=$(mktemp '{base}/mail/tmp/XXXXXXXXXX') || exit 75
{{ printf 'Delivered-To: %s\\nReturn-Path: <%s>\\n' "$1" "$2" && cat; }} >"$file" || exit 75
chmod 644 "$file" && mv "$file" '{base}/mail/new/' || exit 75
"""

MAPS = {
    "access": "Connect:127.0.0.1\tOK\n",
    "aliases": "@\t@\n",  # the entry that says it is complete
}


class Sendmail(Mta):
    name = "sendmail"
    relayed_domain = VIA_SENDMAIL
    relay_address = world.SENDMAIL_RELAY_ADDRESS
    address = world.SENDMAIL_ADDRESS
    address6 = world.SENDMAIL_ADDRESS6

    @staticmethod
    def check():
        """The directory with the unpacked sendmail."""
        if not os.path.isdir(CF):
            raise world.Missing("%s is not there: install the package sendmail-cf" % CF)
        world.need_program("m4", "m4")
        return world.from_environment("MXW_SENDMAIL_ROOT", "sendmail", "a sendmail unpacked by t/mta/fetch-sendmail")

    def __init__(self):
        self.root = self.check()
        super().__init__()
        for path, _, _ in os.walk(self.maildir):
            os.chmod(path, 0o777)
        os.mkdir(os.path.join(self.base, "mq"), 0o700)
        libraries = glob.glob(os.path.join(self.root, "usr/lib/*-linux-*")) + glob.glob(
            os.path.join(self.root, "lib/*-linux-*"))
        self._env = {"LD_LIBRARY_PATH": ":".join(libraries)}
        self._write_configuration()
        transcript = os.path.join(self.base, "transcript")
        self.log = LogFile(transcript, "sendmail")
        self._daemon = Process("sendmail", [self._program("sendmail"), "-C", os.path.join(self.base, "sendmail.cf"),
                                            "-bD", "-X", transcript],
                               os.path.join(self.base, "out"), env=self._env)
        self.wait_ready()

    def _program(self, name):
        return os.path.join(self.root, "usr/libexec/sendmail", name)

    def _fill_in(self, text):
        return text.format(base=self.base, tmp=world.tmp, cf=CF, root=self.root, domain=DOMAIN, other=OTHER_DOMAIN, alabel=IDN_ALABEL,
                           via_postfix=VIA_POSTFIX, via_sendmail=VIA_SENDMAIL, next_hop=world.POSTFIX_ADDRESS,
                           relay_address=self.relay_address, local=LOCAL_DOMAIN, address=self.address, address6=self.address6,
                           inet_port=INET_PORT, inet6_port=INET6_PORT, **MILTER_PORTS)

    def _write(self, name, text, mode=0o644):
        path = os.path.join(self.base, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def _make_maps(self):
        # makemap wants a configuration file, whatever is in it.
        empty = self._write("empty.cf", "")
        for name, text in MAPS.items():
            subprocess.run([self._program("makemap"), "-C", empty, "hash", os.path.join(self.base, name + ".db")],
                           input=self._fill_in(text).encode(), env=dict(os.environ, **self._env), check=True,
                           stderr=subprocess.DEVNULL)  # it warns of a world-writable /tmp
            self._write(name, self._fill_in(text))

    def _write_configuration(self):
        m4 = world.need_program("m4", "m4")
        self._write("deliver", self._fill_in(DELIVER), 0o755)
        self._make_maps()
        made = subprocess.run([m4, self._write("sendmail.mc", self._fill_in(SENDMAIL_MC))], cwd=self.base,
                              stdout=subprocess.PIPE, check=True)
        text = made.stdout.decode("ascii")
        for name, content in (("relay-domains", "%s\n" % "\n".join((DOMAIN, OTHER_DOMAIN, VIA_POSTFIX, VIA_SENDMAIL))), ("local-host-names", ""),
                              ("trusted-users", "")):
            text = text.replace("/etc/mail/" + name, self._write(name, content))
        self._write("sendmail.cf", text)

    def refused_recipient(self, number):
        return "no.such.user.%d@%s" % (number, LOCAL_DOMAIN)

    def stop(self):
        self._daemon.stop(signal.SIGTERM)

    def held(self):
        """Contents of the files of what is in the quarantine."""
        queue = os.path.join(self.base, "mq")
        for name in os.listdir(queue):
            if name.startswith("hf"):
                with open(os.path.join(queue, name), "rb") as f:
                    yield f.read()

    def is_idle(self):
        """It delivers before it answers."""
        return True

    def run_queue(self):
        """Tries again what waits, and returns when that is done."""
        subprocess.run([self._program("sendmail"), "-C", os.path.join(self.base, "sendmail.cf"), "-q"],
                       env=dict(os.environ, **self._env), check=True, timeout=60)

    def queue_is_empty(self):
        return not any(name.startswith("qf") for name in os.listdir(os.path.join(self.base, "mq")))
