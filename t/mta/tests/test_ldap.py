# SPDX-License-Identifier: BSD-2-Clause
"""Recipients in a real directory server, which is well, dead, frozen, and well again."""

import os
import time

from lib.mta import DOMAIN, OTHER_DOMAIN
from lib.postfix import Postfix
from lib.process import Stopwatch, wait_until
from lib.site import MtaCase, both_mtas, ldap_conf, shared, standard_conf, write_file
from lib.slapd import AD_BASE, BIND_DN, NUMBER, PASSWORD, PEOPLE, Slapd, address_of


class LdapCase(MtaCase):
    @classmethod
    def uri(cls):
        return cls.slapd.uri

    @classmethod
    def conf(cls):
        cls.slapd = shared(Slapd)
        return ldap_conf(cls.slapd, cls.uri(), cls.more())

    @classmethod
    def more(cls):
        return ""

    def setUp(self):
        super().setUp()
        self.begin()

    def begin(self):
        self.client = self.connect()
        self.assertOk(self.client.mail("sender@good.example"))

    def codes(self, *rcpts):
        return [self.client.rcpt(rcpt).code for rcpt in rcpts]

    def is_served_again(self, who=address_of(9)):
        """slapd is back: good answers without a restart of mxward."""
        def good():
            client = self.connect()
            client.mail("sender@good.example")
            code = client.rcpt(who).code
            client.quit()
            self.assertIn(code, (250, 451))
            return code == 250
        wait_until(good, "recipients are known again")


@both_mtas
class Ldap(LdapCase):
    def test_people_are_known_and_strangers_are_not(self):
        self.assertEqual(self.codes(*[address_of(i) for i in range(0, NUMBER, 37)]), [250] * len(range(0, NUMBER, 37)))
        reply = self.client.rcpt("stranger@" + OTHER_DOMAIN)
        self.assertReply(reply, 550, "5.1.1")
        self.assertEqual(self.codes(address_of(NUMBER)), [550])

    def test_case_does_not_matter(self):
        self.assertEqual(self.codes(address_of(7).upper()), [250])

    def test_filter_characters_find_nothing(self):
        for rcpt in ("*", "person00*", "person*", "x)(mail=*", "*)(objectClass=*", "person001)(|(mail=*",
                     '"person001\\2a"', '"*\\)"'):
            with self.subTest(rcpt):
                # A guess each: the score of them all would cut this client off.
                self.fresh_client()
                self.begin()
                reply = self.client.rcpt("%s@%s" % (rcpt, OTHER_DOMAIN))
                self.assertGreaterEqual(reply.code, 500, repr(reply))
        for searched in self.slapd.searches():
            self.assertNotIn("objectClass", searched)
            self.assertNotIn("=*", searched)

    def test_dead_server_defers_and_never_refuses(self):
        self.slapd.kill()
        try:
            reply = self.client.rcpt("never.seen.1@" + OTHER_DOMAIN)
            self.assertReply(reply, 451)
            self.assertEqual(self.codes("never.seen.2@" + OTHER_DOMAIN), [451])
            # Recipients that are elsewhere are served on.
            self.assertEqual(self.codes("alice@" + DOMAIN, "nobody@" + DOMAIN), [250, 550])
            self.client.quit()
            line = self.mxward.wait_line(client=self.source, refused="3")
            self.assertIn("recipient-unavailable:never.seen.1@" + OTHER_DOMAIN, line["refused-rcpts"])
        finally:
            self.slapd.start()
        self.is_served_again()

    def test_restarted_server_is_soon_asked_again(self):
        self.assertEqual(self.codes(address_of(1)), [250])
        self.slapd.kill()
        self.slapd.start()
        watch = Stopwatch()
        self.is_served_again()
        self.assertLess(watch.stop(), 5)
        self.assertEqual(self.codes(address_of(2), "stranger@" + OTHER_DOMAIN), [250, 550])

    def test_frozen_server_defers_within_the_deadline(self):
        self.assertEqual(self.codes(address_of(3)), [250])
        self.slapd.freeze()
        try:
            watch = Stopwatch()
            self.assertReply(self.client.rcpt("never.seen.3@" + OTHER_DOMAIN), 451)
            self.assertLess(watch.stop(), 9)
            # Who waited for it gives up at the same time as the connection does: one of the others could be served before it has.
            self.mxward.log.wait("no answer within")
        finally:
            self.slapd.thaw()
        self.is_served_again()


