# RFC 7208 section 4.6.4: ten terms that need look-ups, two look-ups that find nothing, ten names, each over the whole.
zone <<END
ten.example TXT "v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example a:h7.example a:h8.example a:h9.example a:h10.example -all"
eleven.example TXT "v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example a:h7.example a:h8.example a:h9.example a:h10.example a:h11.example -all"
match-10.example TXT "v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example a:h7.example a:h8.example a:h9.example a:us.example a:h11.example -all"
match-11.example TXT "v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example a:h7.example a:h8.example a:h9.example a:h10.example a:us.example -all"
redirect-11.example TXT "v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example a:h7.example a:h8.example a:h9.example a:h10.example redirect=minus.example"
redirect-10.example TXT "v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example a:h7.example a:h8.example a:h9.example redirect=minus.example"
minus.example TXT "v=spf1 -all exp=text.example"
text.example TXT "no"
below.example TXT "v=spf1 include:five.example include:four.example -all"
below-1.example TXT "v=spf1 include:five.example include:four.example a:h10.example -all"
five.example TXT "v=spf1 a:h1.example a:h2.example exists:h3.example a:h4.example ?all"
four.example TXT "v=spf1 a:h5.example a:h6.example a:h7.example a:h8.example ?all"
h1.example A 198.51.100.1
h2.example A 198.51.100.2
h3.example AAAA 2001:db8::3
h3.example A 198.51.100.3
h4.example A 198.51.100.4
h5.example A 198.51.100.5
h6.example A 198.51.100.6
h7.example A 198.51.100.7
h8.example A 198.51.100.8
h9.example A 198.51.100.9
h10.example A 198.51.100.10
h11.example A 198.51.100.11
us.example A 192.0.2.1
END
mail user@ten.example
case ten terms
= fail
mail user@eleven.example
case eleven terms
= permerror
reason more than 10 terms
asks 11
mail user@match-10.example
case the tenth matches
= pass
mail user@match-11.example
case the eleventh would match
= permerror
mail user@redirect-10.example
case a redirect is a term
= fail
explanation no
mail user@redirect-11.example
case a redirect beyond the limit
= permerror
mail user@below.example
case includes count with what they include
= pass
mechanism include
mail user@below-1.example
case the include that matches is never left
= pass

zone <<END
tree.example TXT "v=spf1 include:l.tree.example include:r.tree.example -all"
l.tree.example TXT "v=spf1 include:ll.tree.example include:lr.tree.example ?all"
r.tree.example TXT "v=spf1 include:rl.tree.example include:rr.tree.example ?all"
ll.tree.example TXT "v=spf1 a:h.example mx:h.example ?all"
lr.tree.example TXT "v=spf1 a:h.example a:h.example ?all"
rl.tree.example TXT "v=spf1 a:h.example ?all"
rr.tree.example TXT "v=spf1 a:h.example ?all"
tree-10.example TXT "v=spf1 include:l.tree.example include:rl.tree.example a:h.example -all"
h.example A 198.51.100.1
h.example MX 10 h.example
self.example TXT "v=spf1 include:self.example -all"
ping.example TXT "v=spf1 include:pong.example -all"
pong.example TXT "v=spf1 include:ping.example -all"
circle.example TXT "v=spf1 redirect=circle.example"
END
mail user@tree.example
case counted over all records of a tree
= permerror
mail user@tree-10.example
case ten over all records of a tree
= fail
mail user@self.example
case a record that includes itself
= permerror
asks 1
mail user@ping.example
case two that include each other
= permerror
asks 2
mail user@circle.example
case a redirect to itself
= permerror
asks 1

# ---- look-ups without an answer ----
zone <<END
void-2.example TXT "v=spf1 a:n1.example a:n2.example ip4:192.0.2.1 -all"
void-3.example TXT "v=spf1 a:n1.example a:n2.example a:n3.example ip4:192.0.2.1 -all"
void-kinds.example TXT "v=spf1 a:n1.example mx:n2.example exists:n3.example -all"
void-below.example TXT "v=spf1 a:n1.example include:void-1.example a:n3.example ?all"
void-1.example TXT "v=spf1 a:n2.example -all"
void-other-type.example TXT "v=spf1 a:six1.example a:six2.example a:six3.example -all"
six1.example AAAA 2001:db8::1
six2.example AAAA 2001:db8::1
six3.example AAAA 2001:db8::1
void-mx.example TXT "v=spf1 mx:m.example -all"
m.example MX 1 n1.example
m.example MX 2 n2.example
m.example MX 3 n3.example
m.example MX 4 n4.example
void-ptr.example TXT "v=spf1 ptr a:n1.example ?all"
void-ptr-2.example TXT "v=spf1 ptr a:n1.example a:n2.example ?all"
END
mail user@void-2.example
case two may find nothing
= pass
mechanism ip4
mail user@void-3.example
case three may not
= permerror
reason without an answer
mail user@void-kinds.example
case of any kind
= permerror
mail user@void-below.example
case over all records
= permerror
mail user@void-other-type.example
case a name without addresses of the family is nothing
= permerror
mail user@void-mx.example
case the addresses of exchangers do not count
= fail
mail user@void-ptr.example
case a client without a name is nothing found
= neutral
mail user@void-ptr-2.example
case and counts
= permerror

# ---- names of one term ----
zone <<END
mx-10.example TXT "v=spf1 mx -all"
mx-10.example MX 1 a.example
mx-10.example MX 2 b.example
mx-10.example MX 3 c.example
mx-10.example MX 4 d.example
mx-10.example MX 5 e.example
mx-10.example MX 6 f.example
mx-10.example MX 7 g.example
mx-10.example MX 8 h.example
mx-10.example MX 9 i.example
mx-10.example MX 10 us.example
mx-11.example TXT "v=spf1 mx +all"
mx-11.example MX 1 us.example
mx-11.example MX 2 b.example
mx-11.example MX 3 c.example
mx-11.example MX 4 d.example
mx-11.example MX 5 e.example
mx-11.example MX 6 f.example
mx-11.example MX 7 g.example
mx-11.example MX 8 h.example
mx-11.example MX 9 i.example
mx-11.example MX 10 j.example
mx-11.example MX 11 k.example
us.example A 192.0.2.1
END
mail user@mx-10.example
case ten exchangers
= pass
mechanism mx
mail user@mx-11.example
case eleven exchangers
= permerror
reason mail exchangers
