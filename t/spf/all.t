# RFC 7208. Section 5.1: all.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case all with a domain
record v=spf1 -all:d.example
= permerror
case all with a length
record v=spf1 -all/8
= permerror
case all with a dot
record v=spf1 -all.
= permerror
case all before others
record v=spf1 all -ip4:192.0.2.10
= pass

client 192.0.2.10
case any case of letters
record v=spf1 -ALL
= fail
mechanism all
case a qualifier twice
record v=spf1 --all
= permerror
case all as a modifier
record v=spf1 all=x
= neutral
mechanism default
case a result for each qualifier, pass
record v=spf1 +all
= pass
case two
record v=spf1 ?all -all
= neutral
