# Reverse DNS, forward-confirmed. Its questions are asked at connect, and nobody waits for them before they are needed.
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
networks { internal 127.0.0.0/8 192.0.2.0/24 }
rule look observe {
    at     connect eom
    when   iprev = fail or iprev.name = "bad.example"
    if-unknown skip
    reject "550 5.7.25 no ({session})"
}
END
dns <<END
7.100.51.198.in-addr.arpa PTR mail.good.example
mail.good.example A 198.51.100.7
8.100.51.198.in-addr.arpa PTR other.example
other.example A 198.51.100.99
9.100.51.198.in-addr.arpa PTR nowhere.example
10.100.51.198.in-addr.arpa PTR z.many.example
10.100.51.198.in-addr.arpa PTR b.many.example
10.100.51.198.in-addr.arpa PTR a.many.example
z.many.example A 198.51.100.10
b.many.example A 198.51.100.10
a.many.example A 192.0.2.99
12.100.51.198.in-addr.arpa ANY !servfail
13.100.51.198.in-addr.arpa PTR sick.example
sick.example A !servfail
14.100.51.198.in-addr.arpa PTR sick.example
14.100.51.198.in-addr.arpa PTR fine.example
fine.example A 198.51.100.14
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.example
six.example AAAA 2001:db8::1
six.example A 192.0.2.1
16.100.51.198.in-addr.arpa PTR a\032b.example
17.100.51.198.in-addr.arpa PTR six.example
END

connect 198.51.100.7
fact iprev = pass
fact iprev.name = mail.good.example
close
connect 198.51.100.8
fact iprev = fail
fact iprev.name absent
close
connect 198.51.100.9
fact iprev = fail
close
connect 198.51.100.10
fact iprev = pass
fact iprev.name = b.many.example
close
connect 198.51.100.11
fact iprev = permerror
fact iprev.name absent
close
connect 198.51.100.12
= continue
fact iprev unavailable
fact iprev.name unavailable
close
connect 198.51.100.13
fact iprev unavailable
close
# One that can't be had does not matter beside one that confirms.
connect 198.51.100.14
fact iprev = pass
close
connect 2001:db8::1
fact iprev = pass
fact iprev.name = six.example
close
connect ::ffff:198.51.100.7
fact iprev = pass
close
# No host has a name with a blank in it.
connect 198.51.100.16
fact iprev = fail
close
# The addresses of the client's own family count.
connect 198.51.100.17
fact iprev = fail
asked six.example 2
close
connect 192.0.2.5
fact iprev absent
asked 5.2.0.192.in-addr.arpa 0
close
connect local
fact iprev absent
close

# Many names: ten are looked at.
dns <<END
20.100.51.198.in-addr.arpa PTR n01.example
20.100.51.198.in-addr.arpa PTR n02.example
20.100.51.198.in-addr.arpa PTR n03.example
20.100.51.198.in-addr.arpa PTR n04.example
20.100.51.198.in-addr.arpa PTR n05.example
20.100.51.198.in-addr.arpa PTR n06.example
20.100.51.198.in-addr.arpa PTR n07.example
20.100.51.198.in-addr.arpa PTR n08.example
20.100.51.198.in-addr.arpa PTR n09.example
20.100.51.198.in-addr.arpa PTR n10.example
20.100.51.198.in-addr.arpa PTR n11.example
n11.example A 198.51.100.20
END
connect 198.51.100.20
fact iprev = fail
asked n10.example 1
asked n11.example 0
close

# With slow answers: the reverse names, then all their addresses at once.
dns <<END
21.100.51.198.in-addr.arpa PTR s1.slow.example
21.100.51.198.in-addr.arpa PTR s2.slow.example
21.100.51.198.in-addr.arpa ANY !delay=50ms
s1.slow.example A 192.0.2.7
s2.slow.example A 198.51.100.21
*.slow.example ANY !delay=50ms
END
connect 198.51.100.21
took = 100ms
fact iprev = pass
close

# No rule of the early stages names it: it comes with the results at the end, and by then it has long been answered.
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
reload
dns <<END
22.100.51.198.in-addr.arpa PTR s3.slow.example
22.100.51.198.in-addr.arpa ANY !delay=50ms
s3.slow.example A 198.51.100.22
END
connect 198.51.100.22
took = 0
advance 60ms
helo plain.example
took = 0
advance 60ms
mail <>
took = 0
rcpt <anna@example.net>
header From: a@plain.example
end-of-headers
eom
took = 0
fact iprev = pass
asked s3.slow.example 1
close

# Neither rules nor results want it: nobody is asked.
conf <<END
authentication-results no
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
reload
connect 198.51.100.23
fact iprev absent
asked 23.100.51.198.in-addr.arpa 0
close
