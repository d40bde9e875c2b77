# RFC 7208 section 6.2: what a domain says of those who fail, and what is no explanation.
zone <<END
plain.example TXT "v=spf1 -all exp=why.plain.example"
why.plain.example TXT "Mail of plain.example comes from our office alone."
early.example TXT "v=spf1 exp=why.plain.example ip4:198.51.100.0/24 -ip4:192.0.2.0/24 +all"
soft.example TXT "v=spf1 ~all exp=why.plain.example"
pass.example TXT "v=spf1 +all exp=why.plain.example"
default.example TXT "v=spf1 exp=why.plain.example"
gone.example TXT "v=spf1 -all exp=nothing.example"
dead.example TXT "v=spf1 -all exp=dead.text.example"
dead.text.example TXT !servfail
never.example TXT "v=spf1 -all exp=never.text.example"
never.text.example TXT "too late"
never.text.example TXT !timeout
slow.example TXT "v=spf1 -all exp=slow.text.example"
slow.text.example TXT "just in time"
slow.text.example TXT !delay=900ms
slower.example TXT "v=spf1 -all exp=slower.text.example"
slower.text.example TXT "too late"
slower.text.example TXT !delay=1100ms
two.example TXT "v=spf1 -all exp=two.text.example"
two.text.example TXT "one" 
two.text.example TXT "another"
joined.example TXT "v=spf1 -all exp=joined.text.example"
joined.text.example TXT "one " "sentence of " "three strings"
empty.example TXT "v=spf1 -all exp=empty.text.example"
empty.text.example TXT ""
utf8.example TXT "v=spf1 -all exp=utf8.text.example"
utf8.text.example TXT "na\195\175ve"
control.example TXT "v=spf1 -all exp=control.text.example"
control.text.example TXT "one\013\010two"
tab.example TXT "v=spf1 -all exp=tab.text.example"
tab.text.example TXT "one\009two"
nul.example TXT "v=spf1 -all exp=nul.text.example"
nul.text.example TXT "one\000two"
bad-letter.example TXT "v=spf1 -all exp=bad-letter.text.example"
bad-letter.text.example TXT "%{x} is no macro"
open.example TXT "v=spf1 -all exp=open.text.example"
open.text.example TXT "not closed: %{i"
percent.example TXT "v=spf1 -all exp=percent.text.example"
percent.text.example TXT "100% wrong"
percents.example TXT "v=spf1 -all exp=percents.text.example"
percents.text.example TXT "100%% right,%_with%-escapes"
long.example TXT "v=spf1 -all exp=long.text.example"
long.text.example TXT "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" "0123456789012345678901234567890123456789012345678901234567890123456789"
many.example TXT "v=spf1 -all exp=many.text.example"
many.text.example TXT "%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}" "%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}" "abcdefghijklmnop"
END
mail user@plain.example
case a text
= fail
mechanism all
explanation Mail of plain.example comes from our office alone.
mail user@early.example
case the modifier may stand anywhere
= fail
mechanism ip4
explanation Mail of plain.example comes from our office alone.
mail user@soft.example
case none for softfail
= softfail
asks 1
mail user@pass.example
case none for pass
= pass
asks 1
mail user@default.example
case none for neutral
= neutral
mechanism default
asks 1
mail user@gone.example
case a name that does not exist
= fail
asks 2
mail user@dead.example
case a server that fails
= fail
mail user@never.example
case a server that does not answer
= fail
mail user@slow.example
case it is waited for
= fail
explanation just in time
mail user@slower.example
case not longer than a second
= fail
mail user@two.example
case several records
= fail
mail user@joined.example
case several strings of one record
= fail
explanation one sentence of three strings
mail user@empty.example
case a text of nothing
= fail
mail user@utf8.example
case octets beyond ASCII
= fail
mail user@control.example
case line ends
= fail
mail user@tab.example
case a tab
= fail
mail user@nul.example
case a NUL
= fail
mail user@bad-letter.example
case an unknown macro
= fail
mail user@open.example
case a macro that is not closed
= fail
mail user@percent.example
case a percent sign alone
= fail
mail user@percents.example
case escapes
= fail
explanation 100% right, with%20escapes
mail user@long.example
case a long text is cut
= fail
explanation 012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901...
mail user@many.example
case macros that grow
= fail
explanation 192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1192.0.2.1...

