# Good events: accepted recipients, at once and only if the message is accepted in the end; messages that pass for their author.
file people <<END
a1@example.net
a2@example.net
a3@example.net
a4@example.net
a5@example.net
a6@example.net
a7@example.net
a8@example.net
a9@example.net
END
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net {
    recipients  people
    hosts       *.example.net
}
tracker {
    half-life          30d
    history-half-life  30d
    credit             4
    no-message         0
    abort              0
}
END
dns <<END
good.example TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
_dmarc.good.example TXT "v=DMARC1; p=reject"
END

# Given at once, and taken back from who does not deliver.
session harvester
connect 203.0.113.1
helo a.example
mail <a@a.example>
repeat 3 rcpt <x@N@@example.net>
repeat 5 rcpt <a@N@@example.net>
= continue
fact client.score = 26
fact client.unknown-share = 43
abort
mail <a@a.example>
fact client.score = 30
fact client.unknown-share = 100
# As often as he likes.
repeat 5 rcpt <a@N@@example.net>
fact client.score = 26
close
session harvester
connect 203.0.113.1
fact client.score = 30
helo a.example
mail <a@a.example>
# One mailbox, by what names ever.
rcpt <a1@example.net>
rcpt <A1+x@example.net>
rcpt <a1@mx1.example.net>
rcpt <a1+y@mx2.example.net>
rcpt <a2@example.net>
fact client.score = 29
header From: a@a.example
end-of-headers
eom
= continue
mail <a@a.example>
fact client.score = 28
fact client.unknown-share = 60
# ... nor again in the next one.
rcpt <a1@example.net>
rcpt <a1@example.net>
fact client.score = 28
header From: a@a.example
end-of-headers
eom
close
session harvester
connect 203.0.113.1
fact client.score = 28
fact client.network.score = 28
helo a.example
fact helo.score = 28
close
advance 1h
session harvester
connect 203.0.113.1
helo a.example
mail <a@a.example>
rcpt <a1@example.net>
rcpt <a2@example.net>
fact client.score = 27
header From: a@a.example
end-of-headers
eom
close

# Below 0 there is no more to be had than `credit`; what was not given is not taken back.
session list
connect 203.0.114.1
helo list.example
mail <a@list.example>
repeat 9 rcpt <a@N@@example.net>
rcpt <x1@example.net>
# 10 - 4
fact client.score = 6
abort
close
session list
connect 203.0.114.1
fact client.score = 10
close

# Good history. SPF passes for the sender's domain, which has an account of its own then.
session good
connect 192.0.2.1
fact client.good = 0
fact client.network.good = 0
helo mail.good.example
mail <a@good.example>
rcpt <x1@example.net>
rcpt <a1@example.net>
header From: a@good.example
end-of-headers
eom
= continue
fact sender.domain.score = 0
log ~ events="unknown-recipient:+10 accepted-recipient:-1 aligned-message:-3"
mail <a@good.example>
fact client.good = 1
fact client.network.good = 1
fact client.score = 6
fact sender.domain.score absent
rcpt <a2@example.net>
header From: a@good.example
end-of-headers
eom
fact sender.domain.score = 6
close
# Without an author for whom it passes there is none; nor if it was refused.
session other
connect 192.0.2.1
fact client.good = 2
# Ten, less one for each mailbox, and three for the first message of that author's domain.
fact client.score = 5
helo mail.good.example
mail <a@good.example>
rcpt <a3@example.net>
header From: a@elsewhere.example
end-of-headers
eom
= continue
mail <a@good.example>
rcpt <a3@example.net>
header From: a@good.example
header From: b@elsewhere.example
end-of-headers
eom
= reject 550 rule=from-several
close
session other
connect 192.0.2.1
fact client.good = 2
close

# IPv6: the client is its /64, its networks are the /56 and, by half, the /48.
session six
connect 2001:db8:1:201::1
helo six.good.example
mail <a@good.example>
rcpt <x1@example.net>
rcpt <x2@example.net>
fact client.score = 20
fact client.network.score = 20
rcpt <a1@example.net>
header From: a@good.example
end-of-headers
eom
close
session six
connect 2001:db8:1:2ff::1
fact client.score = 0
fact client.network.score = 16
fact client.network.good = 1
fact client.network.unknown-share = 67
close
session six
connect 2001:db8:1:300::1
fact client.network.score = 8
fact client.network.good = 1
fact client.good = 0
close
session six
connect 2001:db8:2:300::1
fact client.network.score = 0
close

# Accounts that are not kept.
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
tracker { keys network }
END
reload
session six
connect 2001:db8:1:300::1
fact client.network.score = 0
close
session keys
connect 203.0.113.1
fact client.score = 0
fact client.network.score = 26
helo a.example
fact helo.score = 0
mail <a@a.example> user=anna
fact auth.score = 0
close
session good
connect 192.0.2.1
fact client.good = 0
fact client.network.good = 2
helo mail.good.example
mail <a@good.example>
rcpt <a3@example.net>
header From: a@good.example
end-of-headers
eom
fact sender.domain.score absent
close