@both_mtas
class Remembered(LdapCase):
    """What slapd said is good enough while it is away, over a restart of mxward too."""

    @classmethod
    def conf(cls):
        cls.slapd = shared(Slapd)
        return ldap_conf(cls.slapd, cls.uri(), remembered="positive-lifetime 1s\n    negative-lifetime 0\n"
                                                          "    stale-lifetime 1d")

    def is_down(self, known, unknown):
        """Known recipients are known, others are deferred, nobody is refused."""
        self.begin()
        self.assertEqual(self.codes(known, "Never.Seen.%s@%s" % (unknown, OTHER_DOMAIN), known), [250, 451, 250])
        self.client.quit()

    def test_known_recipients_are_accepted_while_slapd_is_dead(self):
        # Of each MTA's own: what is remembered stays in the state directory.
        known, other = (address_of(11), address_of(12)) if self.mta_kind is Postfix else (address_of(13), address_of(14))
        self.assertEqual(self.codes(known, "stranger@" + OTHER_DOMAIN), [250, 550])
        self.client.quit()
        # Past its lifetime: it would have to be asked for again.
        time.sleep(1.2)
        self.slapd.kill()
        try:
            self.is_down(known, "5")
            # One that exists, but was never asked for, is not refused; the stranger is not known to be one any more.
            self.begin()
            self.assertEqual(self.codes(other, "stranger@" + OTHER_DOMAIN), [451, 451])
            self.client.quit()
            self.assertEqual(self.mxward.stop(), 0)
            self.mxward.start()
            self.is_down(known, "6")
            self.mxward.kill()
            self.mxward.start()
            self.is_down(known, "7")
        finally:
            self.slapd.start()
        self.fresh_client()
        self.is_served_again(who=other)
        self.begin()
        self.assertEqual(self.codes(other, "stranger@" + OTHER_DOMAIN), [250, 550])

    def test_known_recipients_do_not_wait_for_a_frozen_slapd(self):
        people = [address_of(i) for i in range(20, 40)]
        self.assertEqual(self.codes(*people), [250] * len(people))
        self.client.quit()
        time.sleep(1.2)
        self.slapd.freeze()
        try:
            self.begin()
            watch = Stopwatch()
            self.assertEqual(self.codes(*people), [250] * len(people))
            # The first one waits for the time-out of two seconds, the others do not.
            self.assertLess(watch.stop(), 9)
            self.client.quit()
        finally:
            self.slapd.thaw()


@both_mtas
class LdapOverUnixSocket(LdapCase):
    @classmethod
    def uri(cls):
        return cls.slapd.ldapi_uri

    def test_people_are_known_and_strangers_are_not(self):
        self.assertEqual(self.codes(address_of(5), "stranger@" + OTHER_DOMAIN), [250, 550])

    def test_dead_server_defers(self):
        self.slapd.kill()
        try:
            self.assertEqual(self.codes("never.seen.4@" + OTHER_DOMAIN), [451])
        finally:
            self.slapd.start()
        self.is_served_again()


