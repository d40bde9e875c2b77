# Bounces are taken to addresses that our own mail was sent with, and nothing else is lost. What a reader needs to know of prvs.h: the fake
# clock begins at day 454 (of 1000), tags are made for day 461.
file people <<END
anna@example.net
bob@example.net
list@example.net
postmaster@b.example
anna@b.example
END
secret key <<END
0123456789abcdef first key
END
secret old-key <<END
an older key, still alive
END
conf <<END
authserv-id mx.example.net
authentication-results no
spf { enabled no }
dkim { enabled no }
dmarc { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
domain b.example { recipients people }
networks {
    internal 127.0.0.0/8 10.0.0.0/8
    relays   192.0.2.25
}
bounce-proof {
    domains            example.net b.example
    key-file           @DIR@/key @DIR@/old-key
    mode               enforce
    exempt-senders     list@example.net
    exempt-recipients  @members.example
    exempt-networks    203.0.113.0/24
}
END

# ---- out: users and inside hosts, to others, in our domains ----
session user
connect 198.51.100.7
helo laptop
mail <Anna@example.net> user=anna
rcpt <x@other.example>
eom
= continue
edits 1
sender-to prvs=94618d1817=Anna@example.net
log ~ bounce-tag=tagged
mail <bob@example.net> user=bob
rcpt <anna@example.net>
rcpt <x@other.example>
eom
edits 1
sender-to prvs=94617dbf30=bob@example.net
# To our own people only: they see the sender as it is.
mail <bob@example.net> user=bob
rcpt <anna@example.net>
eom
edits 0
# Others that are not to see a tag, or must not have one.
mail <bob@example.net> user=bob
rcpt <x@other.example>
rcpt <x@members.example>
eom
edits 0
mail <list@example.net> user=bob
rcpt <x@other.example>
eom
edits 0
mail <prvs=94617dbf30=bob@example.net> user=bob
rcpt <x@other.example>
eom
edits 0
mail <bob@elsewhere.example> user=bob
rcpt <x@other.example>
eom
edits 0
mail <> user=bob
rcpt <x@other.example>
eom
edits 0
mail <a-local-part-that-has-no-room-for-a-tag-in-64-octets@example.net> user=bob
rcpt <x@other.example>
eom
edits 0
close
session inside
connect 10.0.0.1
helo in.example.net
mail <bob@example.net>
rcpt <x@other.example>
eom
edits 1
sender-to prvs=94617dbf30=bob@example.net
close
session relay
connect 192.0.2.25
helo relay.example.net
mail <bob@example.net>
rcpt <x@other.example>
eom
edits 0
close
session stranger
connect 198.51.100.7
helo x.example
mail <bob@example.net>
rcpt <x@other.example>
header From: bob@example.net
eom
edits 0
close

# ---- in: a bounce ----
session bounce
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=94618d1817=anna@example.net>
= continue
header From: mailer-daemon@other.example
eom
= continue
fact bounce.unproven absent
edits 2
rcpt-delete prvs=94618d1817=anna@example.net
rcpt-add anna@example.net
log ~ bounce-tag=valid
# With the key before, and in another case.
mail <>
rcpt <PRVS=1455E2311A=ANNA@example.net>
= continue
data
= continue
header From: mailer-daemon@other.example
eom
edits 2
rcpt-delete PRVS=1455E2311A=ANNA@example.net
rcpt-add ANNA@example.net
# An answer to the tagged address comes through, whoever sends it; so does one with a tag that is none of ours.
mail <x@other.example>
rcpt <prvs=945305a83a=anna@example.net>
rcpt <prvs=0461000000=bob@example.net>
header From: x@other.example
eom
= continue
edits 4
rcpt-add anna@example.net
rcpt-add bob@example.net
# Is there such a recipient? What is behind the tag counts.
mail <>
rcpt <prvs=0461000000=nobody@example.net>
= reject 550 5.1.1 rule=unknown-recipient
close

session forged
connect 198.51.100.9
helo spam.example
mail <>
rcpt <anna@example.net>
= continue
# That was somebody who looks whether the sender exists: nothing is refused before DATA, nothing counted.
abort
mail <>
rcpt <anna@example.net>
= continue
data
= reject 550 5.7.1 rule=bounce-forged
fact bounce.unproven = enforce
abort
log ~ bounce-tag=missing
log ~ events="bounce-forged
mail <>
rcpt <prvs=0461000000=anna@example.net>
data
= reject 550 5.7.1 rule=bounce-forged
abort
log ~ bounce-tag=forged
mail <>
rcpt <prvs=945305a83a=anna@example.net>
data
= reject 550 5.7.1 rule=bounce-forged
# The tag is for one address.
mail <>
rcpt <prvs=94618d1817=bob@example.net>
data
= reject 550 5.7.1 rule=bounce-forged
close

# ---- what needs no tag ----
session exempt
connect 198.51.100.10
helo mx.other.example
mail <>
rcpt <postmaster@example.net>
data
= continue
mail <>
rcpt <list@example.net>
data
= continue
mail <>
rcpt <abuse@b.example>
data
= continue
# One recipient at a time.
rcpt <anna@example.net>
= defer 452 4.5.3 rule=null-sender-recipients
close
session stranger
connect 203.0.113.7
helo members.example
mail <>
rcpt <anna@example.net>
data
= continue
header From: a@members.example
eom
= continue
log ~ bounce-tag=exempt
close
session user
connect 198.51.100.7
helo laptop
mail <> user=anna
rcpt <anna@example.net>
data
= continue
close

# ---- counted by the hour ----
advance 1h
session stranger
connect 198.51.100.7
log ~ event=bounce-proof domain=example.net valid=2 expired=1 forged=2 missing=1 exempt=4 tagged=3 bounces=10 unproven=4
log ~ event=bounce-proof domain=b.example valid=0 expired=0 forged=0 missing=0 exempt=1 tagged=0 bounces=1 unproven=0
close

# ---- learning: nothing is refused, and it is told what would have been ----
conf <<END
authserv-id mx.example.net
authentication-results no
spf { enabled no }
dkim { enabled no }
dmarc { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
domain b.example { recipients people }
networks {
    internal 127.0.0.0/8 10.0.0.0/8
    relays   192.0.2.25
}
bounce-proof {
    domains            example.net b.example
    key-file           @DIR@/key @DIR@/old-key
    mode               learn
    exempt-senders     list@example.net
    exempt-recipients  @members.example
    exempt-networks    203.0.113.0/24
}
END
reload
session stranger
connect 198.51.100.11
helo spam.example
mail <>
rcpt <anna@example.net>
data
= continue
header From: mailer-daemon@other.example
eom
= continue
fact bounce.unproven = learn
log ~ observed="bounce-learn:reject"
log ~ bounce-tag=missing
mail <bob@example.net> user=bob
rcpt <x@other.example>
eom
sender-to prvs=94617dbf30=bob@example.net
close

# ---- off: what was tagged before still comes home ----
conf <<END
authserv-id mx.example.net
authentication-results no
spf { enabled no }
dkim { enabled no }
dmarc { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
domain b.example { recipients people }
networks {
    internal 127.0.0.0/8 10.0.0.0/8
    relays   192.0.2.25
}
bounce-proof {
    domains            example.net b.example
    key-file           @DIR@/key @DIR@/old-key
    mode               off
    exempt-senders     list@example.net
    exempt-recipients  @members.example
    exempt-networks    203.0.113.0/24
}
END
reload
session stranger
connect 198.51.100.12
helo mx.other.example
mail <>
rcpt <prvs=94618d1817=anna@example.net>
data
= continue
header From: mailer-daemon@other.example
eom
edits 2
rcpt-add anna@example.net
mail <>
rcpt <anna@example.net>
data
= continue
fact bounce.unproven absent
close
session user
connect 198.51.100.12
helo laptop
mail <bob@example.net> user=bob
rcpt <x@other.example>
eom
edits 0
close
