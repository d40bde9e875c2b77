# A harvest that is spread over many clients, each of whom guesses little: the site knows.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
tracker { site-harvest 20 }
END
dns <<END
good.example TXT "v=spf1 ip4:192.0.2.0/24 -all"
END

# One network is a harvester of its own; it is no harvest of many.
session one
connect 203.0.113.1
fact site.harvested = no
helo a.example
mail <a@a.example>
repeat 9 rcpt <x@N@@example.net>
close
session one
connect 203.0.113.2
helo a.example
mail <a@a.example>
repeat 9 rcpt <y@N@@example.net>
close
session one
connect 203.0.113.3
helo a.example
mail <a@a.example>
repeat 9 rcpt <z@N@@example.net>
close

# Who is known for good may have an old list.
session good
connect 192.0.2.1
fact site.harvested = no
helo mail.good.example
mail <a@good.example>
rcpt <anna@example.net>
header From: a@good.example
end-of-headers
eom
mail <a@good.example>
rcpt <anna@example.net>
header From: a@good.example
end-of-headers
eom
mail <a@good.example>
repeat 3 rcpt <old@N@@example.net>
close

session many
connect 203.0.114.1
helo a.example
mail <a@a.example>
repeat 3 rcpt <b@N@@example.net>
close
session many
connect 2001:db8:1::1
helo a.example
mail <a@a.example>
repeat 3 rcpt <c@N@@example.net>
close
session many
connect 2001:db8:2::1
helo a.example
mail <a@a.example>
repeat 3 rcpt <d@N@@example.net>
fact site.harvested = no
close
session many
connect 203.0.117.1
helo a.example
mail <a@a.example>
rcpt <e@example.net>
fact site.harvested = yes
close
session other
connect 198.51.100.1
fact site.harvested = yes
close
advance 61m
session other
connect 198.51.100.1
fact site.harvested = no
close

# Who goes on and on counts on, with some guesses for each window: else the harvest would be over whenever the first ones are an hour old.
session goes-on
connect 203.0.120.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r0n0x@N@@example.net>
close
session goes-on
connect 203.0.121.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r0n1x@N@@example.net>
close
session goes-on
connect 203.0.122.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r0n2x@N@@example.net>
close
session goes-on
connect 203.0.123.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r0n3x@N@@example.net>
close
session goes-on
connect 203.0.124.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r0n4x@N@@example.net>
close
session other
connect 198.51.100.1
fact site.harvested = yes
close
advance 29m
session goes-on
connect 203.0.120.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r1n0x@N@@example.net>
close
session goes-on
connect 203.0.121.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r1n1x@N@@example.net>
close
session goes-on
connect 203.0.122.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r1n2x@N@@example.net>
close
session goes-on
connect 203.0.123.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r1n3x@N@@example.net>
close
session goes-on
connect 203.0.124.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r1n4x@N@@example.net>
close
session other
connect 198.51.100.1
fact site.harvested = yes
close
advance 29m
session goes-on
connect 203.0.120.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r2n0x@N@@example.net>
close
session goes-on
connect 203.0.121.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r2n1x@N@@example.net>
close
session goes-on
connect 203.0.122.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r2n2x@N@@example.net>
close
session goes-on
connect 203.0.123.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r2n3x@N@@example.net>
close
session goes-on
connect 203.0.124.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r2n4x@N@@example.net>
close
session other
connect 198.51.100.1
fact site.harvested = yes
close
advance 29m
session goes-on
connect 203.0.120.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r3n0x@N@@example.net>
close
session goes-on
connect 203.0.121.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r3n1x@N@@example.net>
close
session goes-on
connect 203.0.122.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r3n2x@N@@example.net>
close
session goes-on
connect 203.0.123.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r3n3x@N@@example.net>
close
session goes-on
connect 203.0.124.1
helo a.example
mail <a@a.example>
repeat 12 rcpt <r3n4x@N@@example.net>
close
session other
connect 198.51.100.1
fact site.harvested = yes
close
advance 61m
session other
connect 198.51.100.1
fact site.harvested = no
close
