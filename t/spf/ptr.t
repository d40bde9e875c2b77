# RFC 7208. Section 5.5: ptr.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case ptr with a length
record v=spf1 ptr/24 -all
= permerror
case ptr with a colon and nothing
record v=spf1 ptr: -all
= permerror

zone <<END
10.2.0.192.in-addr.arpa PTR h.d.example
h.d.example A 192.0.2.10
END
case ptr
record v=spf1 ptr -all
= pass

zone <<END
10.2.0.192.in-addr.arpa PTR e.example
e.example A 192.0.2.10
END
case ptr of another domain
record v=spf1 ptr:e.example -all
= pass

zone <<END
10.2.0.192.in-addr.arpa PTR h.d.example
h.d.example A 192.0.2.1
END
case ptr that is not confirmed
record v=spf1 ptr -all
= fail

zone <<END
10.2.0.192.in-addr.arpa PTR bad.example
bad.example A 192.0.2.10
END
case ptr of a look-alike
record v=spf1 ptr -all
= fail

zone <<END
0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR h.d.example
h.d.example AAAA 2001:db8::10
END
client 2001:db8::10
case ptr of IPv6
record v=spf1 ptr -all
= pass

zone <<END
10.2.0.192.in-addr.arpa PTR !servfail
END
client 192.0.2.10
case ptr whose server fails
record v=spf1 ptr ?all
= neutral

zone <<END
10.2.0.192.in-addr.arpa PTR !timeout
END
case ptr that never comes
record v=spf1 ptr -all
= temperror

zone <<END
10.2.0.192.in-addr.arpa PTR a.d.example
10.2.0.192.in-addr.arpa PTR b.d.example
a.d.example A !servfail
b.d.example A 192.0.2.10
END
case a name of the client whose server fails
record v=spf1 ptr -all
= pass

zone <<END
10.2.0.192.in-addr.arpa PTR a.e.example
10.2.0.192.in-addr.arpa PTR b.e.example
10.2.0.192.in-addr.arpa PTR c.e.example
10.2.0.192.in-addr.arpa PTR d.e.example
10.2.0.192.in-addr.arpa PTR e.e.example
10.2.0.192.in-addr.arpa PTR f.e.example
10.2.0.192.in-addr.arpa PTR g.e.example
10.2.0.192.in-addr.arpa PTR h.e.example
10.2.0.192.in-addr.arpa PTR i.e.example
10.2.0.192.in-addr.arpa PTR j.e.example
10.2.0.192.in-addr.arpa PTR k.d.example
k.d.example A 192.0.2.10
END
case the eleventh name is not looked at
record v=spf1 ptr ?all
= neutral

# ---- a client with names that lead nowhere, or in a circle ----
zone <<END
10.2.0.192.in-addr.arpa PTR circle.d.example
10.2.0.192.in-addr.arpa PTR gone.d.example
10.2.0.192.in-addr.arpa PTR good.D.example
circle.d.example CNAME circle.d.example
good.d.example A 192.0.2.10
END
client 192.0.2.10
case names that fail are skipped
record v=spf1 ptr -all
= pass
mechanism ptr
case a circle of aliases alone is no error
record v=spf1 ptr:circle.d.example ?all
= neutral
case an exact name
record v=spf1 ptr:good.d.example -all
= pass
case a name below another
record v=spf1 ptr:ood.d.example -all
= fail
client ::ffff:192.0.2.10
case a mapped client has the names of IPv4
record v=spf1 ptr -all
= pass
client 192.0.2.11
case a client without names
record v=spf1 ptr -all
= fail
