# A session keeps the configuration it began with; the next one has the new one. What clients did is not forgotten.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
session old
connect 198.51.100.7
helo x.example
mail <a@x.example>
rcpt <nobody@example.net>
= reject 550 5.1.1 rule=unknown-recipient
fact client.score = 10

file staff <<END
nobody@example.net
END
conf <<END
authserv-id new.example.net
mode observe
directory staff {
    type file
    path @DIR@/staff
}
domain example.net { recipients staff }
tracker { half-life 1h }
rule unknown-recipient off
rule staff-only {
    when    rcpt = unknown
    reject  "551 5.1.6 {rcpt} has left"
}
END
reload
session new
connect 198.51.100.7
fact client.score = 10
helo x.example
mail <a@x.example>
rcpt <nobody@example.net>
= continue decided=continue
rcpt <anna@example.net>
= continue decided=reject rule=staff-only
header Authentication-Results: mx.example.net; spf=pass
header Authentication-Results: new.example.net; spf=pass
end-of-headers
eom
= continue
delete Authentication-Results 2
insert Authentication-Results ~ new.example.net
log ~ mode=observe
close

session old
rcpt <nobody@example.net>
= reject 550 5.1.1 rule=unknown-recipient
rcpt <anna@example.net>
= continue
header Authentication-Results: mx.example.net; spf=pass
header Authentication-Results: new.example.net; spf=pass
header From: a@x.example
end-of-headers
eom
= continue
delete Authentication-Results 1
insert Authentication-Results ~ mx.example.net
no-log mode=observe
# and so has its next message
mail <a@x.example>
rcpt <nobody@example.net>
= reject 550 5.1.1
close
