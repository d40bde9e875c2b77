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

# ---- how many questions a stranger's record can cause, asked for early or not ----
zone <<END
wide.example TXT "v=spf1 mx:d1.example mx:d2.example mx:d3.example mx:d4.example mx:d5.example mx:d6.example mx:d7.example mx:d8.example mx:d9.example mx:d10.example mx:d11.example -all"
d1.example MX 0 h1-0.example
d1.example MX 1 h1-1.example
d1.example MX 2 h1-2.example
d1.example MX 3 h1-3.example
d1.example MX 4 h1-4.example
d1.example MX 5 h1-5.example
d1.example MX 6 h1-6.example
d1.example MX 7 h1-7.example
d1.example MX 8 h1-8.example
d1.example MX 9 h1-9.example
d2.example MX 0 h2-0.example
d2.example MX 1 h2-1.example
d2.example MX 2 h2-2.example
d2.example MX 3 h2-3.example
d2.example MX 4 h2-4.example
d2.example MX 5 h2-5.example
d2.example MX 6 h2-6.example
d2.example MX 7 h2-7.example
d2.example MX 8 h2-8.example
d2.example MX 9 h2-9.example
d3.example MX 0 h3-0.example
d3.example MX 1 h3-1.example
d3.example MX 2 h3-2.example
d3.example MX 3 h3-3.example
d3.example MX 4 h3-4.example
d3.example MX 5 h3-5.example
d3.example MX 6 h3-6.example
d3.example MX 7 h3-7.example
d3.example MX 8 h3-8.example
d3.example MX 9 h3-9.example
d4.example MX 0 h4-0.example
d4.example MX 1 h4-1.example
d4.example MX 2 h4-2.example
d4.example MX 3 h4-3.example
d4.example MX 4 h4-4.example
d4.example MX 5 h4-5.example
d4.example MX 6 h4-6.example
d4.example MX 7 h4-7.example
d4.example MX 8 h4-8.example
d4.example MX 9 h4-9.example
d5.example MX 0 h5-0.example
d5.example MX 1 h5-1.example
d5.example MX 2 h5-2.example
d5.example MX 3 h5-3.example
d5.example MX 4 h5-4.example
d5.example MX 5 h5-5.example
d5.example MX 6 h5-6.example
d5.example MX 7 h5-7.example
d5.example MX 8 h5-8.example
d5.example MX 9 h5-9.example
d6.example MX 0 h6-0.example
d6.example MX 1 h6-1.example
d6.example MX 2 h6-2.example
d6.example MX 3 h6-3.example
d6.example MX 4 h6-4.example
d6.example MX 5 h6-5.example
d6.example MX 6 h6-6.example
d6.example MX 7 h6-7.example
d6.example MX 8 h6-8.example
d6.example MX 9 h6-9.example
d7.example MX 0 h7-0.example
d7.example MX 1 h7-1.example
d7.example MX 2 h7-2.example
d7.example MX 3 h7-3.example
d7.example MX 4 h7-4.example
d7.example MX 5 h7-5.example
d7.example MX 6 h7-6.example
d7.example MX 7 h7-7.example
d7.example MX 8 h7-8.example
d7.example MX 9 h7-9.example
d8.example MX 0 h8-0.example
d8.example MX 1 h8-1.example
d8.example MX 2 h8-2.example
d8.example MX 3 h8-3.example
d8.example MX 4 h8-4.example
d8.example MX 5 h8-5.example
d8.example MX 6 h8-6.example
d8.example MX 7 h8-7.example
d8.example MX 8 h8-8.example
d8.example MX 9 h8-9.example
d9.example MX 0 h9-0.example
d9.example MX 1 h9-1.example
d9.example MX 2 h9-2.example
d9.example MX 3 h9-3.example
d9.example MX 4 h9-4.example
d9.example MX 5 h9-5.example
d9.example MX 6 h9-6.example
d9.example MX 7 h9-7.example
d9.example MX 8 h9-8.example
d9.example MX 9 h9-9.example
d10.example MX 0 h10-0.example
d10.example MX 1 h10-1.example
d10.example MX 2 h10-2.example
d10.example MX 3 h10-3.example
d10.example MX 4 h10-4.example
d10.example MX 5 h10-5.example
d10.example MX 6 h10-6.example
d10.example MX 7 h10-7.example
d10.example MX 8 h10-8.example
d10.example MX 9 h10-9.example
d11.example MX 0 h11-0.example
d11.example MX 1 h11-1.example
d11.example MX 2 h11-2.example
d11.example MX 3 h11-3.example
d11.example MX 4 h11-4.example
d11.example MX 5 h11-5.example
d11.example MX 6 h11-6.example
d11.example MX 7 h11-7.example
d11.example MX 8 h11-8.example
d11.example MX 9 h11-9.example
h1-0.example A 198.51.100.1
h1-1.example A 198.51.100.1
h1-2.example A 198.51.100.1
h1-3.example A 198.51.100.1
h1-4.example A 198.51.100.1
h1-5.example A 198.51.100.1
h1-6.example A 198.51.100.1
h1-7.example A 198.51.100.1
h1-8.example A 198.51.100.1
h1-9.example A 198.51.100.1
h2-0.example A 198.51.100.2
h2-1.example A 198.51.100.2
h2-2.example A 198.51.100.2
h2-3.example A 198.51.100.2
h2-4.example A 198.51.100.2
h2-5.example A 198.51.100.2
h2-6.example A 198.51.100.2
h2-7.example A 198.51.100.2
h2-8.example A 198.51.100.2
h2-9.example A 198.51.100.2
h3-0.example A 198.51.100.3
h3-1.example A 198.51.100.3
h3-2.example A 198.51.100.3
h3-3.example A 198.51.100.3
h3-4.example A 198.51.100.3
h3-5.example A 198.51.100.3
h3-6.example A 198.51.100.3
h3-7.example A 198.51.100.3
h3-8.example A 198.51.100.3
h3-9.example A 198.51.100.3
h4-0.example A 198.51.100.4
h4-1.example A 198.51.100.4
h4-2.example A 198.51.100.4
h4-3.example A 198.51.100.4
h4-4.example A 198.51.100.4
h4-5.example A 198.51.100.4
h4-6.example A 198.51.100.4
h4-7.example A 198.51.100.4
h4-8.example A 198.51.100.4
h4-9.example A 198.51.100.4
h5-0.example A 198.51.100.5
h5-1.example A 198.51.100.5
h5-2.example A 198.51.100.5
h5-3.example A 198.51.100.5
h5-4.example A 198.51.100.5
h5-5.example A 198.51.100.5
h5-6.example A 198.51.100.5
h5-7.example A 198.51.100.5
h5-8.example A 198.51.100.5
h5-9.example A 198.51.100.5
h6-0.example A 198.51.100.6
h6-1.example A 198.51.100.6
h6-2.example A 198.51.100.6
h6-3.example A 198.51.100.6
h6-4.example A 198.51.100.6
h6-5.example A 198.51.100.6
h6-6.example A 198.51.100.6
h6-7.example A 198.51.100.6
h6-8.example A 198.51.100.6
h6-9.example A 198.51.100.6
h7-0.example A 198.51.100.7
h7-1.example A 198.51.100.7
h7-2.example A 198.51.100.7
h7-3.example A 198.51.100.7
h7-4.example A 198.51.100.7
h7-5.example A 198.51.100.7
h7-6.example A 198.51.100.7
h7-7.example A 198.51.100.7
h7-8.example A 198.51.100.7
h7-9.example A 198.51.100.7
h8-0.example A 198.51.100.8
h8-1.example A 198.51.100.8
h8-2.example A 198.51.100.8
h8-3.example A 198.51.100.8
h8-4.example A 198.51.100.8
h8-5.example A 198.51.100.8
h8-6.example A 198.51.100.8
h8-7.example A 198.51.100.8
h8-8.example A 198.51.100.8
h8-9.example A 198.51.100.8
h9-0.example A 198.51.100.9
h9-1.example A 198.51.100.9
h9-2.example A 198.51.100.9
h9-3.example A 198.51.100.9
h9-4.example A 198.51.100.9
h9-5.example A 198.51.100.9
h9-6.example A 198.51.100.9
h9-7.example A 198.51.100.9
h9-8.example A 198.51.100.9
h9-9.example A 198.51.100.9
h10-0.example A 198.51.100.10
h10-1.example A 198.51.100.10
h10-2.example A 198.51.100.10
h10-3.example A 198.51.100.10
h10-4.example A 198.51.100.10
h10-5.example A 198.51.100.10
h10-6.example A 198.51.100.10
h10-7.example A 198.51.100.10
h10-8.example A 198.51.100.10
h10-9.example A 198.51.100.10
h11-0.example A 198.51.100.11
h11-1.example A 198.51.100.11
h11-2.example A 198.51.100.11
h11-3.example A 198.51.100.11
h11-4.example A 198.51.100.11
h11-5.example A 198.51.100.11
h11-6.example A 198.51.100.11
h11-7.example A 198.51.100.11
h11-8.example A 198.51.100.11
h11-9.example A 198.51.100.11
END
mail user@wide.example
case eleven terms of ten exchangers each
= permerror
reason more than 10 terms
asks 111

