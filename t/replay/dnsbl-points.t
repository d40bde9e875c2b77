# Lists with weights, by what they answer; lists of domains for the HELO name, the sender and the client's own name; what they add to the score.
conf <<END
authserv-id mx.example.net
helo-names  www.example.net
dnsbl zen {
    zone    zen.example
    points  4
    result  127.0.0.2 spam 10
    result  127.0.0.10-127.0.0.11 dynamic 3
    result  127.0.0.3-127.0.0.4 bot 20
}
dnsbl welcome {
    zone    wl.example
    codes   127.0.5.0-127.0.5.3
    points  -30
}
dnsbl names {
    kind    domains
    zone    dbl.example
    points  5
    result  127.0.1.4 phish 12
}
dnsbl full {
    kind         domains
    ask          full
    zone         full.example
    test-points  no
    result       127.0.0.8 host 1
}
tracker { listed 2 }
rule points {
    at          rcpt
    when        client.dnsbl.points >= 14 or sender.dnsbl = names or helo.dnsbl.result = names:phish
    if-unknown  skip
    reject      "550 5.7.1 {client.dnsbl.result} {client.dnsbl.points} {sender.dnsbl} {helo.dnsbl.result}"
}
rule strict {
    at      rcpt
    when    client.dnsbl.points >= 14 and sender = strict@client.example
    if-unknown  defer
    reject  "550 5.7.1 strict"
}
rule own-name observe {
    at          rcpt
    when        iprev.dnsbl = full or helo.dnsbl = full
    if-unknown  skip
    reject
}
END
dns <<END
2.0.0.127.zen.example      A 127.0.0.2
2.0.0.127.wl.example       A 127.0.5.1
test.dbl.example           A 127.0.1.2
7.113.0.203.zen.example    A 127.0.0.2
7.113.0.203.zen.example    A 127.0.0.10
7.113.0.203.zen.example    A 127.0.0.11
8.113.0.203.zen.example    A 127.0.0.3
8.113.0.203.zen.example    A 127.0.0.77
8.113.0.203.wl.example     A 127.0.5.0
9.113.0.203.zen.example    A 127.0.0.4
9.113.0.203.wl.example     ANY !servfail
10.113.0.203.wl.example    A 127.0.5.0
11.113.0.203.wl.example    ANY !servfail
12.113.0.203.zen.example   ANY !servfail
13.113.0.203.zen.example   A 127.0.0.2
13.113.0.203.zen.example   A 127.0.0.3
bad.example.dbl.example    A 127.0.1.2
worse.example.dbl.example  A 127.0.1.4
host.listed.example.full.example A 127.0.0.8
20.113.0.203.in-addr.arpa  PTR host.listed.example
host.listed.example        A 203.0.113.20
error.example.dbl.example  A 127.255.255.252
asked.example.dbl.example  A 127.0.1.255
END
reload
no-log event=dnsbl

# Two results, each once, however many codes are of it.
session a
connect 203.0.113.7
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact client.dnsbl = zen
fact client.dnsbl.result = zen:spam
fact client.dnsbl.points = 13
fact client.score = 26
rcpt <ben@example.net>
fact client.score = 26
mail <bob@client.example>
rcpt <anna@example.net>
fact client.score = 26
close
# A code without a name has the list's points; the list of the welcome takes away, and below nothing there is nothing.
connect 203.0.113.8
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact client.dnsbl = zen
fact client.dnsbl.points = 0
fact client.score = 0
close
connect 203.0.113.10
mail <bob@client.example>
rcpt <anna@example.net>
fact client.dnsbl.points = 0
close
connect 203.0.113.13
mail <bob@client.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=points text~zen:spam, zen:bot 30
close

# Without an answer of the list of the welcome the sum is not known: no refusal, and no points. With nothing to lower it is 0 all the same.
connect 203.0.113.9
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact client.dnsbl.points unavailable
fact client.score = 0
mail <strict@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=strict
close
connect 203.0.113.11
mail <strict@client.example>
rcpt <anna@example.net>
= continue
fact client.dnsbl.points = 0
close
# One of the unwelcome that is away gives no points: that refuses nobody.
connect 203.0.113.12
mail <strict@client.example>
rcpt <anna@example.net>
= continue
fact client.dnsbl unavailable
fact client.dnsbl.result unavailable
fact client.dnsbl.points = 0
close

# Domains: the sender's ...
connect 192.0.2.1
helo x.client.example
mail <bob@news.BAD.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=points
fact sender.dnsbl = names
fact sender.dnsbl.points = 5
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact sender.dnsbl absent
asked client.example.dbl.example 1
mail <>
rcpt <anna@example.net>
= continue
close
# ... and the HELO name, which adds to the score ...
connect 192.0.2.2
helo mail.worse.example
mail <bob@client.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=points
fact helo.dnsbl = names
fact helo.dnsbl.result = names:phish
fact helo.dnsbl.points = 12
fact client.score = 24
abort
helo fine.example
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact helo.dnsbl absent
close
# ... and the client's own name, if its addresses confirm it; here it is asked for as a whole.
connect 203.0.113.20 host.listed.example
helo x.client.example
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact iprev.dnsbl = full
fact iprev.dnsbl.result = full:host
fact iprev.dnsbl.points = 1
abort
log ~ observed="own-name:reject"
close
connect 203.0.113.21 host.listed.example
helo x.client.example
mail <bob@client.example>
rcpt <anna@example.net>
fact iprev.dnsbl absent
close

# What is nobody's domain is not asked for, nor what is ours.
connect 192.0.2.3
helo [192.0.2.3]
mail <bob@[192.0.2.3]>
rcpt <anna@example.net>
asked 192.0.2.3.dbl.example 0
asked [192.0.2.3].dbl.example 0
helo 192.0.2.3
mail <bob@localhost>
rcpt <anna@example.net>
asked 192.0.2.3.dbl.example 0
asked localhost.dbl.example 0
helo printer.lan
mail <bob@www.example.net>
rcpt <anna@example.net>
asked printer.lan.dbl.example 0
asked printer.lan.full.example 0
asked www.example.net.full.example 0
asked example.net.dbl.example 0
mail <bob>
rcpt <anna@example.net>
= continue
close
# Who logs in may use what name he likes.
connect 192.0.2.4
mail <bob@bad.example> user=bob
rcpt <anna@client.example>
= continue
fact sender.dnsbl absent
close
# Errors are no listings.
connect 192.0.2.5
helo x.client.example
mail <bob@error.example>
rcpt <anna@example.net>
= continue
fact sender.dnsbl unavailable
log ~ list=names zone=dbl.example text="it answers with an error code
mail <bob@asked.example>
rcpt <anna@example.net>
= continue
fact sender.dnsbl absent
close
# Behind a relay nothing goes into a score.
connect 127.0.0.1
helo mail.worse.example
mail <bob@bad.example>
rcpt <anna@example.net>
= continue
fact helo.dnsbl absent
close
