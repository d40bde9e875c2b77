# Each thing that can be limited, each key, and for whom.
file people <<END
@example.net
END
file some <<END
anna@example.org
END
dns <<END
pass.example   TXT "v=spf1 ip4:203.0.113.0/24 -all"
other.example  TXT "v=spf1 ip4:203.0.113.0/24 -all"
END
conf <<END
authserv-id mx.example.net
networks { internal 192.0.2.0/24
	relays 192.0.2.200 }
directory people {
    type file
    path @DIR@/people
}
directory some {
    type file
    path @DIR@/some
}
domain example.net { recipients people }
domain example.org { recipients some }
tracker { unknown-recipient 0
	abort 0
	no-message 0
	unknown-command 0
	over-limit 7 }
listener submission { port 587 }
rates {
	limit connects    connections per address 2/1m
	limit ours        connections per address 1/1m for internal
	limit messages    messages per network 2/1m burst 3
	limit bounces     null-messages per wide 1/1h
	limit rcpts       recipients per helo 3/1h
	limit different   different-recipients per address 5/1h
	limit bytes       bytes per address 1K/1h
	limit failed      failed-recipients per address 2/1h
	limit domain      messages per domain 1/1h
	limit users       messages per user 1/1h
	limit hour        messages per site 40/1h for any
}
END

# Connections: two at once, then one in thirty seconds. What is over is told at once, and holds while the session lasts.
session s
connect 198.51.100.1
= continue
fact connection.over-limit absent
close
session s
connect 198.51.100.1
= continue
close
session s
connect 198.51.100.1
= defer 450 4.7.1 rule=rate-limit-connect
fact connection.over-limit = connects
log ~ facts="connection.over-limit=connects listener=-"
helo one.example
= defer 450 4.7.1 rule=rate-limit-connect
advance 5m
# The event was noted once.
mail <a@one.example>
= defer 450 4.7.1 rule=rate-limit
fact client.score = 7
close
session s
connect 198.51.100.1
= continue
# Another command, another HELO: the session was counted already.
unknown FOO
unknown FOO
helo one.example
helo two.example
unknown FOO
= continue
close
# Users who log in get the chance to, and are free of what is for strangers.
session s
connect 198.51.100.1 - MSA 587
close
session s
connect 198.51.100.1 - MSA 587
= continue
fact connection.over-limit = connects
helo pc.example
= continue
mail <anna@example.net> user=anna
= continue
fact connection.over-limit absent
close
# Hosts of ours have the limit that is for them, and no other; relays none at all.
session s
connect 192.0.2.1
= continue
close
session s
connect 192.0.2.1
= defer rule=rate-limit-connect
fact connection.over-limit = ours
fact client.score = 0
close
session s
connect 192.0.2.200
repeat 5 mail <a@one.example>
= continue
fact message.over-limit absent
close

# Messages, of a whole network: a burst of three, then two in a minute.
session s
connect 198.51.101.1
helo m.example
mail <a@m1.example>
abort
mail <a@m1.example>
= continue
abort
close
session s
connect 198.51.101.2
helo m.example
mail <a@m1.example>
= continue
abort
mail <a@m1.example>
= defer 450 4.7.1 rule=rate-limit
fact message.over-limit = messages
fact client.score = 7
abort
mail <a@m1.example>
= defer 450
fact client.score = 7
abort
log ~ facts="message.over-limit=messages"
# Those that were over were not counted.
advance 30s
mail <a@m1.example>
= continue
fact message.over-limit absent
abort
mail <a@m1.example>
= defer 450
close
session s
connect 198.51.102.1
mail <a@m1.example>
= continue
close

# Bounces of an IPv6 /48. IPv4 has no such network.
session s
connect 2001:db8:1:2::1
mail <>
= continue
abort
mail <a@n.example>
= continue
close
session s
connect 2001:db8:1:7::1
mail <>
= defer 450 rule=rate-limit
fact message.over-limit = bounces
close
session s
connect 2001:db8:2:7::1
mail <>
= continue
close
session s
connect 198.51.103.1
mail <>
abort
mail <>
= continue
close

# Recipients, of a HELO name: one by one; what is over is put off and the rest goes on.
session s
connect 198.51.104.1
helo Big.Example
mail <a@p.example>
rcpt <r1@example.net>
rcpt <r2@example.net>
rcpt <r3@example.net>
= continue
rcpt <r4@example.net>
= defer 450 4.7.1 rule=rate-limit
fact message.over-limit = rcpts
# The rest of this message waits, and is not counted.
advance 20m
rcpt <r5@example.net>
= defer 450
eom
= continue
close
session s
connect 198.51.105.1
helo big.example
mail <a@p.example>
rcpt <r1@example.net>
= continue
rcpt <r1@example.net>
= defer 450
close

# Different recipients: those that were tried before pass.
session s
connect 198.51.106.1
mail <a@d.example>
repeat 5 rcpt <d@N@@example.net>
= continue
repeat 5 rcpt <d@N@@example.net>
= continue
rcpt <D3@example.net>
= continue
rcpt <d6@example.net>
= defer 450 rule=rate-limit
fact message.over-limit = different
abort
mail <a@d.example>
rcpt <d2@example.net>
= continue
rcpt <d7@example.net>
= defer 450
abort
advance 61m
mail <a@d.example>
rcpt <d7@example.net>
= continue
close

# Octets: the message that goes over passes, the next waits until its part has leaked away.
session s
connect 198.51.107.1
mail <a@b.example>
rcpt <b@example.net>
header From: a@b.example
header-bytes X-Long 1500
end-of-headers
eom
= continue
mail <a@b.example>
= defer 450 rule=rate-limit
fact message.over-limit = bytes
abort
advance 29m
mail <a@b.example>
= defer 450
abort
advance 3m
mail <a@b.example>
= continue
close

# Recipients that failed: unknown ones, and those that the MTA refused. Who goes on learns no more.
session s
connect 198.51.108.1
mail <a@f.example>
rcpt <nobody@example.org>
= reject 550 5.1.1
rcpt-deferred <later@example.net>
rcpt-refused <gone@example.net>
rcpt <nobody2@example.org>
= defer 450 4.7.1 rule=rate-limit
rcpt <anna@example.org>
= defer 450 4.7.1
fact message.over-limit = failed
close

# The sender's domain, if SPF passes for it.
session s
connect 203.0.113.1
mail <a@pass.example>
= continue
abort
mail <b@Pass.example>
= defer 450 rule=rate-limit
fact message.over-limit = domain
abort
mail <a@other.example>
= continue
close
session s
connect 198.51.109.1
mail <a@pass.example>
= continue
abort
mail <a@pass.example>
= continue
close

# Users, wherever they come from.
session s
connect 203.0.114.1
mail <anna@example.net> user=berta
= continue
close
session s
connect 192.0.2.77
mail <anna@example.net> user=berta
= defer 450 rule=rate-limit
fact message.over-limit = users
abort
mail <anna@example.net> user=Berta
= defer 450 rule=rate-limit
abort
mail <anna@example.net> user=charly
= continue
close

# The whole site.
session s
connect 198.51.110.1
helo a.example
mail <a@a.example>
= continue
fact message.over-limit absent
close
session s
connect 192.0.2.78
helo a.example
repeat 40 mail <a@a.example>
= defer 450
fact message.over-limit = hour
close
