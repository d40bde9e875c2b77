# Behind a relay of ours SPF is of the client that the relay wrote down, and is asked when the header has come.
conf <<END
authserv-id mx.example.net
networks {
    internal  127.0.0.0/8 10.0.0.0/8
    relays    192.0.2.25
}
spf { received-spf yes }
rule ask observe {
    at      mail
    when    spf = fail
    reject
}
END
dns <<END
client.example TXT "v=spf1 ip4:203.0.113.7 -all"
client.example TXT !delay=50ms
mail.client.example TXT "v=spf1 ip4:203.0.113.8 -all"
relay.example.net TXT "v=spf1 -all"
END
connect 192.0.2.25
helo relay.example.net
mail <bob@client.example>
took = 0ms
asked client.example 0
fact spf absent
rcpt <anna@example.net>
header Received: from helo.client.example (mail.client.example [203.0.113.7])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: bob@client.example
end-of-headers
asked client.example 1
eom
took = 50ms
fact spf = pass
fact spf.helo absent
insert Authentication-Results ~ spf=pass smtp.mailfrom=bob@client.example
insert Received-SPF ~ client-ip=203.0.113.7;\n\thelo=helo.client.example;

# The next message of the session has an origin of its own.
mail <bob@client.example>
rcpt <anna@example.net>
header Received: from x (unknown [203.0.113.9])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: bob@client.example
end-of-headers
eom
fact spf = fail

# A null sender: the HELO name that the relay was told.
mail <>
rcpt <anna@example.net>
header Received: from mail.client.example (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: bob@client.example
end-of-headers
eom
fact spf = pass
insert Authentication-Results ~ spf=pass smtp.helo=mail.client.example

# Nothing is known of who is behind it, or it is one of us: nobody is asked about.
mail <bob@client.example>
rcpt <anna@example.net>
header Received: by relay.example.net
header From: bob@client.example
end-of-headers
eom
fact spf absent
no-insert spf=
mail <bob@client.example>
rcpt <anna@example.net>
header Received: from pc (pc [10.1.2.3])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header From: bob@client.example
end-of-headers
eom
fact spf absent
close
