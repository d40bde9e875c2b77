# SPDX-License-Identifier: BSD-2-Clause
"""A private slapd with a few hundred people."""

import os
import signal
import socket
import subprocess
import urllib.parse

from lib import world
from lib.mta import answers
from lib.process import LogFile, Process, wait_until

SUFFIX = "dc=ldap,dc=example"
PEOPLE = "ou=people," + SUFFIX
BIND_DN = "cn=mxward," + SUFFIX
PASSWORD = "let me read"
ADDRESS, PORT, TLS_PORT = "127.0.0.1", 3389, 3636
NUMBER = 400

CONF = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {base}/ad.schema
pidfile {base}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
authz-regexp "^gidNumber=[0-9]+\\\\+uidNumber=[0-9]+,cn=peercred,cn=external,cn=auth$" "{bind_dn}"
TLSCertificateFile {base}/cert.pem
TLSCertificateKeyFile {base}/key.pem
database mdb
suffix "{suffix}"
directory {base}/db
maxsize 67108864
index objectClass,mail,proxyAddresses,userPrincipalName eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{bind_dn}" read by * none
"""

# What a look-up sees of Active Directory's schema.
AD_SCHEMA = """
attributetype ( 1.3.6.1.4.1.4203.666.99.1.1 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.99.1.2 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.99.1.3 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.99.1.4 NAME 'groupType' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.99.1.5 NAME 'msExchRequireAuthToSendTo' EQUALITY booleanMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.99.1.6 NAME 'msExchRecipientTypeDetails' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.99.2.1 NAME 'user' SUP top STRUCTURAL MUST cn MAY ( mail $ proxyAddresses $
  userPrincipalName $ userAccountControl $ msExchRequireAuthToSendTo $ msExchRecipientTypeDetails ) )
objectclass ( 1.3.6.1.4.1.4203.666.99.2.2 NAME 'group' SUP top STRUCTURAL MUST cn MAY ( mail $ proxyAddresses $
  groupType $ msExchRequireAuthToSendTo $ msExchRecipientTypeDetails ) )
