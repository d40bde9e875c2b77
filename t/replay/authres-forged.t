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

# More of them than anybody would take out one by one.
session flood
connect 198.51.100.8
helo x.example
mail <a@z.example>
rcpt <anna@example.net>
repeat 1000 header Authentication-Results: mx.example.net; dkim=pass header.d=bank@N@.example
end-of-headers
eom
= reject 550 5.7.1 rule=authres-flood
edits 0
close
