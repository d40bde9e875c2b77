# The DNS budget is a session's; a message that is accepted begins a new count.
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
limits { session-dns 20 }
rule sender-null-mx off
rule sender-domain-none off
rule sender-mx-nowhere off
END
dns <<END
s1.example TXT "v=spf1 a:a1.s1.example a:a2.s1.example +all"
s2.example TXT "v=spf1 a:b1.s2.example a:b2.s2.example +all"
END

# Thirty senders that bring nothing: the budget is used up, and what is not known defers at most.
session flood
connect 198.51.100.7
helo x.example
repeat 30 mail <a@d@N@.example>
asked d5.example 1
asked d25.example 0
rcpt <anna@example.net>
header From: a@d30.example
end-of-headers
eom
= defer 451 4.4.3 rule=spf-forgery
fact spf unavailable
close

# Accepted mail in between: every sender is asked for.
session long
connect 198.51.100.8
helo y.example
repeat 15 mail <a@e@N@.example>
rcpt <anna@example.net>
header From: a@e15.example
end-of-headers
eom
= continue
repeat 15 mail <a@f@N@.example>
asked f15.example 1
rcpt <anna@example.net>
header From: a@f15.example
end-of-headers
eom
= continue
close
