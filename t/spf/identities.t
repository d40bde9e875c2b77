# RFC 7208 sections 2.3, 2.4, 4.1 to 4.4: who is asked about, and what has no result.
zone <<END
d.example TXT "v=spf1 ip4:192.0.2.1 -all exp=why.d.example"
why.d.example TXT "%{l} of %{o}"
mail.d.example TXT "v=spf1 a -all exp=why.d.example"
mail.d.example A 192.0.2.1
localonly.example TXT "v=spf1 exists:%{l}.postmaster.example -all"
postmaster.postmaster.example A 127.0.0.2
loop.example CNAME loop.example
alias.example CNAME d.example
sub.wild.example TXT "v=spf1 -all"
late.example TXT !timeout
sick.example TXT !servfail
bogus.example TXT "v=spf1 +all"
bogus.example TXT !bogus
full.example TXT !overbudget
apart.example A 192.0.2.1
strange_name.example TXT "v=spf1 ip4:192.0.2.1 -all"
END
client 192.0.2.1
helo mail.d.example
mail ""
case a null sender stands for the HELO name
= pass
mechanism a
client 192.0.2.9
case which may fail as well
= fail
explanation postmaster of mail.d.example
helo mail
case a HELO name of one label
= none
asks 0
helo [192.0.2.1]
case an address literal
= none
helo 192.0.2.1
case a bare address is a name that does not exist
= none
helo mail..d.example
case an empty label
= none
helo
case no HELO name
= none
helo mail.d.example
client 192.0.2.1
mail @d.example
case no local part
= pass
client 192.0.2.9
case postmaster stands for it
= fail
explanation postmaster of d.example
mail @localonly.example
case in macros, too
= pass
mail user@D.EXAMPLE.
case a final dot and capital letters
= fail
explanation user of D.EXAMPLE
client 192.0.2.1
mail user@example
case one label
= none
mail user@[192.0.2.1]
case a literal
= none
mail user@d..example
case an empty label within
= none
mail user@a123456789012345678901234567890123456789012345678901234567890123.example
case a label of 64 octets
= none
mail user@a12345678901234567890123456789012345678901234567890123456789012.example
case a label of 63 octets
= none
mail user@a12345678901234567890123456789.a12345678901234567890123456789.a12345678901234567890123456789.a12345678901234567890123456789.a12345678901234567890123456789.a12345678901234567890123456789.a12345678901234567890123456789.a12345678901234567890123456789.example
case a name of 255 octets
= none
mail user@strange_name.example
case an underscore is the DNS's business
= pass
mail user@nothing.example
case a domain that does not exist
= none
reason no SPF record
mail user@apart.example
case a domain without TXT
= none
mail user@alias.example
case an alias
= pass
mail user@loop.example
case an alias of itself
= temperror
mail user@late.example
case no answer
= temperror
reason no answer in time
mail user@sick.example
case a failing server
= temperror
reason server failure
mail user@bogus.example
case a record that does not validate
= temperror
reason DNSSEC
mail user@full.example
case a budget that is used up
= temperror
reason budget
mail user@d.example
client ::ffff:192.0.2.1
case a mapped address is one of IPv4
= pass
mechanism ip4
client ::ffff:192.0.2.9
case also where it fails
= fail
explanation user of d.example
client 127.0.0.1
case loopback gets no free pass
= fail
explanation user of d.example
client ::1
case nor does that of IPv6
= fail
explanation user of d.example
