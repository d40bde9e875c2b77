# Whatever a client calls itself before, the last HELO counts, and nothing of an earlier one stays behind.
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
rule helo-refused {
    at      rcpt
    when    spf.helo = fail
    reject  "550 5.7.23 {helo}: refused"
}
END
dns <<END
mail.good.example TXT "v=spf1 ip4:198.51.100.7 -all"
bad.example TXT "v=spf1 -all"
END

connect 198.51.100.7
repeat 200 helo h@N@.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.cccccccccccccccccccccccccccccccccccccccccccccccccccc.example
repeat 200 helo h@N@.example
helo mx.example.net
fact helo = mx.example.net
fact helo.syntax = domain
fact helo.forged = yes
mail <a@x.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=helo-forged text~mx.example.net
abort
log ~ helo=mx.example.net
close

# SPF of a name given up says nothing of the next one.
session second
connect 198.51.100.7
helo bad.example
mail <a@x.example>
rcpt <anna@example.net>
= reject 550 5.7.23 rule=helo-refused
fact spf.helo = fail
abort
helo [198.51.100.7]
fact spf.helo absent
mail <a@x.example>
rcpt <anna@example.net>
= continue
fact spf.helo absent
abort
helo mail.good.example
mail <a@x.example>
rcpt <anna@example.net>
= continue
fact spf.helo = pass
close
