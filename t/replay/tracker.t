# A harvester is deferred, first each recipient, then each message, and slowly; time heals; another client is not touched.
file people <<END
anna@example.net
END
conf <<END
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
tracker { half-life 30m }
rule harvester-defer off
END

session bad
connect 198.51.100.7
helo harvest.example
mail <a@harvest.example>
repeat 30 rcpt <guess@N@@example.net>
= defer 451 4.7.0 rule=client-score-refuse
took = 2s
fact client.score >= 100
close
log ~ verdict=defer code=451
log ~ tarpit-rule=client-score-tarpit
session bad
connect 198.51.100.7
= continue
took <= 0
helo harvest.example
= continue
took = 2s
unknown XYZZY
took = 2s
mail <a@harvest.example>
= defer 451 4.7.0 rule=client-score-refuse
took = 2s
close
session good
connect 198.51.100.8
= continue
helo mail.good.example
mail <b@good.example>
rcpt <anna@example.net>
= continue
close
advance 7d
session bad
connect 198.51.100.7
= continue
close

# what the MTA refused counts too
session mta
connect 203.0.113.5
helo x.example
mail <a@x.example>
repeat 30 rcpt-refused <guess@N@@example.net>
rcpt <anna@example.net>
= defer 451 rule=client-score-refuse
close

# ... but not what it put off: that is its own affair, greylisting perhaps
session greylisted
connect 203.0.113.8
helo x.example
mail <a@x.example>
repeat 30 rcpt-deferred <anna@N@@example.net>
rcpt <anna@example.net>
= continue
fact client.score = 0
close

# unknown commands and messages given up
session flood
connect 203.0.113.6
helo x.example
repeat 60 unknown GARBAGE
fact client.score >= 40
close
session aborter
connect 203.0.113.7
helo x.example
mail <a@x.example>
abort
fact client.score = 0
mail <a@x.example>
fact client.score >= 1
fact session.aborts >= 1
close

# inside hosts have no score
session inside
connect 127.0.0.1
helo x.example
mail <a@x.example>
repeat 60 rcpt <guess@N@@example.net>
= reject 550
fact client.score = 0
close
