# RFC 7208. Section 7: macros in names.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case percent alone
record v=spf1 exists:x%.example -all
= permerror
case percent and parenthesis
record v=spf1 exists:%(i).example -all
= permerror
case percent at the end
record v=spf1 exists:x.example% -all
= permerror
case macro that is not closed
record v=spf1 exists:%{i -all
= permerror
case unknown macro
record v=spf1 exists:%{a}.example -all
= permerror
case macro for explanations
record v=spf1 exists:%{c}.example -all
= permerror
case no parts
record v=spf1 exists:%{d0}.example -all
= permerror
case unknown delimiter
record v=spf1 exists:%{d:}.example -all
= permerror
case name that ends in an escape
record v=spf1 exists:x.%% -all
= fail
case name that ends in a macro and a word
record v=spf1 exists:%{d}x -all
= permerror

zone <<END
x.d.example A 127.0.0.1
END
case name that ends in a macro
record v=spf1 exists:x.%{d} -all
= pass

zone <<END
a%b\032c%20d.example A 127.0.0.1
END
case escapes
record v=spf1 exists:a%%b%_c%-d.example -all
= pass

zone <<END
unknown.x.example A 127.0.0.1
END
case p without names
record v=spf1 exists:%{p}.x.example -all
= pass
late

zone <<END
10.2.0.192.in-addr.arpa PTR h.e.example
10.2.0.192.in-addr.arpa PTR h.d.example
h.e.example A 192.0.2.10
h.d.example A 192.0.2.10
h.d.example.x.example A 127.0.0.1
END
case p
record v=spf1 exists:%{p}.x.example -all
= pass
late

# ---- values ----
zone <<END
upper.example TXT "v=spf1 exists:%{S}.u.example exists:%{H}.u.example -all"
a%20b%3Dc%2Fd%40upper.example.u.example A 127.0.0.2
e%3Df.u.example A 127.0.0.2
parts.example.org TXT "v=spf1 exists:%{l2r-}.%{d2}.%{h1r}.parts.example -all"
b.c.example.org.mail.parts.example A 127.0.0.2
delimiters.example TXT "v=spf1 exists:%{l1r+-=/}.x.example -all"
one.x.example A 127.0.0.2
truncated.example TXT "v=spf1 exists:%{l}.%{l}.%{l}.%{l}.%{l}.end.example -all"
a123456789012345678901234567890123456789012345678901.a123456789012345678901234567890123456789012345678901.a123456789012345678901234567890123456789012345678901.a123456789012345678901234567890123456789012345678901.end.example A 127.0.0.2
six.example TXT "v=spf1 exists:%{ir}.%{v}.arpa.example -all"
b.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.example A 127.0.0.2
below.example TXT "v=spf1 include:inner.example -all"
inner.example TXT "v=spf1 exists:%{d}.of.%{o}.x.example ?all"
inner.example.of.below.example.x.example A 127.0.0.2
there.example TXT "v=spf1 redirect=inner.example"
inner.example.of.there.example.x.example A 127.0.0.2
dots.example TXT "v=spf1 exists:%{l}.x.example -all"
a.b.x.example A 127.0.0.2
include.example TXT "v=spf1 include:%{l}._spf.%{d2} -all"
anna._spf.include.example TXT "v=spf1 +all"
gone.example TXT "v=spf1 redirect=%{l}._spf.gone.example"
END
client 192.0.2.10
mail a b=c/d@upper.example
case upper case letters escape what URLs would not take
= pass
mechanism exists
helo e=f
mail anna@upper.example
case of any letter
= pass
helo mail.helo.example
mail a-b-c@parts.example.org
case reversed and cut parts, several delimiters
= fail
mail c-b@parts.example.org
helo example.mail
case parts of three macros
= fail
mail one+two-three@delimiters.example
helo mail.helo.example
case delimiters
= pass
mail a123456789012345678901234567890123456789012345678901@truncated.example
case a name that is too long loses labels at its left
= pass
client 2001:db8::ab
mail anna@six.example
case nibbles
= pass
client 192.0.2.10
mail anna@below.example
case d is the record's domain, o the sender's
= pass
mechanism include
mail anna@there.example
case d behind a redirect
= pass
mechanism exists
mail a..b@dots.example
case an empty label in a name is no such name
= fail
mail anna@include.example
case an include by macro
= pass
mail nobody@include.example
case an include of nobody
= permerror
mail nobody@gone.example
case a redirect to nobody
= permerror
