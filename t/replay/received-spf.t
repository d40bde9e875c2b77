# The Received-SPF field, where an option wants it: what peers said stands in quotes, or not at all.
conf <<END
authserv-id mx.example.net
spf { received-spf yes }
END
dns <<END
sender.example TXT "v=spf1 ip4:198.51.100.7 -all"
soft.example TXT "v=spf1 ~all"
wrong.example TXT "v=spf1 moo -all"
mail.example.org TXT "v=spf1 a -all"
mail.example.org A 198.51.100.7
END
connect 198.51.100.7
helo mail.example.org
mail <anna@sender.example>
rcpt <x@example.net>
data
header From: anna@sender.example
end-of-headers
eom
= continue
edits 2
insert Authentication-Results ~ spf=pass
insert Received-SPF ~ pass identity=mailfrom;\n\treceiver=mx.example.net;\n\tclient-ip=198.51.100.7;\n\thelo=mail.example.org;\n\tenvelope-from="anna@sender.example";\n\tmechanism=ip4
mail <"a;\"\\b"@soft.example>
rcpt <x@example.net>
data
header From: anna@soft.example
end-of-headers
eom
insert Received-SPF ~ softfail identity=mailfrom
insert Received-SPF ~ envelope-from="\"a;\\\"\\\\b\"@soft.example"
mail <anna@wrong.example>
rcpt <x@example.net>
data
header From: anna@wrong.example
end-of-headers
eom
insert Received-SPF ~ permerror identity=mailfrom
insert Received-SPF ~ problem="wrong.example: unknown mechanism in \"moo\""
mail <>
rcpt <x@example.net>
data
header From: anna@sender.example
end-of-headers
eom
insert Received-SPF ~ pass identity=helo;\n\treceiver=mx.example.net;\n\tclient-ip=198.51.100.7;\n\thelo=mail.example.org;\n\tmechanism=a
mail <müller@sender.example>
rcpt <x@example.net>
data
header From: anna@sender.example
end-of-headers
eom
insert Received-SPF ~ helo=mail.example.org;\n\tmechanism=ip4
close

# Users of ours have no SPF result, and no field that says one. Without authentication-results it stands alone.
conf <<END
authserv-id mx.example.net
authentication-results no
spf { received-spf yes }
END
restart
session user
connect 198.51.100.7
helo mail.example.org
mail <anna@sender.example> user=anna
rcpt <x@example.net>
data
header From: anna@sender.example
end-of-headers
eom
edits 0
mail <anna@sender.example>
rcpt <x@example.net>
data
header From: anna@sender.example
end-of-headers
eom
edits 1
insert Received-SPF ~ pass
close
