# In observe mode nobody waits and nothing is refused; the log says what would have been.
file people <<END
anna@example.net
END
conf <<END
mode observe
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rule harvester-refuse enforce
END
connect 198.51.100.7
helo x.example
mail <a@x.example>
repeat 5 rcpt <guess@N@@example.net>
= continue decided=reject
rcpt <anna@example.net>
= continue decided=conceal rule=harvester-refuse
took <= 0
fact client.unknown-rcpts = 5
eom
= continue decided=reject rule=harvester-refuse
log ~ verdict=reject mode=observe code=550
log ~ concealed=1
close
