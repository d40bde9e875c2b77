# RFC 7208. Section 6: redirect, exp and unknown modifiers.
mail strong-bad@d.example
helo mail.helo.example
client 192.0.2.10
case redirect does not count beside all
record v=spf1 redirect=r.example ?all
= neutral
case redirect to nothing
record v=spf1 redirect=r.example
= permerror
case redirect twice
record v=spf1 redirect=r.example redirect=r.example
= permerror
case redirect to an empty name
record v=spf1 redirect= -all
= permerror
case redirect with a colon
record v=spf1 redirect:r.example -all
= permerror
case exp does not matter
record v=spf1 exp=x.example -all
= fail
case exp twice
record v=spf1 exp=x.example exp=y.example -all
= permerror
case exp of nothing
record v=spf1 exp= -all
= permerror
case exp with a macro for its text only
record v=spf1 exp=%{r}.example -all
= permerror

zone <<END
r.example TXT "v=spf1 -all"
END
case redirect
record v=spf1 redirect=r.example
= fail
case redirect counts last
record v=spf1 redirect=r.example ip4:192.0.2.10
= pass

zone <<END
r.example TXT !timeout
END
case redirect that is late
record v=spf1 redirect=r.example
= temperror

zone <<END
r.example TXT "v=spf1 a -all"
r.example A 192.0.2.10
END
case redirect changes the current domain
record v=spf1 redirect=r.example
= pass

# ---- where modifiers stand ----
zone <<END
r.example TXT "v=spf1 ip4:192.0.2.10 -all"
minus.example TXT "v=spf1 -all"
empty.example TXT "v=spf1"
chain1.example TXT "v=spf1 redirect=chain2.example"
chain2.example TXT "v=spf1 redirect=r.example"
broken.example TXT "v=spf1 ip4:1.2.3 +all"
END
client 192.0.2.10
case redirect first, a mechanism that matches after it
record v=spf1 redirect=minus.example ip4:192.0.2.0/24
= pass
mechanism ip4
case redirect between mechanisms that do not match
record v=spf1 ip4:198.51.100.1 redirect=r.example ip4:198.51.100.2
= pass
mechanism ip4
case redirect is no mechanism
record v=spf1 +redirect=r.example
= permerror
case redirect to a record of nothing
record v=spf1 redirect=empty.example
= neutral
mechanism default
case redirect to a redirect
record v=spf1 redirect=chain1.example
= pass
case redirect to an error
record v=spf1 redirect=broken.example
= permerror
case redirect beside an all before it
record v=spf1 -all redirect=r.example
= fail
mechanism all
asks 1
case redirect with two names
record v=spf1 redirect=r.example,minus.example
= permerror
case unknown modifiers are left alone
record v=spf1 moo= x-y.z_1=%{d} -all
= fail
case an empty name of a modifier
record v=spf1 =moo -all
= permerror
case a modifier with a macro of texts
record v=spf1 moo=%{t} -all
= fail
case exp with a blank in a macro
record v=spf1 exp=%{ d} -all
= permerror
case exp and redirect, each twice
record v=spf1 exp=a.example redirect=r.example exp=a.example
= permerror
case a modifier given twice that nobody knows
record v=spf1 a=b a=c -all
= fail
case default modifier of old
record v=spf1 default=pass
= neutral
case exp of one label
record v=spf1 exp=example -all
= permerror
