# How much a record lets pass, and whether it counts on a domain that nobody has.
zone <<END
one.example TXT "v=spf1 ip4:192.0.2.1 -all"
none.example TXT "v=spf1 -all"
net.example TXT "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.7 -all"
overlap.example TXT "v=spf1 ip4:198.51.100.0/24 ip4:198.51.100.128/25 ip4:198.51.100.9 ip4:198.51.101.0/24 ip4:198.51.100.0/23 -all"
six.example TXT "v=spf1 ip6:2001:db8::/32 ip6:2001:db8:1::1 ip6:2001:db9::1 ip6:2001:db9::2 -all"
slash0.example TXT "v=spf1 ip4:0.0.0.0/0 -all"
every.example TXT "v=spf1 +all"
hidden.example TXT "v=spf1 ip4:192.0.2.1 include:every.example -all"
redirects.example TXT "v=spf1 ip4:192.0.2.0/30 redirect=net.example"
includes.example TXT "v=spf1 include:net.example include:overlap.example ip4:192.0.2.1 -all"
minus.example TXT "v=spf1 -ip4:192.0.2.0/24 ~ip4:198.51.100.0/24 ?include:net.example ip4:203.0.113.0/28 -all"
after.example TXT "v=spf1 ip4:192.0.2.1 -all ip4:198.51.100.0/24"
neutral.example TXT "v=spf1 ip4:192.0.2.0/31 ?all"
names.example TXT "v=spf1 a:h.example/28 mx:m.example -all"
h.example A 198.51.100.1
h.example A 198.51.100.99
m.example MX 10 h.example
m.example MX 20 h2.example
h2.example A 203.0.113.1
wide.example TXT "v=spf1 ip4:192.0.2.1 a:unasked.example/8 -all"
unasked.example A 10.0.0.1
broken.example TXT "v=spf1 ip4:198.51.100.0/24 a: -all"
broken-below.example TXT "v=spf1 ip4:192.0.2.1 include:broken.example -all"
loop.example TXT "v=spf1 ip4:192.0.2.0/24 include:loop.example -all"
late.example TXT "v=spf1 ip4:192.0.2.1 include:never.example -all"
never.example TXT !timeout
exists.example TXT "v=spf1 exists:%{i}.list.exists.example ptr -all"
END
mail user@one.example
case one address
= pass
breadth 1
dangling no
mail user@none.example
case nobody
= fail
breadth 0
mail user@net.example
case a network and an address
= fail
breadth 257
mail user@overlap.example
case what overlaps counts once
= fail
breadth 512
mail user@six.example
case networks of 48 bits, and less counts as one
= fail
breadth 65537
mail user@slash0.example
case all of IPv4
= pass
breadth 4294967296
mail user@every.example
case everybody
= pass
breadth 18446744073709551615
mail user@hidden.example
case everybody, behind a term that matched
= pass
mechanism ip4
breadth 18446744073709551615
mail user@redirects.example
case a redirect is followed
= pass
breadth 261
mail user@includes.example
case includes are followed, and overlap too
= pass
breadth 514
mail user@minus.example
case only what passes counts
= fail
breadth 16
mail user@after.example
case nothing counts after all
= pass
breadth 1
mail user@neutral.example
case a result that is not pass counts for nobody
= pass
breadth 2
mail user@names.example
case addresses that the evaluation has looked up, with their networks
= fail
breadth 33
mail user@wide.example
case one that it has not is not asked for, its network counts
= pass
breadth 16777217
mail user@broken.example
case a malformed record
= permerror
dangling none
mail user@broken-below.example
case a malformed record below adds nothing
= pass
breadth 1
mail user@loop.example
case a loop ends
= pass
breadth 256
mail user@late.example
case a record that can't be had
= pass
dangling none
mail user@exists.example
case what can't be counted
= fail
breadth 0
mail user@nothing.example
case no record
= none
dangling none

zone <<END
include.example TXT "v=spf1 include:spf.gone.example ip4:192.0.2.1 -all"
after.example TXT "v=spf1 ip4:192.0.2.1 include:gone.example -all"
deep.example TXT "v=spf1 include:after.example -all"
redirect.example TXT "v=spf1 redirect=_spf.gone.example"
host.example TXT "v=spf1 a:mail.gone.example ip4:192.0.2.1 -all"
exchanger.example TXT "v=spf1 mx:gone.example ip4:192.0.2.1 -all"
exchanger-host.example TXT "v=spf1 mx ip4:192.0.2.1 -all"
exchanger-host.example MX 10 mx.gone.example
exists.example TXT "v=spf1 exists:%{i}.spf.gone.example ip4:192.0.2.1 -all"
own.example TXT "v=spf1 a:no-such-host.own.example mx:other.own.example exists:%{i}.list.own.example -all"
own.example NS ns.own.example
soft.example TXT "v=spf1 ?include:gone.example ip4:192.0.2.1 -all"
nodata.example TXT "v=spf1 a:held.example ip4:192.0.2.1 -all"
held.example TXT "no address, but it is there"
held.example NS ns.held.example
sick.example TXT "v=spf1 a:x.sick-owner.example ip4:192.0.2.1 -all"
sick-owner.example NS !servfail
END
mail user@include.example
case an include
= permerror
dangling yes
mail user@after.example
case an include that was not come to
= pass
dangling yes
mail user@deep.example
case an include of an include
= pass
dangling yes
mail user@redirect.example
case a redirect
= permerror
dangling yes
mail user@host.example
case a host
= pass
dangling yes
mail user@exchanger.example
case an exchanger's domain
= pass
dangling yes
mail user@exchanger-host.example
case an exchanger
= pass
dangling yes
mail user@exists.example
case exists
= pass
dangling yes
mail user@own.example
case a name below a domain that somebody has
= permerror
dangling no
mail user@soft.example
case nothing passes for it
= permerror
dangling no
mail user@nodata.example
case a domain without the record that was asked for
= pass
dangling no
mail user@sick.example
case not known
= pass
dangling no
