# RFC 7208. Section 5.4: mx.
mail strong-bad@d.example
helo mail.helo.example

zone <<END
d.example MX 10 m1.example
d.example MX 20 m2.example
m2.example A 192.0.2.10
END
client 192.0.2.10
case mx
record v=spf1 mx -all
= pass

zone <<END
d.example MX 10 m.example
m.example A 192.0.2.1
END
case mx with a length
record v=spf1 mx/24 -all
= pass

zone <<END
d.example MX 10 m.example
m.example A 198.51.100.1
END
case mx/0
record v=spf1 mx/0 -all
= pass

zone <<END
d.example MX 10 m.example
END
case mx/0 without address
record v=spf1 mx/0 -all
= fail

zone <<END
d.example A 192.0.2.10
END
case mx/0 without mx
record v=spf1 mx/0 -all
= fail

zone <<END
d.example MX 10 m.example
m.example AAAA 2001:db9::1
END
client 2001:db8::10
case mx//0
record v=spf1 mx//0 -all
= pass
client 192.0.2.10
case mx//0 for IPv4
record v=spf1 mx//0 -all
= fail

zone <<END
d.example A 192.0.2.10
END
case a domain without mx
record v=spf1 mx -all
= fail

zone <<END
d.example MX 0 .
END
case null mx
record v=spf1 mx -all
= fail

zone <<END
d.example MX !servfail
END
case mx that fails
record v=spf1 mx -all
= temperror

zone <<END
d.example MX 1 m.example
m.example A !servfail
END
case mx host that fails
record v=spf1 mx -all
= temperror

zone <<END
d.example MX 1 m1.example
d.example MX 2 m2.example
d.example MX 3 m3.example
m1.example A 192.0.2.1
END
client 2001:db8::10
case IPv6 client, exchangers with IPv4 only
record v=spf1 mx ip6:2001:db8::/32 -all
= pass

zone <<END
d.example MX 1 m.example
d.example MX 2 m2.example
d.example MX 3 m3.example
d.example MX 4 m4.example
d.example MX 5 m5.example
d.example MX 6 m6.example
d.example MX 7 m7.example
d.example MX 8 m8.example
d.example MX 9 m9.example
d.example MX 10 ma.example
d.example MX 11 mb.example
m.example A 192.0.2.10
END
client 192.0.2.10
case eleven exchangers
record v=spf1 mx -all
= permerror

# ---- syntax, mapped addresses, lengths of nought ----
zone <<END
m.example MX 10 h.example
h.example A 192.0.2.10
far.example MX 10 h2.example
h2.example A 198.51.100.1
six.example MX 10 h6.example
h6.example AAAA 2001:db8::10
odd:name.example MX 10 h.example
empty.example MX 10 nowhere.example
d.example MX 5 h2.example
d.example MX 10 h.example
END
client ::ffff:192.0.2.10
case a mapped client
record v=spf1 mx:m.example -all
= pass
mechanism mx
case exchangers with IPv6 only are not for it
record v=spf1 mx:six.example -all
= fail
case mx/0 for a mapped client
record v=spf1 mx:far.example/0 -all
= pass
case mx//0 for a mapped client
record v=spf1 mx:six.example//0 -all
= fail
case a name with a colon
record v=spf1 mx:odd:name.example -all
= pass
client 192.0.2.10
case the domain itself, with lengths
record v=spf1 mx/24//64 -all
= pass
case mx/33
record v=spf1 mx/33 -all
= permerror
case mx//129
record v=spf1 mx//129 -all
= permerror
case mx/08
record v=spf1 mx/08 -all
= permerror
case a colon and nothing
record v=spf1 mx: -all
= permerror
case a numeric top label
record v=spf1 mx:m.77 -all
= permerror
case a top label that ends with a hyphen
record v=spf1 mx:m.example- -all
= permerror
case an address
record v=spf1 mx:192.0.2.10 -all
= permerror
case a NUL in the name
record v=spf1 mx:m\000.example -all
= permerror
case exchangers that do not exist
record v=spf1 mx:empty.example ?all
= neutral
case two lengths of the same kind
record v=spf1 mx/24/24 -all
= permerror
client 2001:db8::10
case IPv6
record v=spf1 mx:six.example//64 -all
= pass
case mx/0 says nothing of IPv6
record v=spf1 mx:m.example/0 -all
= fail
