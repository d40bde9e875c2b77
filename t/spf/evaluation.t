# RFC 7208. Section 4.6: the whole record is read before anything counts.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case error after a match
record v=spf1 +all moo
= permerror
case several spaces
record v=spf1   -all  
= fail
case a tab is no space
record v=spf1\009-all
= none
case a tab between terms
record v=spf1 a\009-all
= permerror
case a carriage return
record v=spf1 a:x.example\013ptr -all
= permerror
case an octet beyond ASCII
record v=spf1 a:\239\187\191x.example -all
= permerror
case an octet beyond ASCII after a match
record v=spf1 +all \128
= permerror
case a NUL
record v=spf1 a:x.example\000 -all
= permerror
case a NUL before the end
record v=spf1 +all\000 -all
= permerror
case qualifier alone
record v=spf1 - all
= permerror
case qualifiers
record v=spf1 ~all
= softfail
case neutral
record v=spf1 ?all
= neutral
case unknown mechanism
record v=spf1 ipv4:192.0.2.1 -all
= permerror
case modifier with odd name
record v=spf1 a.b-c_d=%{c}:/ -all
= fail
case modifier name with a slash
record v=spf1 a/b=c -all
= permerror
case modifier with a bad macro
record v=spf1 x=%(y) -all
= permerror
case modifier name begins with a digit
record v=spf1 1x=y -all
= permerror
case modifier with qualifier
record v=spf1 -redirect=r.example
= permerror
