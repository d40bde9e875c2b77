# RFC 7208. Section 5.7: exists.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case exists alone
record v=spf1 exists -all
= permerror
case exists with nothing
record v=spf1 exists: -all
= permerror
case exists with a length
record v=spf1 exists:x.example/24 -all
= permerror

zone <<END
x.example A 127.0.0.2
END
case exists
record v=spf1 exists:x.example -all
= pass
client 2001:db8::10
case exists asks for A for IPv6 too
record v=spf1 exists:x.example -all
= pass

zone <<END
x.example AAAA 2001:db8::10
END
case exists does not ask for AAAA
record v=spf1 exists:x.example -all
= fail

zone <<END
x.example A !timeout
END
client 192.0.2.10
case exists that is late
record v=spf1 exists:x.example +all
= temperror

# ---- more ----
zone <<END
x.example A 127.0.0.2
alias.example CNAME x.example
txt.example TXT "there"
sick.example A !servfail
END
client 2001:db8::10
case A is asked for IPv6, too
record v=spf1 exists:x.example -all
= pass
mechanism exists
client 192.0.2.10
case through an alias
record v=spf1 exists:alias.example -all
= pass
case another type is no existence
record v=spf1 exists:txt.example -all
= fail
case a failing server
record v=spf1 exists:sick.example +all
= temperror
case a qualifier
record v=spf1 -exists:x.example +all
= fail
