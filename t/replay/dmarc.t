# DMARC from end to end: pass, fail, lists, forwarders, answers that do not come, and what it costs.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
networks {
    internal    127.0.0.0/8 10.0.0.0/8
    relays      192.0.2.25
    forwarders  198.51.100.64/28
}
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
dns <<END
rsa._domainkey.sender.example TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
rsa._domainkey.list.example TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
sender.example TXT "v=spf1 ip4:203.0.113.1 -all"
_dmarc.sender.example TXT "v=DMARC1; p=reject; sp=none; np=reject"
list.example TXT "v=spf1 ip4:198.51.100.7 -all"
evil.example TXT "v=spf1 ip4:198.51.100.8 -all"
quiet.example TXT "v=spf1 ip4:203.0.113.1 -all"
_dmarc.quiet.example TXT "v=DMARC1; p=quarantine"
test.example TXT "v=spf1 ip4:203.0.113.1 ?all"
_dmarc.test.example TXT "v=DMARC1; p=reject; t=y"
dead.example TXT "v=spf1 ip4:203.0.113.1 ?all"
_dmarc.dead.example TXT !timeout
old.sender.example A 203.0.113.9
END

# The messages were signed on 2026-11-22; the fake clock starts on 2026-01-01, and a signature from the future is none.
advance 48w

# From where it should come: SPF and the signature are aligned.
session direct
connect 203.0.113.1
helo mail.sender.example
mail <bob@sender.example>
rcpt <anna@example.net>
message signed.eml
eom
= continue
fact dmarc = pass
fact dmarc.policy = reject
fact dmarc.domain = sender.example
fact dmarc.testing = no
fact dmarc.aligned = spf
fact dkim.aligned = yes
fact dkim.altered = no
fact message.list-id absent
fact own-domain.forged = no
log ~ dmarc=pass
close

# A forwarder: SPF fails, the signature is whole.
session forwarded
connect 198.51.100.30
helo forwarder.example
mail <bob@sender.example>
rcpt <anna@example.net>
message signed.eml
eom
= continue
fact spf = fail
fact dmarc = pass
fact dmarc.aligned = dkim
close

# The same in a stranger's envelope, without any signature that is whole: forged, says the domain.
session forged
connect 198.51.100.8
helo evil.example
mail <x@evil.example>
rcpt <anna@example.net>
header From: "Bob" <bob@sender.example>
end-of-headers
eom
= reject 550 5.7.1 rule=dmarc-reject text~DMARC policy of sender.example
fact spf = pass
fact dmarc = fail
fact dmarc.aligned absent
fact dkim.aligned = no
log ~ dmarc=fail

# A signature of somebody else excuses neither DMARC nor SPF.
mail <bob@sender.example>
rcpt <anna@example.net>
header DKIM-Signature: v=1; a=rsa-sha256; d=evil.example; s=none; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: bob@sender.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery
fact dkim.aligned = no
close

# A mailing list: it altered the message, and passes for itself. Seen, and let in.
session list
connect 198.51.100.7
helo mail.list.example
mail <list-bounces@list.example>
rcpt <anna@example.net>
header List-Id: "All about it" <talk.list.example>
message signed-altered.eml
eom
= continue
fact message.list-id = talk.list.example
fact dkim.altered = yes
fact dmarc = fail
fact dmarc.policy = reject
log ~ dmarc-list:reject

# Without the List-Id, or without a signature of the author's, or passing for nobody, it is none.
mail <list-bounces@list.example>
rcpt <anna@example.net>
message signed-altered.eml
eom
= reject 550 rule=dmarc-reject
mail <list-bounces@list.example>
rcpt <anna@example.net>
header List-Id: <talk.list.example>
header From: bob@sender.example
end-of-headers
eom
= reject 550 rule=dmarc-reject
fact dkim.altered = no
close
session nolist
connect 198.51.100.9
helo x.example
mail <x@nobody.example>
rcpt <anna@example.net>
header List-Id: <talk.list.example>
message signed-altered.eml
eom
= reject 550 rule=dmarc-reject
fact spf = none
close

# Whom the administrator trusts to forward.
session trusted
connect 198.51.100.65
helo school.example
mail <bob@sender.example>
rcpt <anna@example.net>
message signed-altered.eml
eom
= continue
fact client.forwarder = yes
fact spf = fail
fact dmarc = fail
# What it forwards earns it no points; a signature of a stranger's own saved nobody from them.
mail <bob@sender.example>
fact client.score = 0
close

# Not everybody asks for so much.
session mild
connect 198.51.100.8
helo evil.example
mail <x@evil.example>
fact client.score >= 4
rcpt <anna@example.net>
header From: a@quiet.example
end-of-headers
eom
= continue
fact dmarc = fail
fact dmarc.policy = quarantine
log ~ dmarc-quarantine:reject
mail <x@evil.example>
rcpt <anna@example.net>
header From: a@test.example
end-of-headers
eom
= continue
fact dmarc.testing = yes
fact dmarc.policy = quarantine
mail <x@evil.example>
rcpt <anna@example.net>
header From: a@plain.example
end-of-headers
eom
= continue
fact dmarc = none
fact dmarc.policy absent
fact dmarc.domain absent

# Below the domain: what exists, and what does not.
mail <x@evil.example>
rcpt <anna@example.net>
header From: a@old.sender.example
end-of-headers
eom
= continue
fact dmarc = fail
fact dmarc.policy = none
mail <x@evil.example>
rcpt <anna@example.net>
header From: a@made-up.sender.example
end-of-headers
eom
= reject 550 rule=dmarc-reject
fact dmarc.policy = reject
fact dmarc.domain = sender.example
close
