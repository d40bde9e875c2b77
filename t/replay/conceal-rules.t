# Concealing among other rules: what goes before it, what only watches, and what is in nobody's way.
file people <<END
anna@example.net
END
conf <<END
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rule watch observe {
    when     client.unknown-rcpts >= 1
    conceal  "451 4.7.1 watched"
}
rule known-first {
    when    rcpt = unknown and client.unknown-rcpts >= 4
    reject  "553 5.1.1 no"
}
rule partner {
    at      rcpt
    when    client.address in 192.0.2.0/24
    accept
}
rule sender {
    at      rcpt
    when    sender.domain = refused.example
    reject  "550 5.7.1 not you"
}
rule hide {
    when     client.unknown-rcpts >= 3
    conceal  "450 4.2.1 {client} {rcpt}"
}
END
session watched
connect 198.51.100.7
helo x.example
mail <a@x.example>
repeat 2 rcpt <guess@N@@example.net>
= reject 550 5.1.1 rule=unknown-recipient
rcpt <guess3@example.net>
= reject 550 5.1.1 rule=unknown-recipient
took <= 0
# A rule on existence that stands before is passed over.
rcpt <guess4@example.net>
= defer 450 4.2.1 rule=hide text~198.51.100.7 guess4@example.net
took = 1s
rcpt <anna@example.net>
= defer 450 4.2.1 rule=hide text~198.51.100.7 anna@example.net
took = 1s
abort
log ~ observed="watch:conceal"
# Another that stands before decides, after the same time.
mail <a@refused.example>
rcpt <guess5@example.net>
= reject 550 5.7.1 rule=sender
took = 1s
rcpt <anna@example.net>
= reject 550 5.7.1 rule=sender
took = 1s
close
# Who is let pass before is not concealed.
session partner
connect 192.0.2.7
helo x.example
mail <a@x.example>
repeat 9 rcpt <guess@N@@example.net>
rcpt <anna@example.net>
= accept rule=partner
took <= 0
close