@both_mtas
class ActiveDirectory(LdapCase):
    """The preset, and people of another base beside it."""

    @classmethod
    def conf(cls):
        cls.slapd = shared(Slapd)
        return standard_conf(extra="""
directory staff {
    type                ldap
    preset              active-directory
    uri                 "%s"
    base                "%s" "%s"
    bind-dn             "%s"
    bind-password-file  "%s"
}
domain %s {
    recipients  staff
}
""" % (cls.slapd.uri, AD_BASE, PEOPLE, BIND_DN, cls.slapd.password_file, OTHER_DOMAIN))

    def rcpt(self, name):
        return self.client.rcpt("%s@%s" % (name, OTHER_DOMAIN))

    def test_every_address_of_a_user_is_accepted(self):
        for name in ("anna", "ANNA", "a.nna", "bob", "bob.ad", "person001"):
            self.assertReply(self.rcpt(name), 250)

    def test_strangers_and_other_kinds_of_addresses_are_refused(self):
        for name in ("talk", "nobody"):
            self.assertReply(self.rcpt(name), 550, "5.1.1")

    def test_disabled_user_is_refused(self):
        reply = self.rcpt("left")
        self.assertReply(reply, 550, "5.2.1", "mailbox is disabled")
        self.client.quit()
        self.mxward.wait_line(client=self.source, rule="recipient-disabled")

    def test_room_gets_mail_although_its_account_is_disabled(self):
        self.assertReply(self.rcpt("room"), 250)

    def test_group_closed_to_the_outside_is_refused_to_it_alone(self):
        self.assertReply(self.rcpt("staff"), 550, "5.7.1", "takes no mail from outside")
        self.assertReply(self.rcpt("sales"), 250)
        inside = self.connect(source="127.0.0.7")
        self.assertOk(inside.mail("sender@good.example"))
        self.assertReply(inside.rcpt("staff@" + OTHER_DOMAIN), 250)

    def test_dead_server_refuses_nobody(self):
        self.slapd.kill()
        try:
            self.assertEqual([self.rcpt(name).code for name in ("unasked", "unasked2")], [451, 451])
        finally:
            self.slapd.start()
        self.is_served_again()


class Identified(LdapCase):
    """SASL EXTERNAL over the unix socket."""

    mta_kind = Postfix

    @classmethod
    def conf(cls):
        cls.slapd = shared(Slapd)
        return standard_conf(extra="""
directory staff {
    type         ldap
    uri          "%s"
    base         "%s"
    bind-method  external
}
domain %s {
    recipients  staff
}
""" % (cls.slapd.ldapi_uri, PEOPLE, OTHER_DOMAIN))

    def test_no_password_is_needed(self):
        self.assertEqual(self.codes(address_of(5), "stranger@" + OTHER_DOMAIN), [250, 550])
        self.slapd.log.wait('BIND dn="%s" mech=EXTERNAL' % BIND_DN, False)


class CopyCase(LdapCase):
    """An offline copy answers while slapd is gone; everybody is asked about for the first time here."""

    @classmethod
    def more(cls):
        return "offline-copy yes"

    def setUp(self):
        wait_until(lambda: os.path.exists(os.path.join(self.mxward.state, "copy-staff")), "the copy is made")
        self.slapd.kill()
        self.addCleanup(self.slapd.start)
        super().setUp()
        # It is there a moment before it is in use.
        self.is_served_again()

    def assertKnown(self, *numbers):
        people = [address_of(i) for i in numbers]
        self.assertEqual(self.codes(*people), [250] * len(people))
        # One who has a detail, and one written otherwise.
        user, domain = people[0].split("@")
        self.assertEqual(self.codes(user + "+lists@" + domain, people[0].upper()), [250, 250])


@both_mtas
class OfflineCopy(CopyCase):
    def test_known_are_accepted_and_others_deferred(self):
        self.assertKnown(*range(201, 240, 3))
        self.assertReply(self.client.rcpt("absent.1@" + OTHER_DOMAIN), 451, "4.4.3")
        self.assertReply(self.client.rcpt("absent.2+lists@" + OTHER_DOMAIN), 451, "4.4.3")

    def test_it_is_there_after_a_start_without_the_server(self):
        self.client.quit()
        self.assertEqual(self.mxward.stop(), 0)
        self.mxward.start()
        self.begin()
        self.assertKnown(*range(251, 290, 3))
        self.assertReply(self.client.rcpt("absent.3@" + OTHER_DOMAIN), 451, "4.4.3")

    def test_no_address_is_in_what_is_kept(self):
        with open(os.path.join(self.mxward.state, "copy-staff"), "rb") as f:
            kept = f.read()
        self.assertGreater(len(kept), 16 * NUMBER)
        for word in (b"person", b"ldap.example"):
            self.assertNotIn(word, kept)
        for name in ("copy-staff", "copy.key"):
            self.assertEqual(os.stat(os.path.join(self.mxward.state, name)).st_mode & 0o777, 0o600)


