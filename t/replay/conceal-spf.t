# A check that the rule wants, and that takes longer than the hold: nothing is looked up then, and the reply waits no more.
file people <<END
anna@example.net
END
conf <<END
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
resolver { timeout 3s }
rule hide {
    when     client.unknown-rcpts >= 2 and not spf = pass
    if-unknown skip
    conceal  "451 4.7.1 Try again later ({session})"
}
END
dns <<END
slow.example TXT "v=spf1 -all"
slow.example TXT !delay=1500ms
END
connect 198.51.100.7
helo x.example
mail <a@plain.example>
repeat 2 rcpt <guess@N@@example.net>
= reject 550
abort
mail <a@slow.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=hide
took = 1500ms
rcpt <anna@example.net>
= defer 451 4.7.1 rule=hide
took = 1s
abort
log ~ concealed=2 concealed-found=1
close
