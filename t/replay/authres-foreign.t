# What others say about a message: kept, renamed or removed.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
foreign-results rename
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
connect 198.51.100.7
helo x.example
mail <>
rcpt <anna@example.net>
header Authentication-Results: one.example; spf=pass
header Authentication-Results: mx.example.net; spf=pass
header Received: from x by y
header Authentication-Results : two.example; dkim=pass
header X-Original-Authentication-Results: three.example; dkim=pass
header From: a@x.example
end-of-headers
eom
= continue
fact authres.forged = 1
edits 6
delete Authentication-Results 3
insert X-Original-Authentication-Results ~ two.example; dkim=pass
delete Authentication-Results 2
delete Authentication-Results 1
insert X-Original-Authentication-Results ~ one.example; spf=pass
insert Authentication-Results ~ mx.example.net;
no-insert three.example

# The next message of the session begins anew.
mail <>
rcpt <anna@example.net>
header From: a@x.example
end-of-headers
eom
= continue
edits 1
close

# Memory is bounded: what can't be kept is not left under its name.
session large
connect 198.51.100.7
helo x.example
mail <>
rcpt <anna@example.net>
header-bytes Authentication-Results 20000
repeat 100 header Authentication-Results: relay@N@.example; spf=pass
repeat 800 header Authentication-Results: flood@N@.example; spf=pass reason=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
header From: a@x.example
end-of-headers
eom
= continue
delete Authentication-Results 1
delete Authentication-Results 901
insert X-Original-Authentication-Results ~ relay100.example
insert X-Original-Authentication-Results ~ flood1.example
no-insert flood800.example
close

# Nor is the MTA kept busy: such a message is not taken.
session flood
connect 198.51.100.7
helo x.example
mail <>
rcpt <anna@example.net>
repeat 1001 header Authentication-Results: flood@N@.example; spf=pass
header From: a@x.example
end-of-headers
eom
= defer 451 4.3.2
edits 0
close

conf <<END
authserv-id mx.example.net
foreign-results remove
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
reload
session removed
connect 198.51.100.7
helo x.example
mail <>
rcpt <anna@example.net>
header Authentication-Results: one.example; spf=pass
header Authentication-Results: mx.example.net; spf=pass
header From: a@x.example
end-of-headers
eom
= continue
fact authres.forged = 1
edits 3
delete Authentication-Results 2
delete Authentication-Results 1
insert Authentication-Results ~ mx.example.net;
close
