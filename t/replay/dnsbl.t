# Lists of addresses in the DNS: which are asked, what counts as an answer, and what becomes of one that is unwell.
conf <<END
networks {
    internal  127.0.0.0/8 10.0.0.0/8
    relays    192.0.2.25
}
dnsbl zen {
    zone   zen.bl.example
    codes  127.0.0.2-127.0.0.11
}
dnsbl second { zone second.bl.example }
dnsbl welcome {
    zone   wl.example
    codes  127.0.1.0-127.0.20.3
}
rule listed {
    at          rcpt
    when        client.dnsbl in zen second and not client.dnsbl = welcome and client.class = outside and not auth
    if-unknown  skip
    reject      "550 5.7.1 {client} is listed by {client.dnsbl} ({session})"
}
rule strict {
    at      rcpt
    when    client.dnsbl = zen and sender = strict@client.example
    if-unknown  defer
    reject  "550 5.7.1 strict ({session})"
}
rule origin-listed observe {
    at          eom
    when        origin.dnsbl = zen
    if-unknown  skip
    reject
}
END
dns <<END
2.0.0.127.zen.bl.example     A 127.0.0.2
2.0.0.127.second.bl.example  A 127.0.0.2
2.0.0.127.wl.example         A 127.0.10.0
7.113.0.203.zen.bl.example   A 127.0.0.4
7.113.0.203.zen.bl.example   A 127.0.0.10
8.113.0.203.zen.bl.example   A 127.0.0.12
9.113.0.203.second.bl.example A 127.0.0.254
9.113.0.203.wl.example       A 127.0.5.1
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.bl.example A 127.0.0.3
10.113.0.203.zen.bl.example  A 127.255.255.254
11.113.0.203.zen.bl.example  ANY !servfail
12.113.0.203.second.bl.example ANY !servfail
12.113.0.203.zen.bl.example  A 127.0.0.2
13.113.0.203.zen.bl.example  A 192.0.2.80
15.113.0.203.zen.bl.example  A 127.0.0.2
15.113.0.203.second.bl.example A 127.0.0.3
14.113.0.203.zen.bl.example  A !delay=300ms
14.113.0.203.second.bl.example A !delay=300ms
14.113.0.203.wl.example      A !delay=300ms
END

