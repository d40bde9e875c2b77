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
