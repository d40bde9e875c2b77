# SPDX-License-Identifier: BSD-2-Clause
"""A private instance of Postfix; nothing of the machine's own is read or changed."""

import os
import pwd
import shutil
import signal
import subprocess

from lib import world
from lib.mta import (DOMAIN, IDN_ALABEL, IDN_ULABEL, INET6_PORT, INET_PORT, MILTER_PORTS, Mta, OTHER_DOMAIN, VIA_POSTFIX,
                     VIA_SENDMAIL)
from lib.process import LogFile, Process

DAEMONS = "/usr/lib/postfix/sbin"
MASTER = DAEMONS + "/master"

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {base}/spool
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
multi_instance_name = postfix-mxward
multi_instance_enable = yes
myhostname = mx.{domain}
mydomain = {domain}
mydestination =
local_recipient_maps =
virtual_mailbox_domains = {domain} {other} gate.{domain} {alabel} {ulabel} {via_sendmail}
smtputf8_enable = yes
proxy_interfaces = {address}
virtual_mailbox_base = {base}
virtual_mailbox_maps = regexp:{base}/recipients
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_transport = virtual
default_transport = error:nothing leaves this machine
relay_domains = {via_postfix}
transport_maps = inline:{{ {{ {via_postfix} = hop:[{next_hop}]:{unix} }} }}
mynetworks = 127.0.0.0/8
inet_interfaces = all
inet_protocols = all
alias_maps =
alias_database =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_junk_command_limit = 1000
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_peername_lookup = no
header_size_limit = 1000000
message_size_limit = 20000000
smtpd_milters = unix:{tmp}/mxward.sock
non_smtpd_milters =
milter_default_action = tempfail
milter_protocol = 6
milter_connect_timeout = 10s
milter_command_timeout = 30s
milter_content_timeout = 60s
maillog_file = {base}/maillog
maillog_file_prefixes = {tmp}
default_database_type = hash
in_flow_delay = 0
"""

MASTER_CF = """
{address}:{unix}   inet n - n - - smtpd
[{address6}]:{unix} inet n - n - - smtpd
{address}:{inet}   inet n - n - - smtpd -o smtpd_milters=inet:127.0.0.1:{inet_port}
{address}:{inet6}  inet n - n - - smtpd -o smtpd_milters=inet:[::1]:{inet6_port}
{address}:{open}   inet n - n - - smtpd -o smtpd_reject_unlisted_recipient=no
postlog   unix-dgram n - n - 1 postlogd
hop       unix - - n - - smtp -o smtp_bind_address={relay_address} -o smtp_dns_support_level=disabled
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
"""

# Here unknown recipients are left to the milter.
OPEN_PORT = 2503

# Whoever is not refused shares one mailbox; Delivered-To says whose message it is.
UNKNOWN = "mta-unknown"
RECIPIENTS = """
if !/^{unknown}/
/@/ mail/
endif
"""

CLOSED = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()


def make_queue(base, user):
    """As `postfix check` does it."""
    data, spool = os.path.join(base, "data"), os.path.join(base, "spool")
    for path in (data, spool):
        os.mkdir(path)
    shutil.chown(data, user.pw_name)
    os.chmod(data, 0o700)
    for name in CLOSED:
        os.mkdir(os.path.join(spool, name), 0o700)
        shutil.chown(os.path.join(spool, name), user.pw_name)
    os.mkdir(os.path.join(spool, "pid"), 0o755)
    for name, mode in (("public", 0o2710), ("maildrop", 0o1730)):
        path = os.path.join(spool, name)
        os.mkdir(path)
        shutil.chown(path, user.pw_name, "postdrop")
        os.chmod(path, mode)


class Postfix(Mta):
    name = "postfix"
    relayed_domain = VIA_POSTFIX
    relay_address = world.POSTFIX_RELAY_ADDRESS
    address = world.POSTFIX_ADDRESS
    address6 = world.POSTFIX_ADDRESS6

    @staticmethod
    def check():
        if not os.path.exists(MASTER):
            raise world.Missing("%s is not there: install the package postfix" % MASTER)

    def __init__(self):
        super().__init__()
        user = pwd.getpwnam("postfix")
        self._write_configuration(user)
        make_queue(self.base, user)
        for path, _, _ in os.walk(self.maildir):
            shutil.chown(path, user.pw_name, user.pw_gid)
        self.log = LogFile(os.path.join(self.base, "maillog"), "postfix")
        self._master = Process("postfix", [MASTER, "-c", os.path.join(self.base, "etc"), "-s"],
                               os.path.join(self.base, "master.out"),
                               env={"MAIL_CONFIG": os.path.join(self.base, "etc"), "MAIL_LOGTAG": "postfix"})
        self.wait_ready()

    def _write_configuration(self, user):
        etc = os.path.join(self.base, "etc")
        os.mkdir(etc)
        files = {"etc/main.cf": MAIN_CF, "etc/master.cf": MASTER_CF, "etc/dynamicmaps.cf": "",
                 "recipients": RECIPIENTS}
        for name, text in files.items():
            with open(os.path.join(self.base, name), "w", encoding="utf-8") as f:
                f.write(text.format(base=self.base, tmp=world.tmp, daemons=DAEMONS, domain=DOMAIN, other=OTHER_DOMAIN,
                                    alabel=IDN_ALABEL, ulabel=IDN_ULABEL, unknown=UNKNOWN, uid=user.pw_uid, gid=user.pw_gid, address=self.address,
                                    via_postfix=VIA_POSTFIX, via_sendmail=VIA_SENDMAIL, next_hop=world.SENDMAIL_ADDRESS,
                                    relay_address=self.relay_address, address6=self.address6, inet_port=INET_PORT, inet6_port=INET6_PORT, open=OPEN_PORT,
                                    **MILTER_PORTS))

    def refused_recipient(self, number):
        return "%s+%d@%s" % (UNKNOWN, number, DOMAIN)

    def stop(self):
        self._master.stop(signal.SIGTERM)

    def held(self):
        """Contents of the files in the hold queue."""
        queue = os.path.join(self.base, "spool", "hold")
        for name in os.listdir(queue):
            with open(os.path.join(queue, name), "rb") as f:
                yield f.read()

    def is_idle(self):
        """Is nothing on its way: neither coming in nor being delivered?"""
        spool = os.path.join(self.base, "spool")
        return not any(files for name in ("incoming", "active") for _, _, files in os.walk(os.path.join(spool, name)))

    def run_queue(self):
        """Has what waits tried again now."""
        subprocess.run(["postqueue", "-c", os.path.join(self.base, "etc"), "-f"], check=True, timeout=30)

    def queue_is_empty(self):
        spool = os.path.join(self.base, "spool")
        return not any(files for name in ("incoming", "active", "deferred", "maildrop")
                       for _, _, files in os.walk(os.path.join(spool, name)))
