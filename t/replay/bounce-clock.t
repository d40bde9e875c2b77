# A tag that is out of date is refused if the clock can tell days, and put off if it was set, or nobody saw it go, since such a tag may have been made.
# The fake clock begins at day 454 (of 1000); tags are made for day 461, see bounce-proof.t.
file people <<END
anna@example.net
END
secret key <<END
0123456789abcdef first key
END
conf <<END
authserv-id mx.example.net
authentication-results no
spf { enabled no }
dkim { enabled no }
dmarc { enabled no }
tracker { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
bounce-proof {
    domains   example.net
    key-file  @DIR@/key
    mode      enforce
}
END
# A clock of which nothing else is known is believed.
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= reject 550 5.7.1 rule=bounce-forged
abort
log ~ bounce-tag=expired
close

# ---- a year ahead: what was sent yesterday has expired by that ----
set-clock +365d
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=94618d1817=anna@example.net>
= continue
fact bounce.unproven unavailable
log ~ event=bounce-proof text="the clock was set
data
= defer
abort
# What no clock has to do with is refused as ever, and a role's address needs no tag.
mail <>
rcpt <prvs=0461000000=anna@example.net>
= continue
data
= reject 550 5.7.1 rule=bounce-forged
abort
mail <>
rcpt <anna@example.net>
= continue
data
= reject 550 5.7.1 rule=bounce-forged
abort
# A new tag is good by this clock ...
mail <anna@example.net> user=anna
rcpt <x@other.example>
eom
sender-to prvs=9826cb0731=anna@example.net
mail <>
rcpt <prvs=9826cb0731=anna@example.net>
= continue
data
= continue
abort
close

# ---- set right again: what was sent before is good, what was sent meanwhile is of a day that nobody knows ----
set-clock -365d
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=94618d1817=anna@example.net>
= continue
data
= continue
abort
mail <>
rcpt <prvs=9826cb0731=anna@example.net>
= continue
data
= defer
abort
# It was set twice by now: what is out of date is put off as long as a tag that was made before could be good.
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= defer
abort
close
advance 7d
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= defer
abort
close
advance 1d
# Day 462. Whatever has expired now was made after that, or has expired by any clock.
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= reject 550 5.7.1 rule=bounce-forged
abort
mail <>
rcpt <prvs=94618d1817=anna@example.net>
= continue
data
= reject 550 5.7.1 rule=bounce-forged
abort
close

# ---- stopped: for a moment, for some hours ----
restart
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= reject 550 5.7.1 rule=bounce-forged
abort
close
restart 11h
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= reject 550 5.7.1 rule=bounce-forged
abort
close

# ---- for a day: a machine that was off, or whose clock lost its battery. It is remembered over the next stop. ----
restart 1d
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= defer
abort
close
advance 4d
restart
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= defer
abort
close
advance 3d
restart
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= defer
abort
close
advance 2d
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= reject 550 5.7.1 rule=bounce-forged
abort
close

# ---- set while it runs, and ended before anybody asked ----
set-clock +100d
restart
session s
connect 198.51.100.8
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= defer
abort
close

# ---- learning puts nothing off ----
conf <<END
authserv-id mx.example.net
authentication-results no
spf { enabled no }
dkim { enabled no }
dmarc { enabled no }
tracker { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
bounce-proof {
    domains   example.net
    key-file  @DIR@/key
    mode      learn
}
END
reload
session s
connect 198.51.100.9
helo mx.other.example
mail <>
rcpt <prvs=945305a83a=anna@example.net>
= continue
data
= continue
fact bounce.unproven absent
abort
close
