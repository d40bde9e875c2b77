# To a harvester, recipients that exist and others are the same: one reply, one time, and the same consequences.
file people <<END
anna@example.net
bob@example.net
END
conf <<END
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
timeouts { concealed-reply 2s }
limits { concealed-sessions 1 }
rule harvester-defer enforce
END

session bad
connect 198.51.100.7
helo harvest.example
mail <a@harvest.example>
rcpt <anna@example.net>
= continue
took <= 0
repeat 4 rcpt <guess@N@@example.net>
= reject 550 5.1.1 rule=unknown-recipient
rcpt <guess5@example.net>
= reject 550 5.1.1 rule=unknown-recipient
took <= 0
fact client.unknown-rcpts = 5
rcpt <bob@example.net>
= defer 451 4.7.1 rule=harvester-defer decided=conceal text~198.51.100.7: too many unknown recipients
took = 2s
rcpt <guess6@example.net>
= defer 451 4.7.1 rule=harvester-defer decided=conceal text~198.51.100.7: too many unknown recipients
took = 2s
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-defer decided=conceal
took = 2s
rcpt <Postmaster@example.net>
= defer 451 4.7.1 rule=harvester-defer
rcpt <x@elsewhere.example>
= defer 451 4.7.1 rule=harvester-defer
took = 2s
# Points would tell, and so would the count, if only some counted.
# (One of the fifty is gone for anna, who was accepted before.)
fact client.score = 49
rcpt <guess7@example.net>
fact client.unknown-rcpts = 9
eom
= continue
log ~ concealed=6 concealed-found=3
log ~ refused=11
log ~ verdict=continue
mail <a@harvest.example>
rcpt <anna@example.net>
= defer 451
abort
log ~ verdict=conceal code=451 status=4.7.1 rule=harvester-defer
log ~ refused-rcpts=harvester-defer:anna@example.net
log ~ concealed=1 concealed-found=1
fact session.aborts = 0
# What the MTA has refused itself is no secret, and does not wait.
mail <a@harvest.example>
rcpt-refused <mta@example.net>
took <= 0
close

# Others are served as ever.
session good
connect 198.51.100.8
helo mail.good.example
mail <b@good.example>
rcpt <anna@example.net>
= continue
took <= 0
rcpt <nobody@example.net>
= reject 550 5.1.1
close
# So is a user with a password, from the same address.
session user
connect 198.51.100.7
helo laptop.example
mail <anna@example.net> user=anna
rcpt <bob@example.net>
= continue
took <= 0
close

# It goes on for as long as the client does, whatever it asks for; then it is over.
advance 40m
session bad
connect 198.51.100.7
helo harvest.example
mail <a@harvest.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-defer
repeat 4 rcpt <anna+@N@@example.net>
= defer 451
close
advance 40m
session bad
connect 198.51.100.7
fact client.unknown-rcpts = 5
helo harvest.example
mail <a@harvest.example>
rcpt <bob@example.net>
= defer 451
close
advance 2h
session bad
connect 198.51.100.7
helo harvest.example
mail <a@harvest.example>
rcpt <bob@example.net>
= continue
close

# Nobody may wait: the reply is the same, at once, and nothing is looked up.
conf <<END
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
limits { concealed-sessions 0 }
rule harvester-defer enforce
END
reload
session full
connect 192.0.2.9
helo harvest.example
mail <a@harvest.example>
repeat 5 rcpt <guess@N@@example.net>
= reject 550
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-defer
took <= 0
rcpt <guess9@example.net>
= defer 451 4.7.1 rule=harvester-defer
took <= 0
abort
log ~ concealed=2 concealed-found=0
close