# Listed, with two codes.
session a
connect 203.0.113.7
helo x.example
mail <bob@client.example>
fact client.dnsbl absent
rcpt <anna@example.net>
= reject 550 5.7.1 rule=listed text~203.0.113.7 is listed by zen (
fact client.dnsbl = zen
asked 7.113.0.203.second.bl.example 1
asked 7.113.0.203.wl.example 1
rcpt <ben@example.net>
asked 7.113.0.203.zen.bl.example 1
close

# A code that was not asked for; and a list of the welcome that outweighs the other.
connect 203.0.113.8
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact client.dnsbl absent
no-log event=dnsbl
close
connect 203.0.113.9
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact client.dnsbl = second
close

connect 203.0.113.15
mail <bob@client.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=listed text~203.0.113.15 is listed by zen, second (
abort
log ~ client.dnsbl=zen,second
close

# IPv6, by its nibbles.
connect 2001:db8::1
mail <bob@client.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=listed
fact client.dnsbl = zen
close

# Who logs in may be listed. Inside, relays and private addresses are nobody's to ask for.
connect 203.0.113.7
mail <anna@example.net> user=anna
rcpt <bob@client.example>
= continue
close
connect 10.0.0.7
mail <anna@example.net>
rcpt <bob@client.example>
asked 7.0.0.10.zen.bl.example 0
close
connect 192.168.7.7
mail <anna@example.net>
rcpt <bob@client.example>
asked 7.7.168.192.zen.bl.example 0
fact client.dnsbl absent
close

# An error code is no listing, and is told once; nor is a failure, nor an answer that is no code.
connect 203.0.113.10
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact client.dnsbl unavailable
log ~ event=dnsbl list=zen zone=zen.bl.example text="it answers with an error code
close
connect 203.0.113.10
mail <strict@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=strict
no-log event=dnsbl
close
connect 203.0.113.11
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact client.dnsbl unavailable
no-log event=dnsbl
close
connect 203.0.113.13
mail <bob@client.example>
rcpt <anna@example.net>
= continue
log ~ text="its answers are no codes of a list
close

# One list is away, and the other says enough: no doubt is left where it makes no difference.
connect 203.0.113.12
mail <strict@client.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=listed
fact client.dnsbl = zen
close

# All are asked for at once, as soon as the client is there, and waited for together where a rule wants to know.
connect 203.0.113.14
took = 0
asked 14.113.0.203.zen.bl.example 1
asked 14.113.0.203.second.bl.example 1
asked 14.113.0.203.wl.example 1
mail <bob@client.example>
rcpt <anna@example.net>
= continue
took = 300ms
close

# Behind a relay it is the origin that is looked for.
connect 192.0.2.25
mail <bob@client.example>
rcpt <anna@example.net>
= continue
asked 25.2.0.192.zen.bl.example 0
header Received: from x (unknown [203.0.113.7])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
= continue
fact client.dnsbl absent
fact origin.dnsbl = zen
log ~ observed="origin-listed:reject"
mail <bob@client.example>
rcpt <anna@example.net>
header From: bob@client.example
end-of-headers
eom
fact origin.dnsbl absent
close
connect 203.0.113.8
mail <bob@client.example>
rcpt <anna@example.net>
header From: bob@client.example
end-of-headers
eom
fact origin.dnsbl absent
close

# Lists that are dead: one lists all, one nothing, one can't be tested. They say nothing, or are in doubt.
conf <<END
dnsbl all   { zone all.example }
dnsbl empty { zone empty.example }
dnsbl away  { zone away.example }
dnsbl own {
    zone         own.example
    test-points  no
}
dnsbl six {
    zone       six.example
    addresses  ipv6
}
rule any { at rcpt
    when client.dnsbl = all or client.dnsbl = empty or client.dnsbl = six
    if-unknown defer
    reject }
rule away { at rcpt
    when client.dnsbl = away and sender = away@client.example
    if-unknown defer
    defer "450 4.7.1 away" }
rule own { at rcpt
    when client.dnsbl = own and sender = own@client.example
    if-unknown defer
    reject }
END
dns <<END
*.all.example  A 127.0.0.2
7.113.0.203.empty.example A 127.0.0.2
7.113.0.203.away.example A 127.0.0.2
*.0.0.127.away.example ANY !servfail
7.113.0.203.own.example A 127.0.0.2
2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.six.example A 127.0.0.2
7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.six.example A 127.0.0.2
END
# They are found out before there is a client.
reload
log ~ list=all zone=all.example text="it lists 127.0.0.1
log ~ list=empty zone=empty.example text="it does not list its test address
session dead
connect 203.0.113.7
mail <bob@client.example>
rcpt <anna@example.net>
= continue
asked 7.113.0.203.all.example 0
asked 7.113.0.203.six.example 0
abort
mail <own@client.example>
rcpt <anna@example.net>
= reject 550
close
connect 203.0.113.7
mail <away@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=away
no-log event=dnsbl
close
connect 2001:db8::7
mail <bob@client.example>
rcpt <anna@example.net>
= reject 550 rule=any
fact client.dnsbl = six
close
advance 61m
connect 203.0.113.7
log ~ list=all zone=all.example text="it lists 127.0.0.1
close

# Nobody is asked for whom no rule asks.
conf <<END
dnsbl zen { zone unasked.example }
END
reload
session unasked
connect 203.0.113.7
mail <bob@client.example>
rcpt <anna@example.net>
end-of-headers
eom
asked 7.113.0.203.unasked.example 0
close
