# A refusal needs a positive fact: DNS that does not answer defers where the answer could matter, and only there.
file people <<END
anna@example.net
@example.net
END
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
dns <<END
sender.example TXT "v=spf1 ip4:192.0.2.1 -all"
slow.example TXT !timeout
late.example TXT "v=spf1 ip4:192.0.2.1 -all"
late.example TXT !delay=1500ms
END

# forged: SPF says so and no signature says otherwise
connect 198.51.100.7 unknown
helo stranger.example
mail <bob@sender.example>
= continue
rcpt <anna@example.net>
= continue
header From: bob@sender.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery
edits 0
log ~ verdict=reject
log ~ rule=spf-forgery
log ~ spf=fail
abort
close

# the same with a record that does not come: nothing is known, so try again later
connect 198.51.100.8
helo stranger.example
mail <bob@slow.example>
rcpt <anna@example.net>
header From: bob@slow.example
end-of-headers
eom
= defer 451 rule=spf-forgery
took <= 20s
fact spf unavailable
log ~ verdict=defer
close

# a slow answer is asked for at MAIL: by the end of the message it is there
connect 192.0.2.1
helo mail.late.example
mail <bob@late.example>
took <= 0
advance 2s
rcpt <anna@example.net>
header From: bob@late.example
end-of-headers
eom
= continue
took <= 0
insert Authentication-Results ~ spf=pass
asked late.example 1 TXT
close

# inside hosts and authenticated users are not asked for SPF
connect 127.0.0.1
helo sender.example
mail <bob@sender.example>
rcpt <anna@example.net>
header From: bob@sender.example
end-of-headers
eom
= continue
no-insert spf=
close
connect 198.51.100.9
helo laptop
mail <bob@sender.example> user=bob@sender.example
rcpt <anna@example.net>
header From: bob@sender.example
end-of-headers
eom
= continue
insert Authentication-Results ~ auth=pass smtp.auth=bob@sender.example
close
