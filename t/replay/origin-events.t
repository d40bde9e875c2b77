# What comes through a relay goes on the accounts of whom the relay has it from, at the end of the message.
file people <<END
anna@example.net
bob@example.net
END
conf <<END
authserv-id mx.example.net
networks {
    internal  127.0.0.0/8 10.0.0.0/8
    relays    192.0.2.25
}
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
tracker {
    half-life 30d
    traps     trap@example.net
    keys      address network wide helo domain
}
END
dns <<END
good.example TXT "v=spf1 ip4:203.0.113.0/24 -all"
_dmarc.good.example TXT "v=DMARC1; p=reject"
END

session relay
connect 192.0.2.25
helo relay.example.net
mail <a@a.example>
# More than are kept.
repeat 40 rcpt <x@N@@example.net>
rcpt <x1@example.net>
rcpt <anna@example.net>
fact client.score = 0
header Received: from helo.example (mail.client.example [203.0.113.7])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: a@one.example, b@two.example
end-of-headers
eom
= continue
fact origin.score = 0
log ~ events="unknown-recipient:+320 from-bad:+10"
mail <a@good.example>
rcpt <x1@example.net>
rcpt <anna@example.net>
rcpt <bob@example.net>
header Received: from helo.example (mail.client.example [203.0.113.7])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: a@good.example
end-of-headers
eom
= continue
# one for anna
fact origin.score = 329
# Of a user there, or a host inside, nobody pays.
mail <a@a.example>
rcpt <y1@example.net>
rcpt <anna@example.net>
header Received: from pc.example (pc.example [10.0.0.7])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: a@one.example, b@two.example
end-of-headers
eom
= continue
no-log events=
# Nor if the message does not come to its end.
mail <a@a.example>
rcpt <y2@example.net>
rcpt <anna@example.net>
abort
no-log events=
mail <a@a.example>
rcpt <trap@example.net>
rcpt <anna@example.net>
header Received: from helo.example (mail.client.example [203.0.113.9])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: a@a.example
end-of-headers
eom
log ~ events="trap-recipient:+100"
close

session client
connect 203.0.113.7
# 320 + 10 - 1, then bob's, and 3 for a message that passes
fact client.score = 325
fact client.good = 1
fact client.network.good = 1
fact client.unknown-rcpts = 32
fact client.network.score = 425
close
session client
connect 203.0.113.9
fact client.score = 99
close
session relay
connect 192.0.2.25
fact client.score = 0
fact client.network.score = 0
