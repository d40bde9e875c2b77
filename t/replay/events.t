# Each event earns its points, once for what it is.
file people <<END
anna@example.net
bob@example.net
carl@example.net
END
file all <<END
@wide.example
END
conf <<END
authserv-id mx.example.net
networks {
    internal    10.0.0.0/8
    forwarders  198.51.100.99
}
directory people {
    type file
    path @DIR@/people
}
directory all {
    type file
    path @DIR@/all
}
domain example.net { recipients people }
domain wide.example {
    recipients  all
    catch-all   yes
}
# The points of each event tell them apart.
tracker {
    half-life           30d
    unknown-recipient   10
    rejected-recipient  11
    relay-attempt       20
    unknown-command     5
    abort               2
    no-message          1
    unfinished-most     1000
    helo-forged         21
    own-domain-forged   12
    spf-fail            6
    dmarc-fail          7
    from-bad            13
    accepted-recipient  1
    aligned-message     3
}
# Points are what is looked at here.
rule client-score-connect off
rule client-score-disconnect off
rule client-score-defer off
rule no-relay {
    when    rcpt = foreign and sender matches "relayer@*"
    reject  "550 5.7.1 no"
}
END
dns <<END
good.example TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
_dmarc.good.example TXT "v=DMARC1; p=reject"
_dmarc.strict.example TXT "v=DMARC1; p=quarantine"
_dmarc.soft.example TXT "v=DMARC1; p=none"
END

# ---- recipients ----

session guesser
connect 203.0.113.1
fact client.unknown-share = 0
helo a.example
mail <a@a.example>
rcpt <x1@example.net>
= reject 550 rule=unknown-recipient
fact client.score = 10
fact client.network.score = 10
fact helo.score = 10
fact client.unknown-share = 100
rcpt <x1@example.net>
fact client.score = 10
rcpt-refused <x2@example.net>
fact client.score = 21
rcpt <anna@example.net>
= continue
# its credit shows with the next step
rcpt <Anna+detail@example.net>
fact client.score = 20
fact client.unknown-share = 67
rcpt <postmaster@example.net>
rcpt <any@wide.example>
rcpt <x1@example.net>
fact client.score = 20
abort
log ~ events="unknown-recipient:+10 rejected-recipient:+11"
no-log accepted-recipient
# Who was refused does right to give up; the next one just gives up. Taken back is what was given.
mail <a@a.example>
fact client.score = 21
rcpt <anna@example.net>
fact client.score = 21
abort
log ~ events="abort:+2"
mail <a@a.example>
fact client.score = 23
close

# The same network, another host and name.
session neighbour
connect 203.0.113.2
fact client.score = 0
fact client.network.score = 23
helo b.example
fact helo.score = 0
mail <a@a.example>
close

# A relay attempt: what the MTA takes is none, what it or a rule refuses is, and no unknown recipient; each once.
session relayer
connect 192.0.2.200
helo a.example
mail <a@a.example>
rcpt <x@elsewhere.example>
= continue
repeat 2 rcpt-refused <x@elsewhere.example>
fact client.score = 20
fact client.unknown-rcpts = 0
rcpt-deferred <y@elsewhere.example>
fact client.score = 20
abort
mail <relayer@a.example>
rcpt <z@elsewhere.example>
= reject 550 rule=no-relay
rcpt <anna@example.net>
fact client.score = 40
close

# ---- commands and sessions ----

session commands
connect 203.0.114.1
helo a.example
unknown FOO
= continue
unknown BAR
fact client.score = 10
close
# Nobody who came for nothing; one that was greeted with a refusal had no choice.
session commands
connect 203.0.114.1
fact client.score = 11
helo our.example
close
session commands
connect 203.0.114.1
fact client.score = 12
helo mx.example.net
mail <a@a.example>
# Our own name; counted once.
fact client.score = 33
rcpt <anna@example.net>
rcpt <bob@example.net>
fact client.score = 33
abort
log ~ helo-forged:+21
close

# ---- messages ----

session guesser
connect 203.0.115.1
helo a.example
mail <x@good.example>
rcpt <anna@example.net>
header From: x@good.example
end-of-headers
eom
= reject 550 rule=spf-forgery
log ~ events="spf-fail:+6 dmarc-fail:+7"
mail <x@strict.example>
fact client.score = 13
rcpt <anna@example.net>
header From: x@strict.example
end-of-headers
eom
= continue
log ~ events="dmarc-fail:+7 accepted-recipient:-1"
mail <x@soft.example>
fact client.score = 19
rcpt <anna@example.net>
header From: x@soft.example
end-of-headers
eom
mail <x@a.example>
fact client.score = 19
rcpt <anna@example.net>
header From: anna@example.net
end-of-headers
eom
mail <x@a.example>
fact client.score = 31
rcpt <anna@example.net>
header From: x@one.example, y@two.example
end-of-headers
eom
= reject 550 rule=from-several
log ~ events="from-bad:+13"
close
# A forwarder does none of that itself.
session commands
connect 198.51.100.99
helo a.example
mail <x@good.example>
rcpt <anna@example.net>
header From: x@good.example
end-of-headers
eom
mail <x@a.example>
fact client.score = 0
rcpt <anna@example.net>
header From: anna@example.net
end-of-headers
eom
mail <x@a.example>
fact client.score = 0
close

# ---- who has authenticated ----

session user
connect 203.0.116.1
helo a.example
mail <a@example.net> user=anna
fact auth.score = 0
rcpt <x1@example.net>
rcpt <x1@example.net>
rcpt-refused <x2@example.net>
fact auth.score = 21
fact client.score = 0
rcpt <bob@example.net>
unknown FOO
header From: x@one.example, y@two.example
end-of-headers
eom
mail <a@example.net> user=anna
fact auth.score = 20
close
session user
connect 203.0.116.1
fact client.score = 0
fact client.network.score = 0
helo a.example
# (The name has points of other clients.)
# However the name is written, it is the same account.
mail <a@example.net> user=Anna
fact auth.score = 20
mail <a@example.net> user=berta
fact auth.score = 0
close
# Inside: no account.
session relayer
connect 10.1.2.3
helo inside.example
mail <a@example.net>
repeat 5 rcpt <in@N@@example.net>
fact client.score = 0
fact client.network.score = 0
fact client.good = 0
fact client.unknown-share = 0
fact helo.score = 0
fact auth.score absent
close
