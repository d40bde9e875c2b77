# Authentication-Results fields that claim to be ours go, others stay; nothing of a peer gets into ours.
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
x.example TXT "v=spf1 -all"
evil TXT "v=spf1 +all"
END

connect 198.51.100.7
helo x.example
mail <"a;dkim=pass header.d=bank.example"@y.example>
rcpt <anna@example.net>
header Authentication-Results: mx.example.net; spf=pass
header Authentication-Results: other.example; spf=pass
header authentication-results: (c) MX.example.NET 1; dkim=pass
header Authentication-Results: "mx.example.net"; dkim=pass
header Authentication-Results: sub.mx.example.net; dkim=pass
header Authentication-Results: (unclosed mx.example.net; dkim=pass
header Authentication-Results: mx.example.net.evil.example; dkim=pass
header From: a@y.example
end-of-headers
eom
= continue
fact authres.forged = 5
edits 6
delete Authentication-Results 6
delete Authentication-Results 5
delete Authentication-Results 4
delete Authentication-Results 3
delete Authentication-Results 1
insert Authentication-Results ~ smtp.mailfrom="\"a;dkim=pass header.d=bank.example\"@y.example"
insert Authentication-Results ~ dkim=none
close

# Other shapes of our name, blanks before the colon, and a field of 70 KB; and another host of this site. ARC fields are a sealer's.
conf <<END
authserv-id mx.example.net
helo-names mx2.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
networks { internal 127.0.0.0/8 192.0.2.0/24 }
limits { header-bytes 1M }
END
reload
session shapes
connect 198.51.100.7
helo x.example
mail <a@y.example>
rcpt <anna@example.net>
header Received: from x by y
header Authentication-Results: mx.example.net.; dkim=pass
header Authentication-Results : mx.example.net; dkim=pass
header Subject: between
header AUTHENTICATION-RESULTS: =?utf-8?q?mx.example.net?=; dkim=pass
header Authentication-Results: other.example; dkim=pass
header ARC-Authentication-Results: i=1; mx.example.net; dkim=pass
header X-Authentication-Results: mx.example.net; dkim=pass
header Authentication-Results: mx2.example.net; dkim=pass
header Authentication-Results: sub.mx2.example.net; dkim=pass
header-bytes Authentication-Results 70000
header Authentication-Results: ｍｘ.example.net; dkim=pass
header From: a@y.example
end-of-headers
eom
= continue
fact authres.forged = 6
edits 7
delete Authentication-Results 8
delete Authentication-Results 7
delete Authentication-Results 5
delete Authentication-Results 3
delete Authentication-Results 2
delete Authentication-Results 1
close

# Our own name is nobody else's, whoever the client is; from inside, another host of this site may be telling the truth.
session inside
connect 192.0.2.5
helo mx2.example.net
mail <a@y.example>
rcpt <anna@example.net>
header Authentication-Results: mx2.example.net; spf=pass
header Authentication-Results: mx.example.net; spf=pass
header From: a@y.example
end-of-headers
eom
= continue
fact authres.forged = 1
edits 2
delete Authentication-Results 2
close

# Forged fields go even where we add none.
conf <<END
authserv-id mx.example.net
authentication-results no
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
reload
session none-added
connect 198.51.100.7
helo x.example
mail <a@y.example>
rcpt <anna@example.net>
header Authentication-Results: mx.example.net; spf=pass
header Authentication-Results: other.example; spf=pass
header From: a@y.example
end-of-headers
eom
= continue
edits 1
delete Authentication-Results 1
close

# More of them than anybody would take out one by one.
session flood
connect 198.51.100.8
helo x.example
mail <a@z.example>
rcpt <anna@example.net>
repeat 1000 header Authentication-Results: mx.example.net; dkim=pass header.d=bank@N@.example
header From: a@z.example
end-of-headers
eom
= reject 550 5.7.1 rule=authres-flood
edits 0
close
