# Quotas of users and inside hosts: how far each goes, by which, and what is exempt.
file some <<END
anna@example.org
END
conf <<END
authserv-id mx.example.net
networks { internal 192.0.2.0/24
	relays 198.51.100.25 }
directory some {
    type file
    path @DIR@/some
}
domain example.org { recipients some }
# Its time would let some of a quota leak away.
rule outbound-slow off
outbound {
	messages              4/1h
	recipients            none
	different-recipients  10/1h
	networks              3/1h
	unknown-share         50
	unknown-min           3
	host-messages         4/1h
	host-unknown-share    0
	warn-at               50
	suspend-at            200
	suspend-for           2h
	exempt                newsletter 192.0.2.9
	quota bulk messages 100/1h
	quota bulk networks none
	quota dora messages none
	quota emil different-recipients none
	quota 192.0.2.7 messages 1/1h
}
END

# Messages: warned at half of the quota, slowed when it is used up, held half of it later, suspended at twice.
session a
connect 203.0.113.1
helo pc
mail <anna@example.org> user=anna
fact outbound = ok
fact outbound.quota absent
abort
mail <anna@example.org> user=anna
fact outbound = warn
fact outbound.quota = messages
log ~ event=outbound account=user:anna outbound=warn reason="messages 2, quota 4 in 3600s"
rcpt <x@far.example>
= continue
took = 0
eom
= continue
log ~ user=anna outbound=warn
mail <anna@example.org> user=anna
fact outbound = warn
no-log event=outbound
mail <anna@example.org> user=anna
fact outbound = slow
abort
mail <anna@example.org> user=anna
mail <anna@example.org> user=anna
fact outbound = hold
rcpt <x@far.example>
= continue
eom
= hold rule=outbound-hold
mail <anna@example.org> user=anna
fact outbound = hold
mail <anna@example.org> user=anna
= reject 550 5.7.1 rule=outbound-suspended
fact outbound = suspended
log ~ event=suspended account=user:anna author=mxward reason="messages 8, quota 4 in 3600s"
# No more is counted, nor logged; others are not touched.
mail <anna@example.org> user=anna
= reject 550
no-log event=suspended
mail <anna@example.org> user=ANNA
= reject 550
mail <anna@example.org> user=berta
= continue
close
session b
connect 203.0.113.9
mail <anna@example.org> user=anna
= reject 550
# Lifted by itself after two hours, and the quotas begin anew.
advance 119m
mail <anna@example.org> user=anna
= reject 550
advance 2m
mail <anna@example.org> user=anna
= continue
fact outbound = ok
close

# One message to too many: what is beyond is refused, and so is the whole.
session c
connect 203.0.113.2
mail <berta@example.org> user=berta
repeat 14 rcpt <to@N@@far.example>
= continue
fact outbound = slow
rcpt <to15@far.example>
fact outbound = hold
repeat 4 rcpt <tob@N@@far.example>
= continue
rcpt <tob5@far.example>
= reject 550 rule=outbound-suspended
fact outbound.quota = different-recipients
eom
= reject 550 rule=outbound-suspended
close

# Recipients that were written to before are not different.
session c
connect 203.0.113.2
mail <cesar@example.org> user=cesar
repeat 60 rcpt <same@far.example>
fact outbound = ok
close

# Networks: a user who logs in from everywhere; one with a row of its own may.
session n
connect 203.0.113.1
mail <d@example.org> user=dora
fact outbound = ok
close
session n
connect 203.0.113.7
mail <d@example.org> user=dora
fact outbound = ok
close
session n
connect 203.0.114.1
mail <d@example.org> user=dora
fact outbound = warn
fact outbound.quota = networks
close
session n
connect 2001:db8:1:1::1
mail <d@example.org> user=dora
fact outbound = slow
close
session n
connect 2001:db8:1:2::1
mail <d@example.org> user=dora
fact outbound = slow
close
session n
connect 2001:db8:2:1::1
mail <d@example.org> user=dora
fact outbound = slow
close
session n
connect 198.51.100.1
mail <d@example.org> user=dora
fact outbound = hold
close
session n
connect 198.51.101.1
mail <d@example.org> user=dora
= reject 550 rule=outbound-suspended
log ~ event=suspended account=user:dora author=mxward reason="networks 6, quota 3 in 3600s"
close
session n
connect 203.0.115.1
mail <b@example.org> user=bulk
close
session n
connect 203.0.116.1
mail <b@example.org> user=bulk
close
session n
connect 203.0.117.1
repeat 10 mail <b@example.org> user=bulk
= continue
fact outbound = ok
close

# Recipients that do not exist: a share of them, from three on. What the mail server put off says nothing.
session u
connect 203.0.113.3
mail <e@example.org> user=emil
rcpt <anna@example.org>
rcpt-deferred <x1@far.example>
rcpt-deferred <x2@far.example>
rcpt-deferred <x3@far.example>
rcpt <no1@example.org>
rcpt <no2@example.org>
rcpt <anna@example.org>
fact outbound = ok
rcpt-refused <no3@far.example>
rcpt <anna@example.org>
fact outbound = slow
fact outbound.quota = unknown-share
close

# A host of ours is warned, and no more, unless host-stage says so: it may be a web shop.
session h
connect 192.0.2.1
repeat 20 mail <shop@example.org>
= continue
fact outbound = warn
close
# With a quota of its own; and those that are exempt.
session h
connect 192.0.2.7
mail <shop@example.org>
fact outbound = warn
close
session h
connect 192.0.2.9
repeat 20 mail <shop@example.org>
fact outbound = ok
close
session h
connect 192.0.2.1
repeat 20 mail <n@example.org> user=newsletter
fact outbound = ok
close
# A user at an exempt address is not.
session h
connect 192.0.2.9
repeat 8 mail <n@example.org> user=fritz
fact outbound = suspended
close

# Strangers, relays and local submission have no quotas.
session s
connect 203.0.113.77
mail <x@far.example>
fact outbound absent
close
session s
connect 198.51.100.25
mail <x@far.example> user=anna
fact outbound absent
close
session s
connect local
mail <x@far.example>
fact outbound absent
close