"""
# Addresses that are not made of letters alone, as RFC 4524 has them in the attribute mail, and as many directories do.
ODD_ADDRESSES = ('"quoted person"@ldap.example', "unquoted person@ldap.example", "anna@xn--bcher-kva.example")
AD_BASE = "ou=ad," + SUFFIX
# cn, object class, attributes.
AD_ENTRIES = (
    ("anna", "user", ("proxyAddresses: SMTP:anna@ldap.example", "proxyAddresses: smtp:a.nna@ldap.example",
                      "proxyAddresses: SIP:talk@ldap.example", "userAccountControl: 512")),
    ("bob", "user", ("mail: bob.ad@ldap.example", "userPrincipalName: bob@ldap.example", "userAccountControl: 66048")),
    ("left", "user", ("proxyAddresses: SMTP:left@ldap.example", "userAccountControl: 514")),
    ("room", "user", ("proxyAddresses: SMTP:room@ldap.example", "userAccountControl: 514",
                      "msExchRecipientTypeDetails: 16")),
    ("staff", "group", ("proxyAddresses: SMTP:staff@ldap.example", "groupType: -2147483640",
                        "msExchRequireAuthToSendTo: TRUE")),
    ("sales", "group", ("proxyAddresses: SMTP:sales@ldap.example", "groupType: -2147483640",
                        "msExchRequireAuthToSendTo: FALSE")),
)


def address_of(number):
    return "person%03d@ldap.example" % number


def _ldif():
    yield "dn: %s\nobjectClass: domain\ndc: ldap\n" % SUFFIX
    yield "dn: %s\nobjectClass: organizationalUnit\nou: people\n" % PEOPLE
    yield ("dn: %s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: mxward\n"
           "userPassword: %s\n" % (BIND_DN, PASSWORD))
    for number in range(NUMBER):
        yield ("dn: uid=person%03d,%s\nobjectClass: inetOrgPerson\nuid: person%03d\ncn: Person %d\nsn: Person\n"
               "mail: %s\n" % (number, PEOPLE, number, number, address_of(number)))
    for number, address in enumerate(ODD_ADDRESSES):
        yield ("dn: uid=odd%d,%s\nobjectClass: inetOrgPerson\nuid: odd%d\ncn: Odd %d\nsn: Person\nmail: %s\n" %
               (number, PEOPLE, number, number, address))
    yield "dn: %s\nobjectClass: organizationalUnit\nou: ad\n" % AD_BASE
    for name, kind, attributes in AD_ENTRIES:
        yield "dn: cn=%s,%s\nobjectClass: %s\ncn: %s\n%s\n" % (name, AD_BASE, kind, name, "\n".join(attributes))


class Slapd:
    """ldap:// with StartTLS on ADDRESS and PORT, ldaps:// on TLS_PORT, ldapi:// on a socket."""

    @staticmethod
    def check():
        for program, package in (("slapd", "slapd"), ("slapadd", "slapd"), ("openssl", "openssl")):
            world.need_program(program, package)

    def __init__(self):
        self._slapd = world.need_program("slapd", "slapd")
        slapadd = world.need_program("slapadd", "slapd")
        self.base = os.path.join(world.tmp, "slapd")
        os.makedirs(os.path.join(self.base, "db"))
        self.ca_file, _ = self._make_certificate("cert", "key")
        self.other_ca_file, _ = self._make_certificate("other-cert", "other-key")
        self._conf = os.path.join(self.base, "slapd.conf")
        with open(os.path.join(self.base, "ad.schema"), "w", encoding="ascii") as f:
            f.write(AD_SCHEMA)
        with open(self._conf, "w", encoding="ascii") as f:
            f.write(CONF.format(base=self.base, suffix=SUFFIX, bind_dn=BIND_DN))
        subprocess.run([slapadd, "-q", "-f", self._conf], input="\n".join(_ldif()).encode(), check=True)
        self.password_file = os.path.join(self.base, "password")
        with open(self.password_file, "w", encoding="ascii") as f:
            f.write(PASSWORD + "\n")
        os.chmod(self.password_file, 0o600)
        self.uri = "ldap://%s:%d" % (ADDRESS, PORT)
        self.ldaps_uri = "ldaps://%s:%d" % (ADDRESS, TLS_PORT)
        self.ldapi_uri = "ldapi://" + urllib.parse.quote(os.path.join(self.base, "ldapi"), safe="")
        self.log = LogFile(os.path.join(self.base, "log"), "slapd")
        self.start()

    def _make_certificate(self, cert, key):
        """A certificate for ADDRESS that vouches for itself; the paths of it and its key."""
        openssl = world.need_program("openssl", "openssl")
        paths = [os.path.join(self.base, name + ".pem") for name in (cert, key)]
        subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=%s of the tests" % cert, "-addext",
                        "subjectAltName=IP:%s" % ADDRESS, "-out", paths[0], "-keyout", paths[1]],
                       check=True, stderr=subprocess.DEVNULL)
        return paths

    def start(self):
        urls = " ".join((self.uri, self.ldaps_uri, self.ldapi_uri))
        self.process = Process("slapd", [self._slapd, "-f", self._conf, "-h", urls, "-d", "stats"], self.log.path)
        wait_until(self._answers,
                   lambda: "slapd listens; it said:\n%s" % self.log.text()[-3000:])

    def _answers(self):
        """Does it listen everywhere?"""
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.connect(os.path.join(self.base, "ldapi"))
            except OSError:
                return False
        return answers(ADDRESS, PORT) and answers(ADDRESS, TLS_PORT)

    def kill(self):
        self.process.stop(signal.SIGKILL)

    def freeze(self):
        self.process.freeze()

    def thaw(self):
        self.process.send(signal.SIGCONT)

    def stop(self):
        self.thaw()
        self.process.stop(signal.SIGTERM)

    def searches(self):
        """Filters of the searches since the log's mark."""
        return [line.split('filter="', 1)[1].rstrip().rstrip('"') for line in self.log.since_mark().splitlines()
                if " SRCH " in line and 'filter="' in line]
