# Different recipients that do not exist are counted: by client, network and site, each once, for a window.
file people <<END
anna@example.net
END
conf <<END
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rule harvester-defer off
rule harvester-network-defer off
tracker {
    harvest-window 40m
    unknown-recipient 1
    rejected-recipient 1
}
END

# One dead address, repeated by an honest server, counts once and earns its points once, whatever its case.
session one
connect 198.51.100.7
fact client.unknown-rcpts = 0
helo a.example
mail <a@a.example>
repeat 20 rcpt <old@example.net>
rcpt <OLD@Example.NET>
= reject 550
fact client.unknown-rcpts = 1
fact client.score = 1
rcpt <anna@example.net>
= continue
fact client.unknown-rcpts = 1
rcpt <x@elsewhere.example>
= continue
fact client.unknown-rcpts = 1
abort

# What the MTA itself refused counts as well, but not what it put off, nor twice.
mail <a@a.example>
repeat 3 rcpt-refused <gone@example.net>
fact client.unknown-rcpts = 2
fact client.score = 2
repeat 3 rcpt-deferred <late@N@@example.net>
fact client.unknown-rcpts = 2
rcpt <gone@example.net>
= reject 550
fact client.unknown-rcpts = 2
fact client.score = 2
close

# Another client of the same network, which tries one of the same.
session two
connect 198.51.100.8
fact client.unknown-rcpts = 0
fact client.network.unknown-rcpts = 2
helo b.example
mail <b@b.example>
repeat 3 rcpt <guess@N@@example.net>
rcpt <old@example.net>
= reject 550
fact client.unknown-rcpts = 4
fact client.network.unknown-rcpts = 5
fact site.unknown-rcpts = 5
close

# ... and of an IPv6 /48: the client is its /64.
session six
connect 2001:db8:1:2::25
fact client.network.unknown-rcpts = 0
fact site.unknown-rcpts = 5
helo c.example
mail <c@c.example>
rcpt <six@example.net>
fact site.unknown-rcpts = 6
close
session six
connect 2001:db8:1:2:ffff::1
fact client.unknown-rcpts = 1
close
session six
connect 2001:db8:1:3::1
fact client.unknown-rcpts = 0
fact client.network.unknown-rcpts = 1
close

# Nobody counts who is inside or known.
session inside
connect 127.0.0.1
helo x.example
mail <a@x.example>
repeat 5 rcpt <in@N@@example.net>
fact client.unknown-rcpts = 0
fact site.unknown-rcpts = 0
close
session user
connect 203.0.113.9
helo x.example
mail <a@x.example> user=anna
repeat 5 rcpt <in@N@@example.net>
fact client.unknown-rcpts = 0
close
session after
connect 203.0.113.9
fact client.unknown-rcpts = 0
fact site.unknown-rcpts = 6

# A reload keeps them; the window forgets them.
reload
advance 20m
session one
connect 198.51.100.7
fact client.unknown-rcpts = 2
helo a.example
mail <a@a.example>
rcpt <old@example.net>
fact client.unknown-rcpts = 2
fact client.score >= 1
close
advance 30m
session one
connect 198.51.100.7
fact client.unknown-rcpts = 1
fact client.network.unknown-rcpts = 1
fact site.unknown-rcpts = 1
close
advance 15m
session one
connect 198.51.100.7
fact client.unknown-rcpts = 0
fact site.unknown-rcpts = 0
close

# More than are counted one by one.
session many
connect 192.0.2.77
helo x.example
mail <a@x.example>
repeat 90 rcpt <many@N@@example.net>
fact client.unknown-rcpts >= 80
# One client must not make its neighbours suspect.
fact client.network.unknown-rcpts = 4
fact site.unknown-rcpts >= 85
close
