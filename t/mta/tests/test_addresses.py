# SPDX-License-Identifier: BSD-2-Clause
"""Recipients as people write them: with a detail, at a host or an address literal of ours, in U-labels, in quotes."""

import os

from lib import message, world
from lib.mta import DOMAIN, IDN_ALABEL, IDN_ULABEL, OTHER_DOMAIN
from lib.postfix import Postfix
from lib.process import wait_until
from lib.site import MtaCase, both_mtas, ldap_conf, shared, standard_conf, write_file
from lib.slapd import Slapd, address_of

# An internationalised local part, composed, and as some keyboards send it.
COMPOSED, DECOMPOSED = "j\u00fcrgen", "Ju\u0308rgen"

HOSTS = "# local-host-names\ngate.%s\n" % DOMAIN


def conf():
    people = write_file("idn-people", "alice@%s\n%s@%s\n\"john smith\"@%s\n" % (
        IDN_ULABEL, COMPOSED, IDN_ULABEL, IDN_ALABEL))
    own = "domain %s {\n" % DOMAIN
    text = standard_conf(extra="""
directory idn {
    type  file
    path  "%s"
}
domain %s { recipients idn }
tracker { enabled no }
""" % (people, IDN_ULABEL))
    assert own in text
    return text.replace(own, own + '    hosts       [%s]\n    hosts-file  "%s"\n' % (
        world.POSTFIX_ADDRESS, write_file("host-list", HOSTS)))


@both_mtas
class Addresses(MtaCase):
    @classmethod
    def conf(cls):
        return conf()

    def replies(self, *rcpts, params="", client=None):
        """The replies to these recipients of one message."""
        client = client or self.connect()
        self.assertOk(client.mail("sender@good.example", params))
        return [client.rcpt(rcpt) for rcpt in rcpts]

    def test_detail_is_looked_up_without_and_delivered_with_it(self):
        client = self.connect()
        known, unknown = self.replies("alice+lists@" + DOMAIN, "nobody+lists@" + DOMAIN, client=client)
        self.assertReply(known, 250)
        self.assertReply(unknown, 550, "5.1.1")
        self.assertReply(client.data(message.build(self.token)), 250)
        self.mta.wait_delivered(self.token, "alice+lists")

    def test_case_and_quotes_make_no_difference(self):
        for rcpt in ("ALICE@" + DOMAIN.upper(), '"alice"@' + DOMAIN):
            with self.subTest(rcpt):
                self.assertReply(self.replies(rcpt)[0], 250)

    def test_host_has_the_recipients_of_its_domain(self):
        known, unknown = self.replies("alice@gate." + DOMAIN, "nobody@gate." + DOMAIN)
        self.assertReply(known, 250)
        self.assertReply(unknown, 550, "5.1.1")

    def test_alabel_finds_what_the_directory_has_in_ulabels(self):
        known, unknown = self.replies("Alice@" + IDN_ALABEL, "nobody@" + IDN_ALABEL)
        self.assertReply(known, 250)
        self.assertReply(unknown, 550, "5.1.1")

    def test_quoted_local_part_is_found(self):
        known, unknown = self.replies('"John Smith"@' + IDN_ALABEL, '"john  smith"@' + IDN_ALABEL)
        self.assertReply(known, 250)
        self.assertReply(unknown, 550, "5.1.1")

    def test_postmaster_is_never_refused(self):
        for rcpt in ("postmaster@" + DOMAIN, "Postmaster+x@gate." + DOMAIN, "abuse@" + IDN_ALABEL):
            with self.subTest(rcpt):
                self.assertReply(self.replies(rcpt)[0], 250)

    def test_bare_postmaster_is_not_refused_by_us(self):
        client = self.connect()
        reply, _ = self.replies("postmaster", "nobody@" + DOMAIN, client=client)
        self.assertNotIn("no such recipient", reply.text)
        client.quit()
        line = self.mxward.wait_line(client=self.source, rule="unknown-recipient")
        self.assertEqual(line["refused-rcpts"], "unknown-recipient:nobody@" + DOMAIN)

    def is_ours(self, domain):
        """Is an unknown recipient of this domain refused? Of any other domain that is the MTA's business."""
        self.fresh_client()
        with self.connect() as client:
            return not self.replies("nobody@" + domain, client=client)[0].is_positive()

    def replace_hosts(self, text):
        os.rename(write_file("host-list.new", text), os.path.join(world.tmp, "host-list"))

    def test_list_of_hosts_is_read_again(self):
        self.addCleanup(self.replace_hosts, HOSTS)
        self.assertTrue(self.is_ours("gate." + DOMAIN))
        self.replace_hosts("other.%s\n" % DOMAIN)
        wait_until(lambda: not self.is_ours("gate." + DOMAIN), "the host is no longer ours")
        self.assertTrue(self.is_ours(DOMAIN))
        self.replace_hosts("*.%s\n" % DOMAIN)
        wait_until(lambda: self.is_ours("gate." + DOMAIN), "the host is ours again")
        os.unlink(os.path.join(world.tmp, "host-list"))
        self.assertTrue(self.is_ours("gate." + DOMAIN))


