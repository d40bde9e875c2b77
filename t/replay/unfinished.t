# Who looks whether somebody answers, or asks whether a mailbox exists, may go on for good; who floods may not.
file people <<END
anna@example.net
END
conf <<END
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
tracker {
    half-life    30d
    abort        2
    no-message   10
}
END

# Sessions without a message come to 15 points and no further, and take nothing from what else there is.
session monitor
connect 192.0.2.1
close
connect 192.0.2.1
close
connect 192.0.2.1
close
connect 192.0.2.1
= continue
fact client.score = 15
unknown XYZZY
unknown XYZZY
fact client.score = 25
close
connect 192.0.2.1
fact client.score = 25
close

# Questions: nine to a session.
session verifier
connect 192.0.2.2
helo verifier.example
mail <>
rcpt <anna@example.net>
abort
mail <a@verifier.example>
abort
mail <a@verifier.example>
abort
mail <a@verifier.example>
abort
mail <a@verifier.example>
abort
mail <a@verifier.example>
abort
mail <a@verifier.example>
abort
mail <a@verifier.example>
abort
mail <a@verifier.example>
abort
mail <a@verifier.example>
fact session.aborts = 9
fact client.score = 15
# The tenth is a flood: the rest of them counts as well, and so does each that comes.
abort
mail <a@verifier.example>
fact session.aborts = 10
fact client.score = 20
abort
log ~ events="abort:+2"
mail <a@verifier.example>
fact client.score = 22
close
# In the next session it is the beyond that is left as it is.
session again
connect 192.0.2.2
helo verifier.example
mail <a@verifier.example>
abort
mail <a@verifier.example>
fact client.score = 22
close
