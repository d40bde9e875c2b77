# A client that fills every value of the log line can't keep the verdict out of it.
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
rule long-values {
    at      eom
    when    helo matches *é* and sender matches *é* and client.name matches *é* and auth.user matches *é*
    reject  "550 5.7.1 {helo} {sender} {client.name} {auth.user} no"
}
END

connect 198.51.100.7 éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé
helo éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé
mail <éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé@x.example> user=éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé
repeat 4 rcpt <éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé@example.net>
rcpt <anna@example.net>
end-of-headers
eom
= reject 550 5.7.1 rule=long-values
log ~ event=message
log ~ verdict=reject
log ~ rule=long-values
log ~ refused-rcpts=
log ~ score=0
log ~ time-ms=
close

# Nor can an address be taken for two.
session blanks
connect 198.51.100.8
helo x.example
mail <a@x.example>
rcpt <"x unknown-recipient:boss@example.net verdict=accept"@example.net>
= reject 550 5.1.1
abort
log ~ refused-rcpts="unknown-recipient:\"\\\"x unknown-recipient:boss@example.net verdict=accept\\\"@example.net\""
close
