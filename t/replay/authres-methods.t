# One field with every method. What is in UTF-8 stands only where the client asked for SMTPUTF8.
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
END
dns <<END
7.100.51.198.in-addr.arpa PTR mail.x.example
mail.x.example A 198.51.100.7
mail.x.example TXT "v=spf1 a -all"
x.example TXT "v=spf1 a:mail.x.example -all"
xn--bcher-kva.example TXT "v=spf1 a:mail.x.example -all"
END
connect 198.51.100.7
helo mail.x.example
mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
end-of-headers
eom
= continue
insert Authentication-Results ~ iprev=pass policy.iprev=198.51.100.7; spf=pass smtp.mailfrom=a@x.example; spf=pass smtp.helo=mail.x.example; dkim=none
mail <jürg@bücher.example>
rcpt <anna@example.net>
header From: a@x.example
end-of-headers
eom
insert Authentication-Results ~ spf=pass smtp.mailfrom=xn--bcher-kva.example;
mail <jürg@bücher.example> smtputf8
rcpt <anna@example.net>
header From: a@x.example
end-of-headers
eom
insert Authentication-Results ~ spf=pass smtp.mailfrom=jürg@xn--bcher-kva.example;
close

# DMARC: the policy that applies, the record's, and whose it is.
dns <<END
_dmarc.y.example TXT "v=DMARC1; p=reject; sp=quarantine"
END
session dmarc
connect 198.51.100.7
helo mail.x.example
mail <a@x.example>
rcpt <anna@example.net>
header From: a@news.y.example
end-of-headers
eom
insert Authentication-Results ~ dmarc=fail header.from=news.y.example policy.dmarc=quarantine polrec.p=reject polrec.domain=y.example
close

# Of a user who has logged in nothing else is asked.
session user
connect 198.51.100.8
helo [192.0.2.1]
mail <a@x.example> user=anna
rcpt <bob@y.example>
header From: a@x.example
end-of-headers
eom
insert Authentication-Results ~ mx.example.net; auth=pass smtp.auth=anna; iprev=permerror policy.iprev=198.51.100.8; dkim=none
close
