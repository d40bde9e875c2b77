# A stranger who claims to be us.
file people <<END
anna@example.net
@example.net
END
conf <<END
authserv-id mx.example.net
networks { internal 127.0.0.0/8 192.0.2.0/24 }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END

session name
connect 198.51.100.7
helo MX.Example.net
fact helo.forged = yes
# not yet: the client may still authenticate
fact client.score = 0
mail <a@x.example>
fact client.score >= 20
rcpt <anna@example.net>
= reject 550 5.7.1 rule=helo-forged
close
session domain
connect 198.51.100.8
helo example.net.
fact helo.forged = yes
close
session literal
connect 198.51.100.9
helo [192.0.2.7]
fact helo.forged = yes
fact helo.syntax = literal
close
session ours
connect 192.0.2.7
helo mx.example.net
fact helo.forged = no
mail <a@x.example>
rcpt <anna@example.net>
= continue
close
session honest
connect 198.51.100.10
helo [198.51.100.10]
fact helo.forged = no
# a second EHLO (after STARTTLS) is not counted again
helo [198.51.100.10]
helo other.example
fact helo.syntax = domain
close
# A user's computer goes by an address that is inside here as well: no lie, and nothing that counts, at any step.
session laptop
connect 198.51.100.12
helo [192.0.2.33]
fact helo.forged = yes
mail <anna@example.net> user=anna
rcpt <bob@elsewhere.example>
= continue
fact client.score = 0
abort
repeat 20 unknown NOSUCH
= continue
fact client.score = 0
mail <anna@example.net> user=anna
fact client.score = 0
close
session bytes
connect 198.51.100.11
helo \r\n\t"evil=1
fact helo.syntax = invalid
mail <a@x.example>
rcpt <anna@example.net>
abort
log ~ helo="\x0d\x0a\x09\"evil=1"
close
