# RFC 7208. Section 5.6: ip4 and ip6.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case ip4
record v=spf1 ip4:192.0.2.10 -all
= pass
case ip4 with a length
record v=spf1 ip4:192.0.2.0/28 -all
= pass
case ip4 just outside
record v=spf1 ip4:192.0.2.16/28 -all
= fail
case ip4 with bits beyond its length
record v=spf1 ip4:192.0.2.15/28 -all
= pass
case ip4/0
record v=spf1 ip4:10.0.0.0/0 -all
= pass
client 2001:db8::10
case ip4/0 for IPv6
record v=spf1 ip4:10.0.0.0/0 -all
= fail
client 192.0.2.10
case ip4/33
record v=spf1 ip4:192.0.2.10/33 -all
= permerror
case ip4/032
record v=spf1 ip4:192.0.2.10/032 -all
= permerror
case ip4//32
record v=spf1 ip4:192.0.2.10//32 -all
= permerror
case ip4 of three parts
record v=spf1 ip4:192.0.2 -all
= permerror
case ip4 with leading zeros
record v=spf1 ip4:192.0.2.010 -all
= permerror
case ip4 with a port
record v=spf1 ip4:192.0.2.10:25 -all
= permerror
case ip4 alone
record v=spf1 ip4 -all
= permerror
client 2001:db8::10
case ip6
record v=spf1 ip6:2001:db8::/32 -all
= pass
case ip6/0
record v=spf1 ip6:::/0 -all
= pass
client 192.0.2.10
case ip6/0 for IPv4
record v=spf1 ip6:::/0 -all
= fail
client 2001:db8::10
case ip6/129
record v=spf1 ip6:2001:db8::/129 -all
= permerror
case ip6//64
record v=spf1 ip6:2001:db8:://64 -all
= permerror
case ip6 of nonsense
record v=spf1 ip6:2001:db8 -all
= permerror
client ::ffff:192.0.2.10
case a mapped client is an IPv4 client
record v=spf1 ip4:192.0.2.10 -all
= pass
client 192.0.2.10
case ip6 of a mapped address
record v=spf1 ip6:::ffff:192.0.2.10 -all
= fail
client 2001:db8::10
case prefix of 127 bits
record v=spf1 ip6:2001:db8::11/127 -all
= pass

# ---- mapped addresses ----
zone <<END
END
client ::ffff:192.0.2.10
case ip6 of a mapped network is for nobody
record v=spf1 ip6:::ffff:192.0.2.0/120 -all
= fail
case ip6/0 for a mapped client
record v=spf1 ip6:::/0 -all
= fail
case ip4/0 for a mapped client
record v=spf1 ip4:203.0.113.1/0 -all
= pass
mechanism ip4
client 2001:db8::10
case an IPv4 address at the end
record v=spf1 ip6:2001:db8::0.0.0.16 -all
= pass
mechanism ip6
case ip6 alone
record v=spf1 ip6 -all
= permerror
case ip6 with a leading zero
record v=spf1 ip6:2001:db8::10/064 -all
= permerror
case ip6 with a scope
record v=spf1 ip6:fe80::1%eth0 -all
= permerror
case ip6 in brackets
record v=spf1 ip6:[2001:db8::10] -all
= permerror
case ip4 without a network
record v=spf1 ip4: -all
= permerror
case a length without an address
record v=spf1 ip4:/24 -all
= permerror
case capital hexadecimal digits
record v=spf1 IP6:2001:DB8::10 -all
= pass
