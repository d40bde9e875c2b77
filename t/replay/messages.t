# Several messages on one connection, whatever came of the one before: nothing of it is left.
file people <<END
anna@example.net
ben@example.net
END
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
directory gone {
    type ldap
    uri  ldapi://%2fnonexistent%2fmxward-replay
    base "dc=example,dc=net"
}
domain example.net { recipients people }
domain down.example { recipients gone }
rule big {
    when    message.size > 5K
    reject  "552 5.3.4 too big"
}
END
dns <<END
sender.example TXT "v=spf1 ip4:192.0.2.1 -all"
forged.example TXT "v=spf1 -all"
slow.example TXT !timeout
END

connect 192.0.2.1 mail.sender.example
helo mail.sender.example

# good
mail <bob@sender.example>
queue-id Q1
rcpt <anna@example.net>
rcpt <ben@example.net>
header Authentication-Results: mx.example.net; dkim=pass
header From: bob@sender.example
end-of-headers
body one
eom
= continue
log ~ queue=Q1
log ~ rcpts=2
log ~ verdict=continue
edits 2
fact rcpt.count = 2
fact authres.forged = 1

# refused at the end, right behind it, without an abort between them (Postfix sends none)
mail <bob@forged.example>
fact authres.forged absent
fact rcpt.count absent
fact spf absent
no-log event=message
rcpt <anna@example.net>
fact rcpt.count = 1
header From: bob@forged.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery
log ~ sender=bob@forged.example
log ~ verdict=reject
no-log Q1
edits 0

# no recipient was good: the client gives up, and that is no fault of its
mail <bob@sender.example>
rcpt <nobody@example.net>
= reject 550 5.1.1
abort
log ~ refused=1
log ~ rule=unknown-recipient
fact session.aborts = 0
mail <bob@sender.example>
rcpt <x@down.example>
= defer 451 4.4.3 rule=recipient-unavailable
abort
log ~ verdict=defer

# one of two
mail <bob@sender.example>
rcpt <nobody@example.net>
= reject 550
rcpt <ben@example.net>
= continue
fact rcpt absent
header From: bob@sender.example
end-of-headers
body three
eom
= continue
log ~ rcpts=2 refused=1
log ~ verdict=continue
log ~ refused-rcpts=unknown-recipient:nobody@example.net
abort
no-log event=message

# too big, and a small one after it
mail <bob@sender.example>
rcpt <anna@example.net>
header-bytes X-Big 6000
end-of-headers
eom
= reject 552 rule=big
mail <bob@sender.example>
rcpt <anna@example.net>
header From: bob@sender.example
end-of-headers
body small
eom
= continue
log ~ size=

# nothing is known of the sender, then all is
mail <bob@slow.example>
rcpt <anna@example.net>
header From: bob@slow.example
end-of-headers
eom
= defer 451 rule=spf-forgery
mail <bob@sender.example>
rcpt <anna@example.net>
header From: bob@sender.example
end-of-headers
eom
= continue
insert Authentication-Results ~ spf=pass smtp.mailfrom=bob@sender.example
no-insert slow.example

# one user, then another one
mail <anna@example.net> user=anna tls=TLSv1.3
fact auth = yes
fact tls = yes
rcpt <ben@example.net>
end-of-headers
eom
= continue
insert Authentication-Results ~ auth=pass smtp.auth=anna
log ~ user=anna
mail <>
fact auth = no
fact auth.user absent
fact tls = no
rcpt <anna@example.net>
end-of-headers
eom
= continue
no-insert auth=
no-log user=
log ~ sender=""
fact session.messages = 11
close
no-log event=message
