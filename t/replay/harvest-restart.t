# What clients and networks have guessed outlives a restart: who was left without knowledge is so afterwards, and nobody else.
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
END
session one
connect 198.51.100.7
helo a.example
mail <a@a.example>
repeat 5 rcpt <guess@N@@example.net>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-defer
fact client.unknown-rcpts = 5
fact client.network.unknown-rcpts = 4
close
session six
connect 2001:db8:1:2::25
helo c.example
mail <c@c.example>
repeat 3 rcpt <guess@N@@example.net>
close

restart
session one
connect 198.51.100.7
fact client.unknown-rcpts = 6
fact client.network.unknown-rcpts = 4
helo a.example
mail <a@a.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-defer
fact client.unknown-rcpts = 6
close
# Its neighbour is not suspect, and guesses for the network from where that was.
session two
connect 198.51.100.8
fact client.unknown-rcpts = 0
fact client.network.unknown-rcpts = 4
helo b.example
mail <b@b.example>
rcpt <anna@example.net>
= continue
rcpt <guess5@example.net>
= reject 550 rule=unknown-recipient
fact client.unknown-rcpts = 1
close
session six
connect 2001:db8:1:2:ffff::1
fact client.unknown-rcpts = 3
fact client.network.unknown-rcpts = 3
close
session six
connect 2001:db8:1:3::1
fact client.unknown-rcpts = 0
fact client.network.unknown-rcpts = 3
close

# Twice, and for no longer than the window.
advance 30m
restart
session one
connect 198.51.100.7
fact client.unknown-rcpts >= 5
close
advance 31m
restart
session one
connect 198.51.100.7
fact client.unknown-rcpts = 0
fact client.network.unknown-rcpts = 0
fact client.score >= 1
helo a.example
mail <a@a.example>
rcpt <guess1@example.net>
= reject 550 rule=unknown-recipient
fact client.unknown-rcpts = 1
close
