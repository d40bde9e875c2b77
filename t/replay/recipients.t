# Recipients one by one: known, catch-all, unknown, foreign; a directory that can't answer never refuses.
file people <<END
anna@example.net
@catchall.example
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
    filter "(mail={addr})"
}
domain example.net catchall.example { recipients people }
domain down.example { recipients gone }
domain open.example {
    recipients gone
    on-failure accept
}
domain both.example { recipients people gone }
END
dns <<END
sender.example TXT "v=spf1 ip4:192.0.2.1 -all"
END

connect 192.0.2.1 mail.sender.example
= continue
helo mail.sender.example
= continue
mail <bob@sender.example>
= continue
rcpt <Anna@Example.NET>
= continue
rcpt <nobody@example.net>
= reject 550 5.1.1 rule=unknown-recipient text~nobody@example.net
rcpt <whoever@catchall.example>
= continue
rcpt <x@elsewhere.example>
= continue
rcpt <x@down.example>
= defer 451 4.4.3 rule=recipient-unavailable
rcpt <x@open.example>
= continue
rcpt <anna@both.example>
= defer 451 4.4.3
header From: bob@sender.example
end-of-headers
body hello\r\n
eom
= continue
log ~ event=message
log ~ refused=3
log ~ unknown-recipient:nobody@example.net
insert Authentication-Results ~ mx.example.net;
insert Authentication-Results ~ spf=pass smtp.mailfrom=bob@sender.example
insert Authentication-Results ~ dkim=none

# A second message on the same connection starts afresh.
mail <>
= continue
rcpt <anna@example.net>
= continue
abort
log ~ verdict=aborted
log ~ sender=""
close

# Sub-addresses, postmaster and abuse; what can't be looked up stays unknown to us, not to be refused.
session sub
connect 192.0.2.1
helo mail.sender.example
mail <bob@sender.example>
rcpt <anna+lists@example.net>
= continue
rcpt <anna+@example.net>
= continue
rcpt <nobody+lists@example.net>
= reject 550 5.1.1
rcpt <+anna@example.net>
= reject 550 5.1.1
rcpt <anna-lists@example.net>
= reject 550 5.1.1
rcpt <Postmaster@example.net>
= continue
rcpt <abuse@down.example>
= continue
rcpt <anna+x@down.example>
= defer 451 4.4.3
close
