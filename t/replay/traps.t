# Traps: recipients that only harvesters know, by our own word or the directory's.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
directory people {
    type    file
    path    @DIR@/people
}
domain example.net old.example.net { recipients people }
tracker {
    half-life  30d
    traps      Trap@Example.NET @old.example.net
    no-message 0
    abort      0
}
rule harvester-defer enforce
END

# Refused as any that no directory has; counted before that is decided.
session known
connect 203.0.113.1
helo a.example
mail <a@a.example>
rcpt <TRAP@example.net>
= defer 451 rule=client-score-refuse
fact client.score = 100
fact client.unknown-rcpts = 1
abort
log ~ events="trap-recipient:+100"
close
# What else is said of it changes nothing; each trap counts once.
session whole
connect 203.0.114.1
helo a.example
mail <a@a.example> user=bob
rcpt <trap+x@example.net>
= reject 550 rule=unknown-recipient
rcpt <trap@example.net>
rcpt-refused <trap@example.net>
rcpt-deferred <other@old.example.net>
fact auth.score = 100
rcpt-refused <other@old.example.net>
fact auth.score = 200
close
# What only looks like one is unknown, no more.
session like
connect 203.0.115.1
helo a.example
mail <a@a.example>
rcpt <traps@example.net>
rcpt <ttrap@example.net>
rcpt <trap@sub.example.net>
fact client.score = 20
close
# Nobody inside is a harvester.
session inside
connect 127.0.0.1
helo a.example
mail <a@a.example>
rcpt <trap@example.net>
fact client.score = 0
close

# To whom recipients are concealed, a trap is like any other.
session hidden
connect 203.0.116.1
helo a.example
mail <a@a.example>
repeat 5 rcpt <x@N@@example.net>
fact client.score = 50
rcpt <anna@example.net>
= defer 451 rule=harvester-defer
rcpt <trap@example.net>
= defer 451 rule=harvester-defer
rcpt <anna@example.net>
= defer 451 rule=harvester-defer
fact client.score = 50
close
