# RFC 7208. Section 5.3: a.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case a/0 of nothing
record v=spf1 a/0 -all
= fail
case a/33
record v=spf1 a/33 -all
= permerror
case a//129
record v=spf1 a//129 -all
= permerror
case a/032
record v=spf1 a/032 -all
= permerror
case a/01
record v=spf1 a/01 -all
= permerror
case a//064
record v=spf1 a//064 -all
= permerror
case a/ alone
record v=spf1 a/ -all
= permerror
case lengths in the wrong order
record v=spf1 a//64/24 -all
= permerror
case a single slash for IPv6
record v=spf1 a/24/64 -all
= permerror
case a with a colon and nothing
record v=spf1 a: -all
= permerror
case a of a number
record v=spf1 a:192.0.2.10 -all
= permerror
case a of a numeric top label
record v=spf1 a:x.123 -all
= permerror
case a of one label
record v=spf1 a:example -all
= permerror
case a of one label and a dot
record v=spf1 a:example. -all
= permerror
case a top label that begins with a hyphen
record v=spf1 a:x.-example -all
= permerror
case a top label that ends with a hyphen
record v=spf1 a:x.example- -all
= permerror
case a port
record v=spf1 a:x.example:25 -all
= permerror
case a label that is too long
record v=spf1 a:a123456789012345678901234567890123456789012345678901234567890123.example -all
= fail

zone <<END
d.example A 192.0.2.10
END
case a
record v=spf1 a -all
= pass

zone <<END
d.example A 192.0.2.10
d.example AAAA 2001:db8::10
END
client 2001:db8::10
case a of IPv6
record v=spf1 a -all
= pass

zone <<END
x.example A 192.0.2.9
x.example A 192.0.2.10
END
client 192.0.2.10
case a elsewhere
record v=spf1 a:x.example -all
= pass

zone <<END
x.example A 192.0.2.99
END
case a with a length
record v=spf1 a:x.example/24 -all
= pass
case a with both lengths, IPv4
record v=spf1 a:x.example/24//64 -all
= pass

zone <<END
x.example AAAA 2001:db8::ffff
END
client 2001:db8::10
case a with both lengths, IPv6
record v=spf1 a:x.example/24//64 -all
= pass

zone <<END
d.example A 192.0.2.99
END
client 192.0.2.10
case the other family's length
record v=spf1 a//64 -all
= fail

zone <<END
d.example A 198.51.100.1
END
case a/0
record v=spf1 a/0 -all
= pass

zone <<END
d.example A 198.51.100.1
d.example AAAA 2001:db8::1
END
client 2001:db8::10
case a/0 for IPv6
record v=spf1 a/0 -all
= fail

zone <<END
d.example AAAA 2001:db9::1
END
case a//0
record v=spf1 a//0 -all
= pass
client 192.0.2.10
case a//0 for IPv4
record v=spf1 a//0 -all
= fail

zone <<END
d.example A 198.51.100.1
END
client 2001:db8::10
case a//0 of nothing
record v=spf1 a//0 -all
= fail

zone <<END
d.example A !timeout
END
client 192.0.2.10
case a/0 with a late answer
record v=spf1 a/0 -all
= temperror

zone <<END
x.xn--p1ai A 192.0.2.10
END
case a top label with a hyphen
record v=spf1 a:x.xn--p1ai -all
= pass

zone <<END
x.example A 192.0.2.10
END
case a with a final dot
record v=spf1 a:x.example. -all
= pass

zone <<END
x:y/z.example A 192.0.2.10
END
case colon and slash within the name
record v=spf1 a:x:y/z.example -all
= pass

zone <<END
d.example A !servfail
END
case a that fails
record v=spf1 a +all
= temperror

# ---- mapped addresses, colons, lengths of nought ----
zone <<END
h.example A 192.0.2.10
h.example AAAA 2001:db8::10
far.example A 198.51.100.1
only6.example AAAA 2001:db8::10
odd:name.example A 192.0.2.10
END
client ::ffff:192.0.2.10
case a mapped client has an A record
record v=spf1 a:h.example -all
= pass
mechanism a
case not an AAAA record
record v=spf1 a:only6.example -all
= fail
case a/0 for a mapped client
record v=spf1 a:far.example/0 -all
= pass
case a//0 for a mapped client
record v=spf1 a:only6.example//0 -all
= fail
case a name with a colon for a mapped client
record v=spf1 a:odd:name.example -all
= pass
client 2001:db8::10
case a//0 of a name without AAAA
record v=spf1 a:far.example//0 -all
= fail
case both lengths nought
record v=spf1 a:h.example/0//0 -all
= pass
client 192.0.2.10
case a length with a blank label
record v=spf1 a:h..example/24 -all
= fail
case the null label at the end
record v=spf1 a:.example -all
= fail
case a top label of a hyphen
record v=spf1 a:h.- -all
= permerror
case only a top label of digits
record v=spf1 a:123 -all
= permerror
case capital letters
record V=SPF1 A:H.EXAMPLE -ALL
= pass
mechanism a
