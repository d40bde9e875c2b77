# Lists that are kept here: block and allow work by their names, entries expire, files are read again, and bad lines are told.
file block <<END
# who and why
203.0.113.7    by=anna reason="spam run"
198.51.100.0/24
203.0.113.20   until=2026-01-01T01:00:00Z
2001:db8:7::/48
shop.example
.shop.example
bob@freemail.example reason="says \"no\""
this is none
198.51.100.9/24
END
file allow <<END
198.51.100.9
mail.partner.example
END
file people <<END
anna@example.net
END
conf <<END
list block { file @DIR@/block }
list allow { file @DIR@/allow }
list watched { kind names }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rule watched {
    at      mail
    when    sender.list = watched
    defer   "450 4.7.1 {sender.list}"
}
END
reload
session a
connect 203.0.113.7
helo x.example
mail <bob@client.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=local-block text~203.0.113.7: refused by a list
fact client.list = block
abort
log ~ listed="block:203.0.113.7 by anna: spam run"
rcpt <nobody@example.net>
= reject 550 5.7.1 rule=local-block
close

# A network, and the one address in it that is spared.
connect 198.51.100.8
mail <bob@client.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=local-block
abort
log ~ listed=block:198.51.100.0/24
close
connect 198.51.100.9
mail <bob@client.example>
rcpt <anna@example.net>
= continue
fact client.list = block
repeat 11 rcpt <gone@N@@example.net>
= reject 550 5.1.1
rcpt <anna@example.net>
= continue
close
connect 198.51.101.9
fact client.list absent
mail <bob@client.example>
rcpt <anna@example.net>
= continue
no-log listed=
close

# The name that the MTA verified; a name that is only said spares nobody.
connect 198.51.100.10 mail.partner.example
mail <bob@client.example>
rcpt <anna@example.net>
= continue
close
connect 198.51.100.11
helo mail.partner.example
fact helo.list = allow
mail <bob@client.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=local-block
close

# HELO names and senders, below a name and not.
connect 192.0.2.1
helo out7.shop.example
fact helo.list = block
mail <bob@client.example>
rcpt <anna@example.net>
= reject 550 5.7.1 rule=local-block
abort
helo [203.0.113.7]
fact helo.list = block
helo other.example
fact helo.list absent
mail <news@shop.example>
fact sender.list = block
rcpt <anna@example.net>
= reject 550 5.7.1 rule=local-block
mail <news@SHOP.example>
fact sender.list = block
mail <news@noshop.example>
fact sender.list absent
mail <Bob@Freemail.example>
fact sender.list = block
abort
log ~ listed="block:bob@freemail.example: says \"no\""
mail <carol@freemail.example>
fact sender.list absent
mail <>
fact sender.list absent
rcpt <anna@example.net>
= continue
close
connect 2001:db8:7:1::1
fact client.list = block
close
connect 2001:db8:8::1
fact client.list absent
close

# Whoever logs in, and our own, are nobody's to block.
connect 203.0.113.7
mail <anna@example.net> user=anna
rcpt <bob@client.example>
= continue
close
connect 127.0.0.1
helo out7.shop.example
mail <news@shop.example>
rcpt <anna@example.net>
= continue
close

# An entry counts until its time is over.
connect 203.0.113.20
fact client.list = block
close
advance 59m
connect 203.0.113.20
fact client.list = block
close
advance 1m
connect 203.0.113.20
fact client.list absent
close

# A changed file is read again.
file block <<END
203.0.113.99
END
advance 2s
connect 203.0.113.99
fact client.list = block
close
connect 203.0.113.7
fact client.list absent
close

# Lines that went bad are told by their numbers, and the rest serves.
file block <<END
203.0.113.99
# what is wrong here?
203.0.113.98 until=tomorrow
203.0.113.97
END
advance 2s
connect 203.0.113.97
fact client.list = block
log ~ event=list text="list block: 
log ~ block:3: until= takes 2026-12-31
close
connect 203.0.113.98
fact client.list absent
close
