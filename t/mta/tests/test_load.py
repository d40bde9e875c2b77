# SPDX-License-Identifier: BSD-2-Clause
"""Many sessions at once, large messages, headers beyond the limits."""

import threading

from lib import message, smtp
from lib.mta import AUTHSERV_ID, DOMAIN
from lib.site import MtaCase, both_mtas, next_client, standard_conf

SESSIONS = 40
MESSAGES = 5


@both_mtas
class Parallel(MtaCase):
    def session(self, source, tokens, trouble):
        """Good messages, a forged one and an unknown recipient, on one connection."""
        try:
            with self.mta.client(source) as client:
                client.ehlo()
                for token in tokens:
                    _, rcpts, last = client.send_mail("sender@good.example", ["alice@" + DOMAIN, "bob@" + DOMAIN],
                                                      message.build(token))
                    if [r.code for r in rcpts] != [250, 250] or last.code != 250:
                        trouble.append("good mail: %r %r" % (rcpts, last))
                _, rcpts, last = client.send_mail("boss@forged.example", ["nobody@" + DOMAIN, "carol@" + DOMAIN],
                                                  message.build(tokens[0]))
                if [r.code for r in rcpts] != [550, 250] or last.code != 550:
                    trouble.append("bad mail: %r %r" % (rcpts, last))
                client.quit()
        except (smtp.Disconnected, OSError, AttributeError) as e:
            trouble.append(repr(e))

    def test_every_session_gets_what_is_its_own(self):
        trouble, threads, tokens = [], [], []
        for _ in range(SESSIONS):
            own = [message.new_token() for _ in range(MESSAGES)]
            tokens += own
            threads.append(threading.Thread(target=self.session, args=(next_client(), own, trouble), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
        self.assertEqual(trouble, [])
        for token in tokens:
            for name in ("alice", "bob"):
                delivered = self.mta.wait_delivered(token, name)
                self.assertIn("spf=pass", delivered.results(AUTHSERV_ID)[0])
            self.assertEqual(self.mta.delivered(token, "carol"), [])


@both_mtas
class Large(MtaCase):
    @classmethod
    def conf(cls):
        return standard_conf(extra="limits {\n    header-bytes 64K\n}\n")

    def test_signed_message_of_ten_megabytes(self):
        body = b"".join(b"%08d the quick brown fox jumps over the lazy dog and on and on\r\n" % i
                        for i in range(150000))
        text = message.sign(message.build(self.token, body=body))
        _, _, last = self.connect().send_mail("sender@good.example", ["alice@" + DOMAIN], text)
        self.assertReply(last, 250)
        delivered = self.mta.wait_delivered(self.token)
        self.assertEqual(delivered.body, body.replace(b"\r\n", b"\n"))
        self.assertIn("dkim=pass", delivered.results(AUTHSERV_ID)[0])

    def test_header_beyond_the_limit_is_refused(self):
        text = message.build(self.token, extra=["X-Fill-%d: %s" % (i, "x" * 900) for i in range(100)])
        client = self.connect()
        _, _, last = client.send_mail("sender@good.example", ["alice@" + DOMAIN], text)
        self.assertReply(last, 552, "5.3.4")
        self.mxward.wait_line(client=self.source, rule="header-too-large")
        self.good_mail(client)

    def test_header_beyond_the_limit_passes_unexamined_from_inside(self):
        delivered = self.good_mail(self.connect(source="127.0.0.7"),
                                   extra=["X-Fill-%d: %s" % (i, "x" * 900) for i in range(100)])
        self.assertEqual(len([name for name, _ in delivered.headers if name.startswith("x-fill-")]), 100)

    def test_header_beyond_the_limit_hides_no_forged_results(self):
        forged = ["X-Fill-%d: %s" % (i, "x" * 900) for i in range(100)]
        forged.append("Authentication-Results: %s; dkim=pass header.d=bank.example" % AUTHSERV_ID)
        delivered = self.good_mail(self.connect(source="127.0.0.7"), extra=forged)
        self.assertNotIn(b"bank.example", delivered.raw)

    def test_text_behind_the_length_of_a_signature_is_seen(self):
        text = message.sign(message.build(self.token), length=5)
        _, _, last = self.connect().send_mail("sender@good.example", ["alice@" + DOMAIN],
                                              text.replace(b"Good morning", b"Good evening"))
        self.assertReply(last, 250)
        self.assertIn("dkim=pass", self.mta.wait_delivered(self.token).results(AUTHSERV_ID)[0])

    def test_more_signatures_than_the_limit(self):
        text = message.sign(message.build(self.token))
        head = text.split(b"From:")[0]
        _, _, last = self.connect().send_mail("sender@good.example", ["alice@" + DOMAIN], head * 30 + text)
        self.assertReply(last, 250)
        self.assertEqual(len(self.mta.wait_delivered(self.token).results(AUTHSERV_ID)), 1)
