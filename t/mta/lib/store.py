# SPDX-License-Identifier: BSD-2-Clause
"""The mail store behind the gateway: a second private Postfix, which alone knows the recipients of OTHER_DOMAIN."""

import os
import pwd
import signal
import subprocess

from lib import world
from lib.mta import OTHER_DOMAIN, answers
from lib.postfix import DAEMONS, MASTER, make_queue
from lib.process import LogFile, Process, wait_until

ADDRESS = "192.0.2.30"
NAME = "store.ward.example"
# Who is served how: known recipients only; everybody; nobody who did not encrypt; nobody at all; known ones, without TLS;
# by the name that the gateway has.
PORT, ALL_PORT, TLS_PORT, CLOSED_PORT, PLAIN_PORT, TWIN_PORT = 2525, 2526, 2527, 2528, 2529, 2530
PORTS = (PORT, ALL_PORT, TLS_PORT, CLOSED_PORT, PLAIN_PORT, TWIN_PORT)
KNOWN = ["anna", "bert", "carla.c", "dora+list"]

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {base}/spool
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
multi_instance_name = postfix-store
multi_instance_enable = yes
myhostname = {name}
mydestination =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{base}/known
virtual_transport = discard:
default_transport = error:nothing leaves this machine
relay_domains =
mynetworks = 127.0.0.0/8
inet_interfaces = all
inet_protocols = all
alias_maps =
alias_database =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = {base}/key.pem {base}/cert.pem
smtpd_tls_loglevel = 1
maillog_file = {base}/maillog
maillog_file_prefixes = {tmp}
default_database_type = hash
"""

MASTER_CF = """
{address}:{port}   inet n - n - - smtpd
{address}:{all}    inet n - n - - smtpd -o virtual_mailbox_maps=static:x
{address}:{tls}    inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
{address}:{closed} inet n - n - - smtpd -o smtpd_client_restrictions=reject -o smtpd_delay_reject=yes
{address}:{plain}  inet n - n - - smtpd -o smtpd_tls_security_level=none
{address}:{twin}   inet n - n - - smtpd -o myhostname=mx.ward.example
postlog   unix-dgram n - n - 1 postlogd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
proxymap  unix - - n - - proxymap
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
"""


class Store:
    def __init__(self):
        user = pwd.getpwnam("postfix")
        self.base = os.path.join(world.tmp, "store")
        for name in ("", "etc"):
            os.mkdir(os.path.join(self.base, name))
        self.ca_file = os.path.join(self.base, "cert.pem")
        self._make_certificate()
        files = {"etc/main.cf": MAIN_CF, "etc/master.cf": MASTER_CF, "etc/dynamicmaps.cf": "",
                 "known": "".join("%s@%s x\n" % (name, OTHER_DOMAIN) for name in KNOWN)}
        for name, text in files.items():
            with open(os.path.join(self.base, name), "w", encoding="ascii") as f:
                f.write(text.format(base=self.base, tmp=world.tmp, daemons=DAEMONS, domain=OTHER_DOMAIN, name=NAME,
                                    address=ADDRESS, port=PORT, all=ALL_PORT, tls=TLS_PORT, closed=CLOSED_PORT,
                                    plain=PLAIN_PORT, twin=TWIN_PORT))
        make_queue(self.base, user)
        self.log = LogFile(os.path.join(self.base, "maillog"), "store")
        self._master = None
        self.start()

    def _make_certificate(self):
        openssl = world.need_program("openssl", "openssl")
        subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=the store of the tests", "-addext",
                        "subjectAltName=IP:%s" % ADDRESS, "-out", self.ca_file,
                        "-keyout", os.path.join(self.base, "key.pem")], check=True, stderr=subprocess.DEVNULL)

    def start(self):
        etc = os.path.join(self.base, "etc")
        self._master = Process("store", [MASTER, "-c", etc, "-s"], os.path.join(self.base, "master.out"),
                               env={"MAIL_CONFIG": etc, "MAIL_LOGTAG": "store"})
        wait_until(lambda: all(answers(ADDRESS, port) for port in PORTS),
                   lambda: "the store listens; it said:\n%s" % self.log.text()[-4000:])

    def stop(self):
        """Ends it at once, with the connections it has."""
        self._master.stop(signal.SIGTERM)