@both_mtas
class AddressesLdap(MtaCase):
    """The same in a directory server."""

    @classmethod
    def conf(cls):
        slapd = shared(Slapd)
        return ldap_conf(slapd, slapd.uri) + "domain %s { recipients staff }\ntracker { enabled no }\n" % IDN_ULABEL

    def assertKnown(self, known, unknown):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        for rcpt in known:
            self.assertReply(client.rcpt(rcpt), 250)
        for rcpt in unknown:
            self.assertReply(client.rcpt(rcpt), 550, "5.1.1")

    def test_quotes(self):
        self.assertKnown(['"Quoted Person"@' + OTHER_DOMAIN, '"unquoted person"@' + OTHER_DOMAIN],
                         ['"no person"@' + OTHER_DOMAIN])

    def test_detail(self):
        self.assertKnown([address_of(4).replace("@", "+Lists+more@")], ["stranger+person004@" + OTHER_DOMAIN])

    def test_internationalised_domain(self):
        # slapd is asked for U-labels, too, which its attribute mail can't have: it must not take offence.
        self.assertKnown(["anna@" + IDN_ALABEL, "Anna+x@" + IDN_ALABEL.upper()], ["nobody@" + IDN_ALABEL])


class AddressesSmtpUtf8(MtaCase):
    """Of the two, only Postfix speaks SMTPUTF8."""

    mta_kind = Postfix

    @classmethod
    def conf(cls):
        return conf()

    def test_ulabels_are_found_and_delivered(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example", "SMTPUTF8"))
        self.assertReply(client.rcpt("alice@" + IDN_ULABEL), 250)
        self.assertReply(client.rcpt("alice+lists@" + IDN_ULABEL.upper()), 250)
        self.assertReply(client.rcpt("nobody@" + IDN_ULABEL), 550, "5.1.1", "nobody@" + IDN_ALABEL)
        self.assertReply(client.data(message.build(self.token)), 250)
        self.mta.wait_delivered(self.token, "alice")

    def test_local_part_is_found_however_it_is_composed(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example", "SMTPUTF8"))
        for local in (COMPOSED, DECOMPOSED):
            self.assertReply(client.rcpt("%s@%s" % (local, IDN_ULABEL)), 250)
        self.assertReply(client.rcpt("jurgen@" + IDN_ULABEL), 550, "5.1.1")

    def test_log_has_the_alabel_and_is_ascii(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example", "SMTPUTF8"))
        self.assertReply(client.rcpt("nobody@" + IDN_ULABEL), 550, "5.1.1")
        client.quit()
        line = self.mxward.wait_line(client=self.source, rule="unknown-recipient")
        self.assertEqual(line["refused-rcpts"], "unknown-recipient:nobody@" + IDN_ALABEL)
        self.assertTrue(self.mxward.log.since_mark().isascii())

    def test_address_literal_is_a_host(self):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        self.assertReply(client.rcpt("alice@[%s]" % self.mta.address), 250)
        self.assertReply(client.rcpt("nobody@[%s]" % self.mta.address), 550, "5.1.1")
