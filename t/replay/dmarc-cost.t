# What DMARC costs: one round, whatever the number of names, and none if the body takes as long.
dns <<END
a.b.c.d.e.f.slow.example TXT "v=spf1 ip4:198.51.100.8 -all"
_dmarc.slow.example TXT "v=DMARC1; p=reject"
*.slow.example ANY !delay=50ms
_dmarc.slow.example ANY !delay=50ms
_dmarc.example ANY !delay=50ms
END
session cost
connect 198.51.100.8
helo evil.example
mail <x@a.b.c.d.e.f.slow.example>
took = 0
rcpt <anna@example.net>
advance 200ms
header DKIM-Signature: v=1; a=rsa-sha256; d=u.v.w.x.slow.example; s=none; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header DKIM-Signature: v=1; a=rsa-sha256; d=p.q.r.s.slow.example; s=none; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: a@k.l.m.n.o.slow.example
end-of-headers
took = 0
eom
took = 50ms
fact dmarc = pass
mail <x@a.b.c.d.e.f.slow.example>
rcpt <anna@example.net>
header From: a@r.s.slow.example
end-of-headers
took = 0
advance 50ms
eom
took = 0
fact dmarc = pass
close

# An agency that sends for others: its signature speaks for the sender, not the author, and that costs no more.
dns <<END
rsa._domainkey.mail.sender.example TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
bounce.sender.example TXT "v=spf1 ip4:203.0.113.1 -all"
_dmarc.sender.example TXT "v=DMARC1; p=none"
*.sender.example ANY !delay=50ms
_dmarc.sender.example ANY !delay=50ms
END
advance 48w
session agency
connect 198.51.100.9
helo x.example
mail <x@bounce.sender.example>
took = 0
rcpt <anna@example.net>
advance 200ms
message signed-agency.eml
eom
= continue
took = 50ms
fact spf = fail
fact dkim.aligned = yes
fact dmarc = none
close