zone <<END
many.example TXT "v=spf1 " "include:i0.example " "include:i1.example " "include:i2.example " "include:i3.example " "include:i4.example " "include:i5.example " "include:i6.example " "include:i7.example " "include:i8.example " "include:i9.example " "include:i10.example " "include:i11.example " "include:i12.example " "include:i13.example " "include:i14.example " "include:i15.example " "include:i16.example " "include:i17.example " "include:i18.example " "include:i19.example " "include:i20.example " "include:i21.example " "include:i22.example " "include:i23.example " "include:i24.example " "include:i25.example " "include:i26.example " "include:i27.example " "include:i28.example " "include:i29.example " "include:i30.example " "include:i31.example " "include:i32.example " "include:i33.example " "include:i34.example " "include:i35.example " "include:i36.example " "include:i37.example " "include:i38.example " "include:i39.example " "include:i40.example " "include:i41.example " "include:i42.example " "include:i43.example " "include:i44.example " "include:i45.example " "include:i46.example " "include:i47.example " "include:i48.example " "include:i49.example " "include:i50.example " "include:i51.example " "include:i52.example " "include:i53.example " "include:i54.example " "include:i55.example " "include:i56.example " "include:i57.example " "include:i58.example " "include:i59.example " "include:i60.example " "include:i61.example " "include:i62.example " "include:i63.example " "include:i64.example " "include:i65.example " "include:i66.example " "include:i67.example " "include:i68.example " "include:i69.example " "include:i70.example " "include:i71.example " "include:i72.example " "include:i73.example " "include:i74.example " "include:i75.example " "include:i76.example " "include:i77.example " "include:i78.example " "include:i79.example " "include:i80.example " "include:i81.example " "include:i82.example " "include:i83.example " "include:i84.example " "include:i85.example " "include:i86.example " "include:i87.example " "include:i88.example " "include:i89.example " "include:i90.example " "include:i91.example " "include:i92.example " "include:i93.example " "include:i94.example " "include:i95.example " "include:i96.example " "include:i97.example " "include:i98.example " "include:i99.example " "include:i100.example " "include:i101.example " "include:i102.example " "include:i103.example " "include:i104.example " "include:i105.example " "include:i106.example " "include:i107.example " "include:i108.example " "include:i109.example " "include:i110.example " "include:i111.example " "include:i112.example " "include:i113.example " "include:i114.example " "include:i115.example " "include:i116.example " "include:i117.example " "include:i118.example " "include:i119.example " "include:i120.example " "include:i121.example " "include:i122.example " "include:i123.example " "include:i124.example " "include:i125.example " "include:i126.example " "include:i127.example " "include:i128.example " "include:i129.example " "include:i130.example " "include:i131.example " "include:i132.example " "include:i133.example " "include:i134.example " "include:i135.example " "include:i136.example " "include:i137.example " "include:i138.example " "include:i139.example " "include:i140.example " "include:i141.example " "include:i142.example " "include:i143.example " "include:i144.example " "include:i145.example " "include:i146.example " "include:i147.example " "include:i148.example " "include:i149.example " "include:i150.example " "include:i151.example " "include:i152.example " "include:i153.example " "include:i154.example " "include:i155.example " "include:i156.example " "include:i157.example " "include:i158.example " "include:i159.example " "include:i160.example " "include:i161.example " "include:i162.example " "include:i163.example " "include:i164.example " "include:i165.example " "include:i166.example " "include:i167.example " "include:i168.example " "include:i169.example " "include:i170.example " "include:i171.example " "include:i172.example " "include:i173.example " "include:i174.example " "include:i175.example " "include:i176.example " "include:i177.example " "include:i178.example " "include:i179.example " "include:i180.example " "include:i181.example " "include:i182.example " "include:i183.example " "include:i184.example " "include:i185.example " "include:i186.example " "include:i187.example " "include:i188.example " "include:i189.example " "include:i190.example " "include:i191.example " "include:i192.example " "include:i193.example " "include:i194.example " "include:i195.example " "include:i196.example " "include:i197.example " "include:i198.example " "include:i199.example " "include:i200.example " "include:i201.example " "include:i202.example " "include:i203.example " "include:i204.example " "include:i205.example " "include:i206.example " "include:i207.example " "include:i208.example " "include:i209.example " "include:i210.example " "include:i211.example " "include:i212.example " "include:i213.example " "include:i214.example " "include:i215.example " "include:i216.example " "include:i217.example " "include:i218.example " "include:i219.example " "include:i220.example " "include:i221.example " "include:i222.example " "include:i223.example " "include:i224.example " "include:i225.example " "include:i226.example " "include:i227.example " "include:i228.example " "include:i229.example " "include:i230.example " "include:i231.example " "include:i232.example " "include:i233.example " "include:i234.example " "include:i235.example " "include:i236.example " "include:i237.example " "include:i238.example " "include:i239.example " "include:i240.example " "include:i241.example " "include:i242.example " "include:i243.example " "include:i244.example " "include:i245.example " "include:i246.example " "include:i247.example " "include:i248.example " "include:i249.example " "include:i250.example " "include:i251.example " "include:i252.example " "include:i253.example " "include:i254.example " "include:i255.example " "include:i256.example " "include:i257.example " "include:i258.example " "include:i259.example " "include:i260.example " "include:i261.example " "include:i262.example " "include:i263.example " "include:i264.example " "include:i265.example " "include:i266.example " "include:i267.example " "include:i268.example " "include:i269.example " "include:i270.example " "include:i271.example " "include:i272.example " "include:i273.example " "include:i274.example " "include:i275.example " "include:i276.example " "include:i277.example " "include:i278.example " "include:i279.example " "include:i280.example " "include:i281.example " "include:i282.example " "include:i283.example " "include:i284.example " "include:i285.example " "include:i286.example " "include:i287.example " "include:i288.example " "include:i289.example " "include:i290.example " "include:i291.example " "include:i292.example " "include:i293.example " "include:i294.example " "include:i295.example " "include:i296.example " "include:i297.example " "include:i298.example " "include:i299.example " "-all"
i0.example TXT "v=spf1 ?all"
i1.example TXT "v=spf1 ?all"
i2.example TXT "v=spf1 ?all"
i3.example TXT "v=spf1 ?all"
i4.example TXT "v=spf1 ?all"
i5.example TXT "v=spf1 ?all"
i6.example TXT "v=spf1 ?all"
i7.example TXT "v=spf1 ?all"
i8.example TXT "v=spf1 ?all"
i9.example TXT "v=spf1 ?all"
i10.example TXT "v=spf1 ?all"
i11.example TXT "v=spf1 ?all"
i12.example TXT "v=spf1 ?all"
i13.example TXT "v=spf1 ?all"
i14.example TXT "v=spf1 ?all"
i15.example TXT "v=spf1 ?all"
i16.example TXT "v=spf1 ?all"
i17.example TXT "v=spf1 ?all"
i18.example TXT "v=spf1 ?all"
i19.example TXT "v=spf1 ?all"
i20.example TXT "v=spf1 ?all"
i21.example TXT "v=spf1 ?all"
i22.example TXT "v=spf1 ?all"
i23.example TXT "v=spf1 ?all"
i24.example TXT "v=spf1 ?all"
i25.example TXT "v=spf1 ?all"
i26.example TXT "v=spf1 ?all"
i27.example TXT "v=spf1 ?all"
i28.example TXT "v=spf1 ?all"
i29.example TXT "v=spf1 ?all"
i30.example TXT "v=spf1 ?all"
i31.example TXT "v=spf1 ?all"
i32.example TXT "v=spf1 ?all"
i33.example TXT "v=spf1 ?all"
i34.example TXT "v=spf1 ?all"
i35.example TXT "v=spf1 ?all"
i36.example TXT "v=spf1 ?all"
i37.example TXT "v=spf1 ?all"
i38.example TXT "v=spf1 ?all"
i39.example TXT "v=spf1 ?all"
i40.example TXT "v=spf1 ?all"
i41.example TXT "v=spf1 ?all"
i42.example TXT "v=spf1 ?all"
i43.example TXT "v=spf1 ?all"
i44.example TXT "v=spf1 ?all"
i45.example TXT "v=spf1 ?all"
i46.example TXT "v=spf1 ?all"
i47.example TXT "v=spf1 ?all"
i48.example TXT "v=spf1 ?all"
i49.example TXT "v=spf1 ?all"
i50.example TXT "v=spf1 ?all"
i51.example TXT "v=spf1 ?all"
i52.example TXT "v=spf1 ?all"
i53.example TXT "v=spf1 ?all"
i54.example TXT "v=spf1 ?all"
i55.example TXT "v=spf1 ?all"
i56.example TXT "v=spf1 ?all"
i57.example TXT "v=spf1 ?all"
i58.example TXT "v=spf1 ?all"
i59.example TXT "v=spf1 ?all"
i60.example TXT "v=spf1 ?all"
i61.example TXT "v=spf1 ?all"
i62.example TXT "v=spf1 ?all"
i63.example TXT "v=spf1 ?all"
i64.example TXT "v=spf1 ?all"
i65.example TXT "v=spf1 ?all"
i66.example TXT "v=spf1 ?all"
i67.example TXT "v=spf1 ?all"
i68.example TXT "v=spf1 ?all"
i69.example TXT "v=spf1 ?all"
i70.example TXT "v=spf1 ?all"
i71.example TXT "v=spf1 ?all"
i72.example TXT "v=spf1 ?all"
i73.example TXT "v=spf1 ?all"
i74.example TXT "v=spf1 ?all"
i75.example TXT "v=spf1 ?all"
i76.example TXT "v=spf1 ?all"
i77.example TXT "v=spf1 ?all"
i78.example TXT "v=spf1 ?all"
i79.example TXT "v=spf1 ?all"
i80.example TXT "v=spf1 ?all"
i81.example TXT "v=spf1 ?all"
i82.example TXT "v=spf1 ?all"
i83.example TXT "v=spf1 ?all"
i84.example TXT "v=spf1 ?all"
i85.example TXT "v=spf1 ?all"
i86.example TXT "v=spf1 ?all"
i87.example TXT "v=spf1 ?all"
i88.example TXT "v=spf1 ?all"
i89.example TXT "v=spf1 ?all"
i90.example TXT "v=spf1 ?all"
i91.example TXT "v=spf1 ?all"
i92.example TXT "v=spf1 ?all"
i93.example TXT "v=spf1 ?all"
i94.example TXT "v=spf1 ?all"
i95.example TXT "v=spf1 ?all"
i96.example TXT "v=spf1 ?all"
i97.example TXT "v=spf1 ?all"
i98.example TXT "v=spf1 ?all"
i99.example TXT "v=spf1 ?all"
i100.example TXT "v=spf1 ?all"
i101.example TXT "v=spf1 ?all"
i102.example TXT "v=spf1 ?all"
i103.example TXT "v=spf1 ?all"
i104.example TXT "v=spf1 ?all"
i105.example TXT "v=spf1 ?all"
i106.example TXT "v=spf1 ?all"
i107.example TXT "v=spf1 ?all"
i108.example TXT "v=spf1 ?all"
i109.example TXT "v=spf1 ?all"
i110.example TXT "v=spf1 ?all"
i111.example TXT "v=spf1 ?all"
i112.example TXT "v=spf1 ?all"
i113.example TXT "v=spf1 ?all"
i114.example TXT "v=spf1 ?all"
i115.example TXT "v=spf1 ?all"
i116.example TXT "v=spf1 ?all"
i117.example TXT "v=spf1 ?all"
i118.example TXT "v=spf1 ?all"
i119.example TXT "v=spf1 ?all"
i120.example TXT "v=spf1 ?all"
i121.example TXT "v=spf1 ?all"
i122.example TXT "v=spf1 ?all"
i123.example TXT "v=spf1 ?all"
i124.example TXT "v=spf1 ?all"
i125.example TXT "v=spf1 ?all"
i126.example TXT "v=spf1 ?all"
i127.example TXT "v=spf1 ?all"
i128.example TXT "v=spf1 ?all"
i129.example TXT "v=spf1 ?all"
i130.example TXT "v=spf1 ?all"
i131.example TXT "v=spf1 ?all"
i132.example TXT "v=spf1 ?all"
i133.example TXT "v=spf1 ?all"
i134.example TXT "v=spf1 ?all"
i135.example TXT "v=spf1 ?all"
i136.example TXT "v=spf1 ?all"
i137.example TXT "v=spf1 ?all"
i138.example TXT "v=spf1 ?all"
i139.example TXT "v=spf1 ?all"
i140.example TXT "v=spf1 ?all"
i141.example TXT "v=spf1 ?all"
i142.example TXT "v=spf1 ?all"
i143.example TXT "v=spf1 ?all"
i144.example TXT "v=spf1 ?all"
i145.example TXT "v=spf1 ?all"
i146.example TXT "v=spf1 ?all"
i147.example TXT "v=spf1 ?all"
i148.example TXT "v=spf1 ?all"
i149.example TXT "v=spf1 ?all"
i150.example TXT "v=spf1 ?all"
i151.example TXT "v=spf1 ?all"
i152.example TXT "v=spf1 ?all"
i153.example TXT "v=spf1 ?all"
i154.example TXT "v=spf1 ?all"
i155.example TXT "v=spf1 ?all"
i156.example TXT "v=spf1 ?all"
i157.example TXT "v=spf1 ?all"
i158.example TXT "v=spf1 ?all"
i159.example TXT "v=spf1 ?all"
i160.example TXT "v=spf1 ?all"
i161.example TXT "v=spf1 ?all"
i162.example TXT "v=spf1 ?all"
i163.example TXT "v=spf1 ?all"
i164.example TXT "v=spf1 ?all"
i165.example TXT "v=spf1 ?all"
i166.example TXT "v=spf1 ?all"
i167.example TXT "v=spf1 ?all"
i168.example TXT "v=spf1 ?all"
i169.example TXT "v=spf1 ?all"
i170.example TXT "v=spf1 ?all"
i171.example TXT "v=spf1 ?all"
i172.example TXT "v=spf1 ?all"
i173.example TXT "v=spf1 ?all"
i174.example TXT "v=spf1 ?all"
i175.example TXT "v=spf1 ?all"
i176.example TXT "v=spf1 ?all"
i177.example TXT "v=spf1 ?all"
i178.example TXT "v=spf1 ?all"
i179.example TXT "v=spf1 ?all"
i180.example TXT "v=spf1 ?all"
i181.example TXT "v=spf1 ?all"
i182.example TXT "v=spf1 ?all"
i183.example TXT "v=spf1 ?all"
i184.example TXT "v=spf1 ?all"
i185.example TXT "v=spf1 ?all"
i186.example TXT "v=spf1 ?all"
i187.example TXT "v=spf1 ?all"
i188.example TXT "v=spf1 ?all"
i189.example TXT "v=spf1 ?all"
i190.example TXT "v=spf1 ?all"
i191.example TXT "v=spf1 ?all"
i192.example TXT "v=spf1 ?all"
i193.example TXT "v=spf1 ?all"
i194.example TXT "v=spf1 ?all"
i195.example TXT "v=spf1 ?all"
i196.example TXT "v=spf1 ?all"
i197.example TXT "v=spf1 ?all"
i198.example TXT "v=spf1 ?all"
i199.example TXT "v=spf1 ?all"
i200.example TXT "v=spf1 ?all"
i201.example TXT "v=spf1 ?all"
i202.example TXT "v=spf1 ?all"
i203.example TXT "v=spf1 ?all"
i204.example TXT "v=spf1 ?all"
i205.example TXT "v=spf1 ?all"
i206.example TXT "v=spf1 ?all"
i207.example TXT "v=spf1 ?all"
i208.example TXT "v=spf1 ?all"
i209.example TXT "v=spf1 ?all"
i210.example TXT "v=spf1 ?all"
i211.example TXT "v=spf1 ?all"
i212.example TXT "v=spf1 ?all"
i213.example TXT "v=spf1 ?all"
i214.example TXT "v=spf1 ?all"
i215.example TXT "v=spf1 ?all"
i216.example TXT "v=spf1 ?all"
i217.example TXT "v=spf1 ?all"
i218.example TXT "v=spf1 ?all"
i219.example TXT "v=spf1 ?all"
i220.example TXT "v=spf1 ?all"
i221.example TXT "v=spf1 ?all"
i222.example TXT "v=spf1 ?all"
i223.example TXT "v=spf1 ?all"
i224.example TXT "v=spf1 ?all"
i225.example TXT "v=spf1 ?all"
i226.example TXT "v=spf1 ?all"
i227.example TXT "v=spf1 ?all"
i228.example TXT "v=spf1 ?all"
i229.example TXT "v=spf1 ?all"
i230.example TXT "v=spf1 ?all"
i231.example TXT "v=spf1 ?all"
i232.example TXT "v=spf1 ?all"
i233.example TXT "v=spf1 ?all"
i234.example TXT "v=spf1 ?all"
i235.example TXT "v=spf1 ?all"
i236.example TXT "v=spf1 ?all"
i237.example TXT "v=spf1 ?all"
i238.example TXT "v=spf1 ?all"
i239.example TXT "v=spf1 ?all"
i240.example TXT "v=spf1 ?all"
i241.example TXT "v=spf1 ?all"
i242.example TXT "v=spf1 ?all"
i243.example TXT "v=spf1 ?all"
i244.example TXT "v=spf1 ?all"
i245.example TXT "v=spf1 ?all"
i246.example TXT "v=spf1 ?all"
i247.example TXT "v=spf1 ?all"
i248.example TXT "v=spf1 ?all"
i249.example TXT "v=spf1 ?all"
i250.example TXT "v=spf1 ?all"
i251.example TXT "v=spf1 ?all"
i252.example TXT "v=spf1 ?all"
i253.example TXT "v=spf1 ?all"
i254.example TXT "v=spf1 ?all"
i255.example TXT "v=spf1 ?all"
i256.example TXT "v=spf1 ?all"
i257.example TXT "v=spf1 ?all"
i258.example TXT "v=spf1 ?all"
i259.example TXT "v=spf1 ?all"
i260.example TXT "v=spf1 ?all"
i261.example TXT "v=spf1 ?all"
i262.example TXT "v=spf1 ?all"
i263.example TXT "v=spf1 ?all"
i264.example TXT "v=spf1 ?all"
i265.example TXT "v=spf1 ?all"
i266.example TXT "v=spf1 ?all"
i267.example TXT "v=spf1 ?all"
i268.example TXT "v=spf1 ?all"
i269.example TXT "v=spf1 ?all"
i270.example TXT "v=spf1 ?all"
i271.example TXT "v=spf1 ?all"
i272.example TXT "v=spf1 ?all"
i273.example TXT "v=spf1 ?all"
i274.example TXT "v=spf1 ?all"
i275.example TXT "v=spf1 ?all"
i276.example TXT "v=spf1 ?all"
i277.example TXT "v=spf1 ?all"
i278.example TXT "v=spf1 ?all"
i279.example TXT "v=spf1 ?all"
i280.example TXT "v=spf1 ?all"
i281.example TXT "v=spf1 ?all"
i282.example TXT "v=spf1 ?all"
i283.example TXT "v=spf1 ?all"
i284.example TXT "v=spf1 ?all"
i285.example TXT "v=spf1 ?all"
i286.example TXT "v=spf1 ?all"
i287.example TXT "v=spf1 ?all"
i288.example TXT "v=spf1 ?all"
i289.example TXT "v=spf1 ?all"
i290.example TXT "v=spf1 ?all"
i291.example TXT "v=spf1 ?all"
i292.example TXT "v=spf1 ?all"
i293.example TXT "v=spf1 ?all"
i294.example TXT "v=spf1 ?all"
i295.example TXT "v=spf1 ?all"
i296.example TXT "v=spf1 ?all"
i297.example TXT "v=spf1 ?all"
i298.example TXT "v=spf1 ?all"
i299.example TXT "v=spf1 ?all"
END
mail user@many.example
case three hundred includes
= permerror
reason more than 10 terms
asks 11
