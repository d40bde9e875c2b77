# RFC 7208. Section 5.2: include.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case include of nothing
record v=spf1 include:i.example +all
= permerror
case include without domain
record v=spf1 include -all
= permerror
case include with a length
record v=spf1 include:i.example/24 -all
= permerror
case include of itself
record v=spf1 include:d.example -all
= permerror

zone <<END
i.example TXT "v=spf1 ip4:192.0.2.10 -all"
END
case include that passes
record v=spf1 include:i.example -all
= pass

zone <<END
i.example TXT "v=spf1 -all"
END
case include that fails
record v=spf1 include:i.example ~all
= softfail

zone <<END
i.example TXT "v=spf1 +all"
END
case include with qualifier
record v=spf1 ~include:i.example -all
= softfail

zone <<END
i.example TXT "v=spf1 a:"
END
case include of an error
record v=spf1 include:i.example +all
= permerror

zone <<END
i.example TXT !timeout
END
case include that is late
record v=spf1 include:i.example +all
= temperror

# ---- results of included records ----
zone <<END
pass.example TXT "v=spf1 +all"
fail.example TXT "v=spf1 -all"
soft.example TXT "v=spf1 ~all"
neutral.example TXT "v=spf1 ?all"
perm.example TXT "v=spf1 -all all:"
temp.example TXT !servfail
none.example TXT "nothing"
two.example TXT "v=spf1 +all"
two.example TXT "v=spf1 -all"
to.example TXT "v=spf1 redirect=pass.example"
END
client 192.0.2.10
case pass
record v=spf1 include:pass.example -all
= pass
mechanism include
case fail
record v=spf1 include:fail.example ?all
= neutral
mechanism all
case softfail
record v=spf1 include:soft.example -all
= fail
case neutral
record v=spf1 include:neutral.example -all
= fail
case permerror
record v=spf1 include:perm.example +all
= permerror
case temperror
record v=spf1 include:temp.example +all
= temperror
case none
record v=spf1 include:none.example +all
= permerror
case several
record v=spf1 include:two.example +all
= permerror
case its redirect counts
record v=spf1 include:to.example -all
= pass
case with a qualifier
record v=spf1 -include:pass.example +all
= fail
mechanism include
case an error after a match does not matter
record v=spf1 include:pass.example include:perm.example -all
= pass
case nor does what can't be had
record v=spf1 include:pass.example include:temp.example -all
= pass
