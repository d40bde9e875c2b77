# Of whom DMARC is evaluated: strangers, and what a relay had of them.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
networks {
    internal    127.0.0.0/8 10.0.0.0/8
    relays      192.0.2.25
    forwarders  198.51.100.64/28
}
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
dns <<END
sender.example TXT "v=spf1 ip4:203.0.113.1 -all"
_dmarc.sender.example TXT "v=DMARC1; p=reject; sp=none; np=reject"
list.example TXT "v=spf1 ip4:198.51.100.7 -all"
evil.example TXT "v=spf1 ip4:198.51.100.8 -all"
quiet.example TXT "v=spf1 ip4:203.0.113.1 -all"
_dmarc.quiet.example TXT "v=DMARC1; p=quarantine"
test.example TXT "v=spf1 ip4:203.0.113.1 ?all"
_dmarc.test.example TXT "v=DMARC1; p=reject; t=y"
dead.example TXT "v=spf1 ip4:203.0.113.1 ?all"
_dmarc.dead.example TXT !timeout
old.sender.example A 203.0.113.9
END

# Through a relay of ours: of whom it had the message is what counts; it is not refused for it.
session relay
connect 192.0.2.25
helo relay.example.net
mail <x@evil.example>
rcpt <anna@example.net>
header Received: from evil.example (evil.example [198.51.100.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: bob@sender.example
end-of-headers
eom
= continue
fact dmarc = fail
mail <bob@sender.example>
rcpt <anna@example.net>
header Received: from mail.sender.example (mail.sender.example [203.0.113.1])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: bob@sender.example
end-of-headers
eom
= continue
fact dmarc = pass
# One of our own hosts, and somebody of whom nothing is known: nothing is said.
mail <bob@sender.example>
rcpt <anna@example.net>
header Received: from pc (pc [10.0.0.9])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: bob@sender.example
end-of-headers
eom
= continue
fact dmarc absent
fact dkim.aligned absent
mail <bob@sender.example>
rcpt <anna@example.net>
header From: bob@sender.example
end-of-headers
eom
= continue
fact dmarc absent
close

# Neither is anything of users and of our own hosts.
session user
connect 198.51.100.8
helo evil.example
mail <x@evil.example> user=anna
rcpt <bob@elsewhere.example>
header From: bob@sender.example
end-of-headers
eom
= continue
fact dmarc absent
close
session inside
connect 10.0.0.9
helo pc
mail <bob@sender.example>
rcpt <anna@example.net>
header From: bob@sender.example
end-of-headers
eom
= continue
fact dmarc absent
