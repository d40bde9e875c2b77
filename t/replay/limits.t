# Limits: recipients, header bytes. A large header is passed on, and what is not known of it is unavailable.
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
limits {
    recipients 100
    header-bytes 128K
}
END

connect 198.51.100.7
helo x.example
mail <a@x.example>
repeat 100 rcpt <u@N@@example.net>
= continue
rcpt <one-more@example.net>
= defer 452 4.5.3 rule=limits.recipients
header-bytes X-Big 100000
header-bytes X-Bigger 100000
header Authentication-Results: mx.example.net; dkim=pass header.d=bank.example
end-of-headers
body x
eom
= reject 552 5.3.4 rule=header-too-large
fact header.overflow = yes
fact dkim unavailable
close

# From inside it is passed on, whatever is signed in it.
session inside
connect 127.0.0.1
helo x.example
mail <a@x.example>
rcpt <anna@example.net>
repeat 3 header-bytes X-Big 60000
header DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=x; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header Authentication-Results: mx.example.net; dkim=pass header.d=bank.example
end-of-headers
body x
eom
= continue
fact header.overflow = yes
fact dkim unavailable
fact dkim.domain unavailable
fact dkim.length-limited unavailable
delete Authentication-Results 1
insert Authentication-Results ~ mx.example.net
no-insert dkim=
close

# A header that has just room is examined.
session fits
connect 198.51.100.7
helo x.example
mail <a@x.example>
rcpt <anna@example.net>
header-bytes X-Big 131000
header From: a@x.example
end-of-headers
body x
eom
= continue
fact header.overflow = no
fact dkim = none
close
