# SPDX-License-Identifier: BSD-2-Clause
"""Recipients that only the mail store behind the gateway knows: a real Postfix is asked by SMTP."""

from lib.mta import DOMAIN, OTHER_DOMAIN
from lib.postfix import Postfix
from lib.process import Stopwatch, wait_until
from lib.site import MtaCase, both_mtas, shared, standard_conf
from lib.store import ADDRESS, ALL_PORT, CLOSED_PORT, KNOWN, PLAIN_PORT, PORT, Store, TLS_PORT, TWIN_PORT


def at(name):
    return "%s@%s" % (name, OTHER_DOMAIN)


class CallAheadCase(MtaCase):
    """Each class has a directory of its own name, so that no answer is kept from one to the next."""

    port = PORT
    more = ""

    @classmethod
    def conf(cls):
        cls.store = shared(Store)
        return standard_conf(extra="""
directory %s {
    type             call-ahead
    hosts            %s:%d
    connect-timeout  4s
    %s
}
domain %s {
    recipients  %s
}
""" % (cls.__name__, ADDRESS, cls.port, cls.more.format(ca_file=cls.store.ca_file), OTHER_DOMAIN, cls.__name__))

    def setUp(self):
        super().setUp()
        self.begin()

    def begin(self):
        self.fresh_client()
        self.client = self.connect()
        self.assertOk(self.client.mail("sender@good.example"))

    def codes(self, *names):
        return [self.client.rcpt(at(name)).code for name in names]

    def is_served_again(self, name):
        def good():
            self.begin()
            code = self.codes(name)[0]
            self.assertIn(code, (250, 451))
            return code == 250
        wait_until(good, "recipients are known again")


@both_mtas
class CallAhead(CallAheadCase):
    def test_who_the_store_knows_is_known(self):
        self.assertEqual(self.codes(*KNOWN), [250] * len(KNOWN))
        self.assertEqual(self.codes("ANNA"), [250])
        self.assertReply(self.client.rcpt(at("stranger")), 550, "5.1.1")

    def test_nothing_is_ever_sent(self):
        self.assertEqual(self.codes("anna", "stranger1"), [250, 550])
        for word in ("data=", "cleanup", "queued", "vrfy="):
            self.assertNotIn(word, self.store.log.text())

    def test_many_strangers_do_not_make_the_store_slow(self):
        watch = Stopwatch()
        for i in range(40):
            self.begin()
            self.assertEqual(self.codes("stranger.%d" % i), [550])
        # Postfix delays each error after the tenth of a session by a second.
        self.assertLess(watch.stop(), 20)
        self.assertNotIn("too many errors", self.store.log.text())

    def test_quoted_local_parts_are_no_commands(self):
        for name in ('"a b"', '"anna@%s> x <"' % OTHER_DOMAIN, '"\\"anna"'):
            with self.subTest(name):
                self.begin()
                # Postfix takes the second one for an attempt to relay, which says nothing of a mailbox.
                self.assertGreaterEqual(self.codes(name)[0], 400)

    def test_stopped_store_defers_whom_it_was_not_asked_for_before(self):
        self.assertEqual(self.codes("anna"), [250])
        self.store.stop()
        try:
            self.assertReply(self.client.rcpt(at("never.seen.1")), 451)
            self.assertEqual(self.codes("never.seen.2", "anna"), [451, 250])
            self.assertEqual(self.client.rcpt("alice@" + DOMAIN).code, 250)
        finally:
            self.store.start()
        # Known there, but not asked for yet.
        self.is_served_again("bert")
        self.assertEqual(self.codes("stranger2"), [550])


class OnPostfix(CallAheadCase):
    """How the store is asked has nothing to do with the MTA: one of them is enough."""

    mta_kind = Postfix


class CallAheadWithTls(OnPostfix):
    port = TLS_PORT
    more = 'tls require\n    tls-ca-file "{ca_file}"'

    def test_store_that_wants_tls_gets_it(self):
        self.assertEqual(self.codes("anna", "stranger"), [250, 550])
        self.store.log.wait("TLS connection established from")


class CallAheadOpportunistic(OnPostfix):
    def test_offered_tls_is_used(self):
        self.assertEqual(self.codes("anna", "stranger"), [250, 550])
        self.store.log.wait("TLS connection established from")


class CallAheadRefusedWithoutTls(OnPostfix):
    port = TLS_PORT
    more = "tls no"

    def test_store_that_refuses_us_makes_nobody_unknown(self):
        self.assertEqual(self.codes("anna", "stranger"), [451, 451])
        self.mxward.log.wait("530 5.7.0", False)


class CallAheadOfAStranger(OnPostfix):
    more = "tls require"

    def test_store_with_another_certificate_is_not_asked(self):
        self.assertEqual(self.codes("anna", "stranger"), [451, 451])
        self.mxward.log.wait("certificate", False)


class CallAheadToAllTakers(OnPostfix):
    port = ALL_PORT

    def test_store_that_takes_everybody_is_believed_in_nothing(self):
        self.assertEqual(self.codes("anna", "stranger", "nobody"), [250, 250, 250])
        self.mxward.log.wait("takes every recipient of " + OTHER_DOMAIN, False)


class CallAheadUnverifiable(OnPostfix):
    port = ALL_PORT

    @classmethod
    def conf(cls):
        return super().conf() + """
rule nobody-can-tell {
    at      rcpt
    when    rcpt = unverifiable
    reject  "550 5.7.99 who knows"
}
"""

    def test_policy_can_see_that_nobody_can_tell(self):
        self.assertReply(self.client.rcpt(at("anna")), 550, "5.7.99")


class CallAheadDenied(OnPostfix):
    port = CLOSED_PORT

    def test_access_denied_is_no_unknown_recipient(self):
        self.assertEqual(self.codes("anna", "stranger"), [451, 451])
        self.mxward.log.wait("Access denied", False)


class CallAheadPlain(OnPostfix):
    port = PLAIN_PORT

    def test_store_without_tls_is_asked_in_the_clear(self):
        self.assertEqual(self.codes("anna", "stranger"), [250, 550])


class CallAheadToOurselves(OnPostfix):
    port = TWIN_PORT

    def test_host_with_our_own_name_is_not_asked(self):
        self.assertEqual(self.codes("anna", "stranger"), [451, 451])
        self.mxward.log.wait("our own name", False)
