# SPF and the tracker go by whom the relay had it from: the relay itself is never counted, nor refused for others.
conf <<END
networks { relays 192.0.2.25 }
tracker { spf-fail 50 }
END
dns <<END
good.example    TXT "v=spf1 ip4:203.0.113.7 -all"
forged.example  TXT "v=spf1 -all"
helo.example    TXT "v=spf1 ip4:203.0.113.0/24 -all"
END

session relay
connect 192.0.2.25
helo relay.example.net
mail <bob@good.example>
rcpt <anna@example.net>
header Received: from helo.example (mail.client.example [203.0.113.7])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
= continue
fact spf = pass
insert Authentication-Results ~ spf=pass

# The null sender: the HELO name that the relay wrote down stands for it.
mail <>
rcpt <anna@example.net>
header Received: from helo.example (unknown [203.0.113.8])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
= continue
fact spf = pass

# A forger: nobody bounces, but the account is his.
mail <boss@forged.example>
fact client.score = 0
rcpt <anna@example.net>
header Received: from x.example (unknown [203.0.113.9])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
= continue
fact spf = fail
fact origin.score = 0
mail <boss@forged.example>
rcpt <anna@example.net>
header Received: from x.example (unknown [203.0.113.9])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
= continue
fact origin.score = 50
mail <boss@forged.example>
rcpt <anna@example.net>
header Received: from x.example (unknown [203.0.113.9])\n\tby relay.example.net (Postfix) with ESMTP id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
= continue
fact origin.score = 100
fact client.score = 0
log ~ observed="origin-score:reject"
close

# When he comes himself, he is known; another one is not.
session self
connect 203.0.113.9
fact client.score = 150
helo x.example
mail <boss@forged.example>
= defer 451 4.7.0 rule=client-score-refuse
close
connect 203.0.113.10
= continue
fact client.score = 0
close

# A user of the relay may send as whoever he likes, and what can't be read is nobody's.
session relay
connect 192.0.2.25
helo relay.example.net
mail <boss@forged.example>
rcpt <anna@example.net>
header Received: from bobs-pc (dsl.example [203.0.113.11])\n\tby relay.example.net (Postfix) with ESMTPSA id 1; Mon, 2 Feb 2026 10:11:12 +0100
end-of-headers
eom
= continue
fact spf absent
no-insert spf=
mail <boss@forged.example>
rcpt <anna@example.net>
header From: boss@forged.example
end-of-headers
eom
= continue
fact spf absent
fact client.score = 0
close
session self
connect 203.0.113.11
fact client.score = 0
connect 192.0.2.25
fact client.score = 0
