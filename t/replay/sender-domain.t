# Where mail for the sender's domain would go. Asked at MAIL, wanted at the end of the message.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
helo-names mail.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
networks { internal 127.0.0.0/8 20.0.0.0/24 }
spf { enabled no }
rule look observe {
    at     mail
    when   sender.mx = none
    if-unknown skip
    reject "550 5.1.8 no ({session})"
}
END
dns <<END
mx.example MX 10 mx1.mx.example
mx.example MX 20 mx2.mx.example
mx1.mx.example A 30.0.0.1
mx2.mx.example A 30.0.0.2
addr.example A 30.0.0.3
addr6.example AAAA 2a00::3
null.example MX 0 .
null10.example MX 10 .
notnull.example MX 0 .
notnull.example MX 10 mx1.mx.example
halfnull.example MX 0 .
halfnull.example MX 10 gone.example
loop.example MX 10 loop-host.example
loop-host.example A 127.0.0.1
loop-host.example AAAA ::1
mapped.example MX 10 mapped-host.example
mapped-host.example AAAA ::ffff:127.0.0.1
priv.example MX 10 priv-host.example
priv.example MX 20 loop-host.example
priv-host.example A 10.1.2.3
priv-host.example AAAA fd00::1
privaddr.example A 192.168.1.1
doc.example A 192.0.2.1
both.example MX 10 priv-host.example
both.example MX 20 mx1.mx.example
six.example MX 10 six-host.example
six-host.example A 10.0.0.1
six-host.example AAAA 2a00::1
ours.example MX 10 mail.example.net
oursaddr.example MX 10 in.example
in.example A 20.0.0.7
gone-mx.example MX 10 gone.example
number.example MX 10 10.0.0.1
blank.example MX 10 a\032b.example
sick.example MX !servfail
sick-host.example MX 10 sick-a.example
sick-host.example MX 20 priv-host.example
sick-a.example ANY !servfail
sick-but.example MX 10 sick-a.example
sick-but.example MX 20 mx1.mx.example
sick-addr.example TXT x
sick-addr.example A !servfail
empty.example TXT "nothing else"
full.example MX !overbudget
END

connect 198.51.100.7
helo x.example
mail <a@mx.example>
fact sender.mx = mx
asked mx1.mx.example 1
asked mx2.mx.example 0
mail <a@addr.example>
fact sender.mx = address
mail <a@addr6.example>
fact sender.mx = address
mail <a@null.example>
fact sender.mx = null-mx
mail <a@null10.example>
fact sender.mx = null-mx
mail <a@notnull.example>
fact sender.mx = mx
mail <a@halfnull.example>
fact sender.mx = none
mail <a@loop.example>
fact sender.mx = loopback
mail <a@mapped.example>
fact sender.mx = loopback
mail <a@priv.example>
fact sender.mx = private
mail <a@privaddr.example>
fact sender.mx = private
mail <a@doc.example>
fact sender.mx = private
mail <a@both.example>
fact sender.mx = mx
mail <a@six.example>
fact sender.mx = mx
mail <a@ours.example>
fact sender.mx = ours
mail <a@oursaddr.example>
fact sender.mx = ours
mail <a@gone-mx.example>
fact sender.mx = none
mail <a@number.example>
fact sender.mx = none
mail <a@blank.example>
fact sender.mx = none
mail <a@empty.example>
fact sender.mx = none
mail <a@no-such.example>
fact sender.mx = none
asked no-such.example 1
# Without an answer nothing is said, unless what is known is enough.
mail <a@sick.example>
= continue
fact sender.mx unavailable
mail <a@sick-host.example>
fact sender.mx unavailable
mail <a@sick-but.example>
fact sender.mx = mx
mail <a@sick-addr.example>
fact sender.mx unavailable
mail <a@full.example>
fact sender.mx unavailable
# Nobody is asked.
mail <a@example.net>
fact sender.mx absent
asked example.net 0
mail <>
fact sender.mx absent
mail <a@[192.0.2.1]>
fact sender.mx absent
mail <postmaster>
fact sender.mx absent
mail <a@mx.example> user=anna
fact sender.mx absent
close
session inside
connect 20.0.0.9
helo x.example
mail <a@null.example>
fact sender.mx absent
close

# More hosts than are looked at, and none of the first ten is there.
dns <<END
many.example MX 1 h01.example
many.example MX 2 h02.example
many.example MX 3 h03.example
many.example MX 4 h04.example
many.example MX 5 h05.example
many.example MX 6 h06.example
many.example MX 7 h07.example
many.example MX 8 h08.example
many.example MX 9 h09.example
many.example MX 10 h10.example
many.example MX 0 h11.example
h10.example A 30.0.0.9
h09.example A 10.0.0.9
END
session many
connect 198.51.100.8
helo x.example
mail <a@many.example>
fact sender.mx = mx
asked h11.example 2
asked h10.example 0
close

# The rules that are there by default.
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
spf { enabled no }
END
reload
session null
connect 198.51.100.9
helo x.example
mail <a@null.example>
= continue
rcpt <anna@example.net>
= continue
header From: a@null.example
end-of-headers
eom
= reject 550 5.7.27 rule=sender-null-mx
close
session none
connect 198.51.100.9
helo x.example
mail <a@no-such.example>
rcpt <anna@example.net>
header From: a@no-such.example
end-of-headers
eom
= continue
log ~ sender-domain-none:defer
close
session nowhere
connect 198.51.100.9
helo x.example
mail <a@priv.example>
rcpt <anna@example.net>
header From: a@priv.example
end-of-headers
eom
= continue
log ~ sender-mx-nowhere:reject
close
session sick
connect 198.51.100.9
helo x.example
mail <a@sick.example>
rcpt <anna@example.net>
header From: a@sick.example
end-of-headers
eom
= continue
close

# With slow answers: the MX and then its address, both on their way before anybody wants them, and all the other hosts at once.
dns <<END
slow.example MX 10 a.slow.example
a.slow.example A 30.0.0.5
slow.example ANY !delay=50ms
a.slow.example ANY !delay=50ms
odd.slow.example ANY !delay=50ms
b.slow.example ANY !delay=50ms
c.slow.example ANY !delay=50ms
odd.slow.example MX 10 b.slow.example
odd.slow.example MX 20 c.slow.example
b.slow.example A 10.0.0.1
c.slow.example A 10.0.0.2
END
session slow
connect 198.51.100.10
helo x.example
mail <a@slow.example>
took = 0
advance 50ms
rcpt <anna@example.net>
took = 0
advance 30ms
header From: a@slow.example
end-of-headers
eom
took = 20ms
fact sender.mx = mx
mail <a@odd.slow.example>
took = 0
rcpt <anna@example.net>
took = 0
header From: a@odd.slow.example
end-of-headers
eom
took = 150ms
fact sender.mx = private
close