# ---- whose explanation ----
zone <<END
why.outer.example TXT "outer, of %{d}"
why.inner.example TXT "inner, of %{d}, for %{o}"
includes.example TXT "v=spf1 include:inner.example -all exp=why.outer.example"
includes-alone.example TXT "v=spf1 include:inner.example -all"
inner.example TXT "v=spf1 -all exp=why.inner.example"
redirects.example TXT "v=spf1 redirect=inner.example"
redirects-own.example TXT "v=spf1 exp=why.outer.example redirect=inner.example"
redirects-silent.example TXT "v=spf1 exp=why.outer.example redirect=silent.example"
silent.example TXT "v=spf1 -all"
fails-by-include.example TXT "v=spf1 -include:all.example exp=why.outer.example"
all.example TXT "v=spf1 +all exp=why.inner.example"
far.example TXT "v=spf1 redirect=redirects.example"
END
mail user@includes.example
case that of an included record does not count
= fail
explanation outer, of includes.example
mail user@includes-alone.example
case none of its own
= fail
mail user@fails-by-include.example
case an include that makes it fail
= fail
mechanism include
explanation outer, of fails-by-include.example
mail user@redirects.example
case that of the record it redirects to
= fail
mechanism all
explanation inner, of inner.example, for redirects.example
mail user@redirects-own.example
case that one also if it has its own
= fail
explanation inner, of inner.example, for redirects-own.example
mail user@redirects-silent.example
case and none if that one has none
= fail
mail user@far.example
case over two redirects
= fail
explanation inner, of inner.example, for far.example

# ---- macros of texts ----
zone <<END
m.example TXT "v=spf1 -all exp=%{ir}.%{v}.why.m.example"
1.2.0.192.in-addr.why.m.example TXT "%{c} %{r} %{t} %{s} %{L} %{h}"
escaped.example TXT "v=spf1 -all exp=e.example"
e.example TXT "https://why.example/?s=%{S};i=%{I};h=%{H};c=%{C}"
bad-spec.example TXT "v=spf1 -all exp=%{c}.example"
six.example TXT "v=spf1 -all exp=six.text.example"
six.text.example TXT "%{c} is %{i} by %{v}"
named.example TXT "v=spf1 -all exp=named.text.example"
named.text.example TXT "you are %{p}, %{p2}"
by-name.example TXT "v=spf1 -all exp=%{p}.by-name.example"
h.named.example.by-name.example TXT "found"
1.2.0.192.in-addr.arpa PTR h.named.example
h.named.example A 192.0.2.1
9.2.0.192.in-addr.arpa PTR h.named.example
8.2.0.192.in-addr.arpa PTR never.named.example
never.named.example A !timeout
END
mail user@m.example
case a name made of macros, and c, r and t
= fail
explanation 192.0.2.1 receiver.example.net 1767225600 user@m.example user mail.example
mail "a b/c?d"@escaped.example
case upper case letters escape
= fail
explanation https://why.example/?s=%22a%20b%2Fc%3Fd%22%40escaped.example;i=192.0.2.1;h=mail.example;c=192.0.2.1
mail user@bad-spec.example
case c stands in texts only
= permerror
reason domain-spec
client 2001:db8::ab
mail user@six.example
case IPv6
= fail
explanation 2001:db8::ab is 2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.A.B by ip6
client 192.0.2.1
mail user@named.example
case the client's name
= fail
late
explanation you are h.named.example, named.example
mail user@by-name.example
case the client's name as a place
= fail
late
explanation found
client 192.0.2.9
mail user@named.example
case a name that is not confirmed
= fail
late
explanation you are unknown, unknown
client 192.0.2.8
case a name that can't be had in time is no error
= fail
late
