# The whole daemon observes, or one rule does: decided, logged, not enforced.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
mode observe
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END

connect 198.51.100.7
helo x.example
mail <a@x.example>
rcpt <nobody@example.net>
= continue decided=reject rule=unknown-recipient
repeat 40 rcpt <nobody@N@@example.net>
= continue decided=defer
header From: a@x.example
end-of-headers
eom
= continue
log ~ mode=observe
insert Authentication-Results ~ mx.example.net
close

conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rule unknown-recipient observe
END
reload
session second
connect 198.51.100.99
helo x.example
mail <a@x.example>
rcpt <nobody@example.net>
= continue
rcpt <anna@example.net>
header From: a@x.example
end-of-headers
eom
= continue
log ~ observed="unknown-recipient:reject sender-domain-none:defer"
close
