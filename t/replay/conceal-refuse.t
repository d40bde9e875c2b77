# The other way: every recipient is accepted, and the message is refused at its end, whatever other rules accept.
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
rule trusting {
    at data
    when helo = harvest.example
    accept
}
rule no-spam {
    at eom
    when helo = spam.example
    reject "554 5.7.1 no spam"
}
rule harvester-refuse enforce
END

session bad
connect 198.51.100.7
helo harvest.example
mail <a@harvest.example>
rcpt <anna@example.net>
= continue
repeat 5 rcpt <guess@N@@example.net>
= reject 550 5.1.1
rcpt <bob@example.net>
= continue rule=harvester-refuse decided=conceal
took = 1s
rcpt <guess6@example.net>
= continue rule=harvester-refuse decided=conceal
took = 1s
data
= accept rule=trusting
header Subject: x
end-of-headers
eom
= reject 550 5.7.1 rule=harvester-refuse decided=reject text~198.51.100.7: too many unknown recipients
took = 1s
log ~ time-ms=3000
edits 0
log ~ verdict=reject code=550 status=5.7.1 rule=harvester-refuse
log ~ facts="client.unknown-rcpts=5 client.unknown-share=83 client.class=outside client.list=- auth=no"
log ~ concealed=2 concealed-found=1
log ~ refused=5
# The next message of the session.
mail <a@harvest.example>
rcpt <nobody@example.net>
= continue rule=harvester-refuse decided=conceal
eom
= reject 550 5.7.1 rule=harvester-refuse
# Given up before its end.
mail <a@harvest.example>
rcpt <bob@example.net>
= continue decided=conceal
abort
log ~ verdict=conceal rule=harvester-refuse
no-log refused=
fact session.aborts = 0
close

# A rule that refuses the message goes first.
session spam
connect 198.51.100.7
helo spam.example
mail <a@spam.example>
rcpt <bob@example.net>
= continue decided=conceal
eom
= reject 554 5.7.1 rule=no-spam
close

# A message without a concealed recipient is delivered.
session good
connect 198.51.100.9
helo mail.good.example
mail <b@good.example>
rcpt <bob@example.net>
= continue
took <= 0
eom
= continue
close

# An address accepted before the client was known for what it is does not save the message.
session late
connect 203.0.113.4
helo x.example
mail <a@x.example>
rcpt <anna@example.net>
= continue
repeat 5 rcpt <guess@N@@example.net>
rcpt <nobody@example.net>
= continue decided=conceal
eom
= reject 550 5.7.1 rule=harvester-refuse
close
