# SPDX-License-Identifier: BSD-2-Clause
"""Who the client is: listed in the DNS, or a NAT with strangers behind it."""

from lib import dnsd, message
from lib.mta import DOMAIN
from lib.site import MtaCase, both_mtas, standard_conf

PORT = 5355

LISTS = """
dnsbl zen { zone zen.example }
dnsbl dead { zone dead.example }
rule listed {
    at          rcpt
    when        client.dnsbl = zen and client.class = outside and not auth
    if-unknown  skip
    reject      "550 5.7.1 {client} is listed in {client.dnsbl} ({session})"
}
rule dead {
    at      rcpt
    when    client.dnsbl = dead
    reject
}
"""


def reversed_name(address, zone):
    return ".".join(reversed(address.split("."))) + "." + zone


@both_mtas
class BlockLists(MtaCase):
    @classmethod
    def conf(cls):
        cls.dns = dnsd.DnsServer({("2.0.0.127.zen.example", dnsd.A): ["127.0.0.2"],
                                  ("2.0.0.127.dead.example", dnsd.A): ["127.0.0.2"],
                                  ("1.0.0.127.dead.example", dnsd.A): ["127.0.0.2"]}, port=PORT)
        cls.addClassCleanup(cls.dns.stop)
        # Lists have no limit: three questions to each at once are two too many for any other zone.
        return standard_conf(resolver="forward     127.0.0.1@%d\n    timeout     6s\n    zone-rate   1\n    zone-burst  1"
                                      % PORT, extra=LISTS)

    def rcpt(self, code, zone="zen.example"):
        self.dns.records[(reversed_name(self.source, zone), dnsd.A)] = [code]
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        return client.rcpt("alice@" + DOMAIN)

    def test_a_listed_client_is_refused(self):
        self.assertReply(self.rcpt("127.0.0.4"), 550, "5.7.1", "is listed in zen")

    def test_an_error_code_is_no_listing(self):
        self.assertOk(self.rcpt("127.255.255.254"))
        self.assertIn((reversed_name(self.source, "zen.example"), dnsd.A), self.dns.asked)

    def test_a_list_that_lists_everything_is_passed_over(self):
        self.assertOk(self.rcpt("127.0.0.2", "dead.example"))


@both_mtas
class Nat(MtaCase):
    @classmethod
    def conf(cls):
        return standard_conf(extra="tracker { nat-helo-names 4 }")

    def rcpt(self, source, helo):
        client = self.connect(source, helo=helo)
        self.assertOk(client.mail("sender@good.example"))
        return client, client.rcpt("alice@" + self.mta.relayed_domain)

    def test_relaying_ends_when_many_organisations_come_from_one_internal_address(self):
        source = "192.0.2.90"
        for helo in ("mx.example.de", "mx.example.fr", "mx.example.it"):
            self.assertOk(self.rcpt(source, helo)[1])
        client, reply = self.rcpt(source, "mx.example.nl")
        self.assertReply(reply, 550, "5.7.1")
        self.mxward.wait_line(event="nat", client=source)
        self.assertOk(client.rcpt("alice@" + DOMAIN))
        self.assertReply(client.data(message.build(self.token)), 250)
        # Its neighbour is another host.
        self.assertOk(self.rcpt("192.0.2.91", "mx.example.nl")[1])
