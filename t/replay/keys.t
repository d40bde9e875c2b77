# Each kind of key can be left out, and those that are kept are kept without the others: here the sender's domain alone.
file people <<END
anna@example.net
bob@example.net
END
conf <<END
authserv-id mx.example.net
networks {
    relays 198.51.100.1
}
directory people {
    type file
    path @DIR@/people
}
domain example.net {
    recipients people
}
tracker {
    half-life  30d
    keys       domain
    traps      trap@example.net
}
# So that the score is known at RCPT.
rule domain-score {
    when   sender.domain.score >= 1000
    defer
}
END
dns <<END
good.example TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.good.example TXT "v=DMARC1; p=none"
END

session guesser
connect 192.0.2.1
helo mail.good.example
unknown FOO
mail <a@good.example>
rcpt <x1@example.net>
rcpt <x2@example.net>
repeat 2 rcpt <trap@example.net>
repeat 2 rcpt-refused <x@elsewhere.example>
fact sender.domain.score = 0
fact client.score = 0
fact client.network.score = 0
fact helo.score = 0
# guesses are counted all the same
fact client.unknown-rcpts = 3
abort
mail <a@good.example>
rcpt <anna@example.net>
fact sender.domain.score = 140
header From: a@good.example
end-of-headers
eom
mail <a@good.example>
rcpt <anna@example.net>
# an accepted recipient, and a message with an aligned pass
fact sender.domain.score = 136
fact client.good = 0
close

# What a relay hands on of it counts as well.
session relay
connect 198.51.100.1
helo relay.example.net
mail <a@good.example>
rcpt <x3@example.net>
header Received: from mail.good.example (unknown [192.0.2.9]) by relay.example.net (Postfix) with ESMTP id 1; Fri, 2 Jan 2026 00:00:00 +0000
header From: a@good.example
end-of-headers
eom
close
session after
connect 192.0.2.2
helo mail.good.example
mail <a@good.example>
rcpt <bob@example.net>
fact sender.domain.score = 146
close

# A domain for which SPF does not pass has nothing of it.
session forger
connect 203.0.113.1
helo mail.good.example
mail <a@good.example>
rcpt <x4@example.net>
fact sender.domain.score absent
close
