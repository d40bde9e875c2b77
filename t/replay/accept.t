# What `accept` lets pass: the session, the message or the recipient it was decided about, and nothing else.
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
rule friend {
    at      connect
    when    client.address in 203.0.113.0/24
    accept
}
rule partner {
    at      mail
    when    sender.domain = partner.example
    accept
}
rule abuse-desk {
    when    rcpt.address = abuse@example.net
    accept
}
rule no-subject {
    at      eom
    when    header.size < 10
    reject  "550 5.6.0 hardly any header"
}
END

# The session: every message, every recipient; what is known is added all the same, what is forged goes.
session friend
connect 203.0.113.5
= accept
helo mx.example.net
mail <a@x.example>
rcpt <nobody@example.net>
= continue
header Authentication-Results: mx.example.net; dkim=pass
end-of-headers
eom
= continue
delete Authentication-Results 1
insert Authentication-Results ~ mx.example.net
mail <b@x.example>
rcpt <nobody@example.net>
= continue
abort
close
session stranger
connect 198.51.100.5
= continue
helo x.example

# The message, and not the next one.
mail <a@partner.example>
= accept rule=partner
rcpt <nobody@example.net>
= continue
end-of-headers
eom
= continue
mail <a@x.example>
= continue
rcpt <nobody@example.net>
= reject 550 5.1.1

# The recipient, and neither the next one nor the message.
rcpt <abuse@example.net>
= accept rule=abuse-desk
rcpt <nobody@example.net>
= reject 550 5.1.1
rcpt <anna@example.net>
= continue
end-of-headers
eom
= reject 550 5.6.0 rule=no-subject
close

# An address that was accepted belongs to that session; the next one on the same connection is another's.
session other
connect 203.0.113.6
= accept
connect 198.51.100.6
= continue
helo x.example
mail <a@x.example>
rcpt <nobody@example.net>
= reject 550 5.1.1
close

# Half of what it takes to accept is not known: what would be refused for good without it waits.
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rule vouched-for {
    at      mail
    when    spf = pass
    accept
}
END
dns <<END
slow.example TXT !timeout
none.example TXT "no record"
END
reload
session unsure
connect 198.51.100.7
helo x.example
mail <a@slow.example>
= continue
rcpt <nobody@example.net>
= defer 451 rule=vouched-for
rcpt <anna@example.net>
= continue
abort
mail <a@none.example>
rcpt <nobody@example.net>
= reject 550 5.1.1
close
