# RFC 7208. Sections 4.4 and 4.5: which record counts.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case no record
= none
case other text only
record v=spf10 -all
= none
case version without a space
record v=spf1-all
= none
case version alone
record v=spf1
= neutral
case version in any case
record V=SPF1 -all
= fail
case strings are joined
record v=spf1 ip4:192.0" ".2.10 -all
= pass

zone <<END
d.example TXT "v=spf1 +all"
END
case two records
record v=spf1 -all
= permerror

zone <<END
d.example TXT "something \200 else"
END
case a record among other text
record v=spf1 -all
= fail

zone <<END
d.example TXT !servfail
END
case TXT fails
= temperror

zone <<END
d.example TXT !timeout
END
case TXT never comes
= temperror

zone <<END
d.example TXT !bogus
END
case TXT is bogus
= temperror

# ---- several texts ----
zone <<END
two.example TXT "v=spf1 +all"
two.example TXT "v=spf1 -all"
same.example TXT "v=spf1 -all"
same.example TXT "V=SPF1 -all "
other.example TXT "v=spf2.0/mfrom +all"
other.example TXT "v=spf1 -all"
other.example TXT "google-site-verification=1"
blank.example TXT " v=spf1 -all"
split.example TXT "v=spf" "1 ip4:192.0." "2.10 -all"
glued.example TXT "v=spf1" "ip4:192.0.2.10 -all"
binary.example TXT "\000\001\255"
binary.example TXT "v=spf1 -all"
nul.example TXT "v=spf1\000 +all"
END
client 192.0.2.10
mail user@two.example
case two that contradict each other
= permerror
reason several
mail user@same.example
case two that say the same
= permerror
mail user@other.example
case one among others
= fail
mail user@blank.example
case a blank before it
= none
mail user@split.example
case strings are joined without blanks
= pass
mail user@glued.example
case so that a version may vanish
= none
mail user@binary.example
case octets of other texts do not matter
= fail
mail user@nul.example
case a NUL ends no version
= none
