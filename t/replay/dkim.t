# DKIM: pass, altered, two signatures, a key that does not come; and what that means where SPF fails.
file people <<END
anna@example.net
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
rsa._domainkey.sender.example TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
rsa._domainkey.list.example TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
ed._domainkey.sender.example TXT "v=DKIM1; k=ed25519; p=TCos9cXRIqZODgL1aLchQO0j0pn3SqfSvKjxXfUo28c="
sender.example TXT "v=spf1 ip4:192.0.2.1 -all"
END

# The messages were signed on 2026-11-22; the fake clock starts on 2026-01-01, and a signature from the future is none.
advance 48w

# A forwarder: SPF fails, the signature is whole. The key is asked for as soon as the field has been read.
connect 198.51.100.7 forwarder.example
helo forwarder.example
mail <bob@sender.example>
rcpt <anna@example.net>
= continue
message signed.eml
eom
= continue
fact spf = fail
fact dkim = pass
fact dkim.domain = sender.example
fact dkim.signatures = 1
insert Authentication-Results ~ dkim=pass header.d=sender.example header.s=rsa header.a=rsa-sha256 header.b=
insert Authentication-Results ~ spf=fail
log ~ dkim=pass

# The same message, altered on its way.
mail <bob@sender.example>
rcpt <anna@example.net>
message signed-altered.eml
eom
= reject 550 5.7.23 rule=spf-forgery
fact dkim = fail
close

# Two signatures, of two algorithms.
session twice
connect 198.51.100.8
helo list.example
mail <list-bounces@list.example>
rcpt <anna@example.net>
message signed-twice.eml
eom
= continue
fact dkim = pass
fact dkim.signatures = 2
insert Authentication-Results ~ header.a=ed25519-sha256
insert Authentication-Results ~ header.d=list.example
close

# The key does not come: nothing is known of the signature. It matters only where SPF fails.
dns <<END
other._domainkey.sender.example TXT !timeout
END
session silent
connect 198.51.100.9
helo forwarder.example
mail <bob@sender.example>
rcpt <anna@example.net>
header DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=other; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: bob@sender.example
end-of-headers
eom
= defer 451 rule=spf-forgery
fact dkim unavailable
fact dkim.domain unavailable
took <= 20s
close
session silent2
connect 192.0.2.1
helo mail.sender.example
mail <bob@sender.example>
rcpt <anna@example.net>
header DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=other; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: bob@sender.example
end-of-headers
eom
= continue
insert Authentication-Results ~ dkim=temperror
close

# What a record of the key's name comes to, and that several keys are waited for together.
dns <<END
*.slow.example ANY !delay=50ms
rsa._domainkey.slow.example CNAME keys.hoster.example
keys.hoster.example TXT "v=DKIM1; p="
k2._domainkey.slow.example TXT "v=DKIM1; k=ed25519; p=TCos9cXRIqZODgL1aLchQO0j0pn3SqfSvKjxXfUo28c="
k3._domainkey.slow.example TXT !servfail
k4._domainkey.slow.example TXT !bogus
k5._domainkey.slow.example A 192.0.2.1
END
session slow
connect 192.0.2.1
helo mail.sender.example
mail <bob@sender.example>
rcpt <anna@example.net>
header DKIM-Signature: v=1; a=rsa-sha256; d=slow.example; s=rsa; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header DKIM-Signature: v=1; a=ed25519-sha256; d=slow.example; s=k2; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header DKIM-Signature: v=1; a=rsa-sha256; d=slow.example; s=k3; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header DKIM-Signature: v=1; a=rsa-sha256; d=slow.example; s=k4; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header DKIM-Signature: v=1; a=rsa-sha256; d=slow.example; s=k5; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header DKIM-Signature: v=1; a=rsa-sha1; d=slow.example; s=k6; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: bob@sender.example
asked k6._domainkey.slow.example 0
end-of-headers
eom
= continue
took <= 60ms
fact dkim unavailable
fact dkim.signatures = 6
fact dkim.length-limited unavailable
insert Authentication-Results ~ dkim=permerror reason="key revoked" header.d=slow.example header.s=rsa
insert Authentication-Results ~ dkim=fail reason="signature mismatch" header.d=slow.example header.s=k2
insert Authentication-Results ~ dkim=temperror reason="key not available: no answer from DNS" header.d=slow.example header.s=k3
insert Authentication-Results ~ dkim=temperror reason="key failed DNSSEC validation" header.d=slow.example header.s=k4
insert Authentication-Results ~ dkim=permerror reason="no such key" header.d=slow.example header.s=k5
insert Authentication-Results ~ dkim=policy reason="rsa-sha1 is not accepted" header.d=slow.example header.s=k6
close

# A flood of signatures asks for the keys of the first ten only.
session flood
connect 198.51.100.10
helo x.example
mail <bob@x.example>
rcpt <anna@example.net>
repeat 40 header DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=k@N@; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: bob@x.example
asked k10._domainkey.sender.example 1
asked k11._domainkey.sender.example 0
end-of-headers
eom
= continue
fact dkim unavailable
asked k11._domainkey.sender.example 0
close

# A site may want longer keys: this one has 2048 bits.
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
dkim { min-key-bits 2049 }
END
reload
session short
connect 198.51.100.11
helo forwarder.example
mail <bob@sender.example>
rcpt <anna@example.net>
message signed.eml
eom
= reject 550 5.7.23 rule=spf-forgery
fact dkim = policy
fact dkim.domain absent
close
