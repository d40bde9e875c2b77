# SPDX-License-Identifier: BSD-2-Clause
"""Recipients in the tables that mail servers have already, and in an SQLite database."""

import os
import sqlite3

from lib import site, world
from lib.mta import DOMAIN, OTHER_DOMAIN
from lib.mxward import Mxward
from lib.site import MtaCase, both_mtas

CLOSED = """# sendmail's access
Connect:192.0.2.99		REJECT
To:dave@{domain}		ERROR:5.1.1:550 has left
To:{domain}			RELAY
"""
VIRTUAL = """# sendmail's virtusertable
old@{domain}		error:nouser 550 no longer here
moving@{domain}	error:4.2.1:450 being moved
closed+*@{domain}	error:nouser 550 no details
carol@{domain}		carol
@{other}		error:nouser 550 nobody else
bob@{other}		bob
"""
RELAY = """# Postfix's relay_recipient_maps
alice@{domain}	OK
# a comment within a line that goes on
closed@{domain}
	of no meaning
dave@{domain}	OK
old@{domain}	OK
"""
SOURCES = """
directory closed {{ type file
    format  access
    path    "{closed}"
}}
directory virtual {{ type file
    format  virtusertable
    path    "{virtual}"
}}
directory relay {{ type file
    format  postfix
    path    "{relay}"
}}
directory mailboxes {{ type sqlite
    database  "{database}"
    query     "SELECT class FROM mailboxes WHERE address = :addr AND active"
    class-column  yes
    timeout   2s
    positive-lifetime 0
    negative-lifetime 0
    stale-lifetime 0
}}
domain {domain} {other} {{
    recipients  closed virtual relay mailboxes
}}
rule shy-recipients {{
    at      rcpt
    when    rcpt.class = shy
    reject  "550 5.7.1 {{rcpt}}: not from outside"
}}
"""
MAILBOXES = """
CREATE TABLE mailboxes (address TEXT PRIMARY KEY, class TEXT, active INTEGER);
INSERT INTO mailboxes VALUES ('bob@%s', 'plain', 1), ('shy@%s', 'shy', 1), ('off@%s', 'plain', 0);
""" % (DOMAIN, DOMAIN, DOMAIN)


@both_mtas
class RecipientTables(MtaCase):
    @classmethod
    def conf(cls):
        cls.database = os.path.join(world.tmp, "mail.sqlite")
        if not os.path.exists(cls.database):
            with sqlite3.connect(cls.database) as db:
                db.executescript(MAILBOXES)
        files = {name: site.write_file(name, text.format(domain=DOMAIN, other=OTHER_DOMAIN))
                 for name, text in (("closed", CLOSED), ("virtual", VIRTUAL), ("relay", RELAY))}
        text = site.standard_conf()
        head = text[:text.index("directory people")]
        return head + SOURCES.format(domain=DOMAIN, other=OTHER_DOMAIN, database=cls.database, **files)

    def rcpt(self, who):
        client = self.connect()
        self.assertOk(client.mail("sender@good.example"))
        reply = client.rcpt(who)
        client.close()
        return reply

    def test_recipients_of_every_table_get_their_mail(self):
        client = self.connect()
        for who in ("alice", "bob", "carol"):
            self.good_mail(client, who)

    def test_a_table_that_refuses_is_not_overruled_by_one_asked_later(self):
        for who in ("dave@" + DOMAIN, "old@" + DOMAIN, "closed+list@" + DOMAIN, "nobody@" + DOMAIN, "alice@" + OTHER_DOMAIN):
            self.assertReply(self.rcpt(who), 550, "5.1.1")

    def test_what_is_only_put_off_is_no_unknown_recipient(self):
        for who in ("moving@" + DOMAIN, "closed@" + DOMAIN, "bob@" + OTHER_DOMAIN, "alice+list@" + DOMAIN):
            self.assertReply(self.rcpt(who), 250)

    def test_rows_of_a_database_and_their_class(self):
        self.assertReply(self.rcpt("BOB@" + DOMAIN), 250)
        self.assertReply(self.rcpt("off@" + DOMAIN), 550, "5.1.1")
        self.assertReply(self.rcpt("shy@" + DOMAIN), 550, "5.7.1", "not from outside")
        self.assertReply(self.rcpt("\"' OR 1=1 --\"@" + DOMAIN), 550, "5.1.1")

    def test_a_locked_database_makes_nobody_unknown(self):
        writer = sqlite3.connect(self.database, isolation_level=None)
        try:
            writer.execute("BEGIN EXCLUSIVE")
            self.assertTemporary(self.rcpt("bob@" + DOMAIN))
            self.assertTemporary(self.rcpt("nobody@" + DOMAIN))
            self.assertReply(self.rcpt("alice@" + DOMAIN), 250)
            self.assertReply(self.rcpt("old@" + DOMAIN), 550, "5.1.1")
            writer.execute("COMMIT")
            self.assertReply(self.rcpt("bob@" + DOMAIN), 250)
            self.assertReply(self.rcpt("nobody@" + DOMAIN), 550, "5.1.1")
        finally:
            writer.close()
