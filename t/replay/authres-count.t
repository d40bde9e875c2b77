# Which Authentication-Results fields go is said by number: every field that the MTA counts under that name counts here.
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
limits { header-bytes 1M }
END

# A blank before the colon (RFC 5322 section 4.5.8): Postfix hands it over with the name, and counts the field.
connect 198.51.100.7
helo x.example
mail <a@x.example>
rcpt <anna@example.net>
header Authentication-Results : other.example; spf=pass
header AUTHENTICATION-results: mx.example.net; dkim=pass
header Authentication-Results-X: mx.example.net; dkim=pass
header Authentication-Results	: mx.example.net; spf=pass
header From: a@x.example
end-of-headers
eom
= continue
fact authres.forged = 2
edits 3
delete Authentication-Results 3
delete Authentication-Results 2
close

# A sender who fills what we keep of a message does not keep us from removing the forged field.
session fields
connect 127.0.0.1
helo x.example
mail <a@x.example>
rcpt <anna@example.net>
repeat 100000 header A: b
header Authentication-Results: mx.example.net; dkim=pass
end-of-headers
eom
= continue
fact header.overflow = yes
delete Authentication-Results 1
insert Authentication-Results ~ mx.example.net
close
session recipients
connect 198.51.100.9
helo x.example
mail <a@x.example>
repeat 999 rcpt <aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>
= reject 553 5.1.3 rule=recipient-syntax
rcpt <anna@example.net>
= continue
header Authentication-Results: mx.example.net; dkim=pass
header From: a@x.example
end-of-headers
eom
= continue
delete Authentication-Results 1
insert Authentication-Results ~ dkim=none
close
