# Who stands behind a trusted relay: the address that it wrote down, as far as its word goes.
conf <<END
networks {
    internal  127.0.0.0/8 10.0.0.0/8
    relays    192.0.2.25 192.0.2.26
}
END

# A stranger at the relay.
session relay
connect 192.0.2.25
helo relay.example.net
mail <bob@client.example>
rcpt <anna@example.net>
header From: bob@client.example
header Received: from helo.client.example (mail.client.example [203.0.113.7])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header Received: from other (other [203.0.113.99])\n\tby client.example (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
= continue
fact origin = received
fact origin.address = 203.0.113.7
fact origin.score = 0
log ~ origin=203.0.113.7

# The next message of the same session has its own.
mail <bob@client.example>
fact origin absent
rcpt <anna@example.net>
header Received: from x (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
fact origin.address = 203.0.113.8

# Through two relays, a filter on the second and qmail's note.
mail <bob@client.example>
rcpt <anna@example.net>
header Received: (qmail 1234 invoked from network); 2 Feb 2026 09:11:12 -0000
header Received: from localhost (localhost [127.0.0.1])\n\tby relay.example.net (Postfix) with ESMTP id 3; Mon, 2 Feb 2026 10:11:12 +0100
header Received: from relay2 (relay2.example.net [192.0.2.26])\n\tby relay.example.net (Postfix) with ESMTPSA id 2; Mon, 2 Feb 2026 10:11:12 +0100
header Received: from unknown (HELO x) (203.0.113.9)\n  by relay2.example.net with SMTP; 2 Feb 2026 09:11:12 -0000
end-of-headers
eom
fact origin = received
fact origin.address = 203.0.113.9

# Nothing that can be read, at the top: what is below is not looked at.
mail <bob@client.example>
rcpt <anna@example.net>
header Received: from x ([203.0.113.8]) (y [203.0.113.9])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header Received: from x (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
fact origin = unreadable
fact origin.address absent
fact origin.score absent
no-log origin=

# None at all, and a circle of relays.
mail <bob@client.example>
rcpt <anna@example.net>
header From: bob@client.example
end-of-headers
eom
fact origin = unreadable
mail <bob@client.example>
rcpt <anna@example.net>
repeat 9 header Received: from relay2 (relay2.example.net [192.0.2.26])\n\tby relay.example.net (Postfix) with ESMTP id 2; Mon, 2 Feb 2026 10:11:12 +0100
header Received: from x (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
fact origin.address = 203.0.113.8
mail <bob@client.example>
rcpt <anna@example.net>
repeat 10 header Received: from relay2 (relay2.example.net [192.0.2.26])\n\tby relay.example.net (Postfix) with ESMTP id 2; Mon, 2 Feb 2026 10:11:12 +0100
header Received: from x (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
fact origin = unreadable

# A user of the relay, and a host inside: there is nobody to be judged.
mail <bob@client.example>
rcpt <anna@example.net>
header Received: from bobs-pc (dsl.isp.example [203.0.113.8])\n\t(Authenticated sender: bob)\n\tby relay.example.net (Postfix) with ESMTPSA id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
fact origin = user
fact origin.address = 203.0.113.8
fact origin.score absent
no-log origin=
mail <bob@client.example>
rcpt <anna@example.net>
header Received: from printer (printer.example.net [10.1.2.3])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
fact origin = internal
fact origin.address = 10.1.2.3
fact origin.score absent
close

# Whoever is no relay is its own origin, whatever its Received fields say.
session outside
connect 203.0.113.50
helo x.example
mail <bob@client.example>
rcpt <anna@example.net>
header Received: from x (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
fact origin = client
fact origin.address = 203.0.113.50
fact origin.score = 0
no-log origin=
close
session inside
connect 10.1.2.3
helo x.example
mail <bob@client.example>
rcpt <anna@example.net>
header Received: from x (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
fact origin = client
fact origin.address = 10.1.2.3
close
session local
connect local
mail <bob@client.example>
rcpt <anna@example.net>
end-of-headers
eom
fact origin = client
fact origin.address absent
close

# A header too large: what came before its end was read.
conf <<END
networks { relays 192.0.2.25 }
limits { header-bytes 16K }
END
reload
session relay
connect 192.0.2.25
helo relay.example.net
mail <bob@client.example>
rcpt <anna@example.net>
header-bytes X-Long 17000
header Received: from x (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
fact origin = unreadable
mail <bob@client.example>
rcpt <anna@example.net>
header Received: from x (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
header-bytes X-Long 17000
end-of-headers
eom
fact origin.address = 203.0.113.8
close
