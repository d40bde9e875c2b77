# Where the client came in: by port, by the MTA's name for the daemon, or by both; without the macros no rule on it holds.
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
listener submission { port 587 }
listener second {
    port        25
    daemon-name MTA-second
}
listener third { daemon-name MTA-third }
rule harvester-defer off
rule client-score-connect enforce
rule client-score-disconnect enforce
rule users-only {
    at      rcpt
    when    listener = submission and not auth
    reject  "530 5.7.0 Authentication required"
}
END

session a
connect 198.51.100.7 unknown smtpd 587
fact listener = submission
helo laptop
mail <x@x.example>
rcpt <anna@example.net>
= reject 530 5.7.0 rule=users-only
abort
mail <x@x.example> user=x
rcpt <anna@example.net>
= continue
close
session b
connect 198.51.100.7 unknown mta-SECOND 25
fact listener = second
close
session c
connect 198.51.100.7 unknown MTA-second 26
fact listener absent
close
session d
connect 198.51.100.7 unknown MTA-third 2525
fact listener = third
close
session e
connect 198.51.100.7
fact listener absent
helo laptop
mail <x@x.example>
rcpt <anna@example.net>
= continue
close

# Who has a high score is cut off at once, but where users log in.
session bad
connect 203.0.113.7
helo x.example
mail <x@x.example>
repeat 20 rcpt <guess@N@@example.net>
= disconnect 421
close
session bad
connect 203.0.113.7 unknown smtpd 25
= disconnect 421 rule=client-score-connect
close
session user
connect 203.0.113.7 unknown smtpd 587
= continue
helo laptop
= continue
mail <x@x.example> user=x
= continue
rcpt <anna@example.net>
= continue
fact client.score = 0
close

# Where users log in is known without a section.
session a
connect 203.0.113.7 unknown smtps 465
fact listener = submissions
= continue
close
session b
connect 198.51.100.9 unknown smtpd 2525
fact listener absent
close