@both_mtas
class OfflineCopyThatDenies(CopyCase):
    @classmethod
    def conf(cls):
        return super().conf() + "rule recipient-not-in-copy enforce\n"

    def test_known_are_accepted_and_others_refused(self):
        self.assertKnown(*range(301, 340, 3))
        self.assertReply(self.client.rcpt("absent.4@" + OTHER_DOMAIN), 550, "5.1.1")
        self.client.quit()
        line = self.mxward.wait_line(client=self.source, refused="1")
        self.assertIn("recipient-not-in-copy:absent.4@" + OTHER_DOMAIN, line["refused-rcpts"])


class Secrets(LdapCase):
    """What the log says at its most talkative: all goes well, the server dies, the password is wrong."""

    mta_kind = Postfix
    WRONG = "open sesame 4711"

    @classmethod
    def conf(cls):
        cls.slapd = shared(Slapd)
        cls.wrong_file = write_file("wrong-password", cls.WRONG + "\n")
        os.chmod(cls.wrong_file, 0o600)
        return "log-level  debug\n" + ldap_conf(cls.slapd, cls.slapd.uri, "offline-copy yes")

    def test_no_password_is_ever_shown(self):
        self.assertEqual(self.codes(address_of(11), "stranger@" + OTHER_DOMAIN), [250, 550])
        with open("/proc/%d/cmdline" % self.mxward.process.pid, "rb") as f:
            self.assertNotIn(PASSWORD.encode(), f.read())
        self.slapd.kill()
        self.assertEqual(self.codes("never.seen.3@" + OTHER_DOMAIN), [451])
        self.slapd.start()
        self.client.quit()
        self.assertEqual(self.mxward.stop(), 0)
        self.mxward.configure(self.conf().replace(self.slapd.password_file, self.wrong_file))
        self.mxward.start()
        self.begin()
        self.assertEqual(self.codes("never.seen.4@" + OTHER_DOMAIN), [451])
        self.mxward.log.wait("Invalid credentials", False)
        log = self.mxward.log.text()
        # (A socket is there as well.)
        files = [entry.path for entry in os.scandir(self.mxward.state) if entry.is_file(follow_symlinks=False)]
        kept = b"".join(open(path, "rb").read() for path in files)
        for secret in (PASSWORD, self.WRONG):
            self.assertNotIn(secret, log)
            self.assertNotIn(secret.encode(), kept)


class TlsCase(LdapCase):
    """How the connection is made has nothing to do with the MTA: one of them is enough."""

    mta_kind = Postfix

    def assertServed(self):
        self.assertEqual(self.codes(address_of(8), "stranger@" + OTHER_DOMAIN), [250, 550])

    def assertDeferred(self):
        self.assertEqual(self.codes(address_of(8), "stranger@" + OTHER_DOMAIN), [451, 451])
        # Nobody unknown has been told the password.
        self.assertNotIn("BIND dn=", self.slapd.log.since_mark())


class StartTls(TlsCase):
    @classmethod
    def more(cls):
        return "starttls yes\n    tls-ca-file \"%s\"" % cls.slapd.ca_file

    def test_starttls_is_used(self):
        self.assertServed()
        self.slapd.log.wait("STARTTLS", False)


class StartTlsOfAStranger(TlsCase):
    @classmethod
    def more(cls):
        return "starttls yes\n    tls-ca-file \"%s\"" % cls.slapd.other_ca_file

    def test_server_with_another_certificate_is_not_believed(self):
        self.assertDeferred()


class Ldaps(TlsCase):
    @classmethod
    def uri(cls):
        return cls.slapd.ldaps_uri

    @classmethod
    def more(cls):
        return "tls-ca-file \"%s\"" % cls.slapd.ca_file

    def test_ldaps_is_used(self):
        self.assertServed()


class LdapsOfAStranger(TlsCase):
    @classmethod
    def uri(cls):
        return cls.slapd.ldaps_uri

    @classmethod
    def more(cls):
        return "tls-ca-file \"%s\"" % cls.slapd.other_ca_file

    def test_server_with_another_certificate_is_not_believed(self):
        self.assertDeferred()
