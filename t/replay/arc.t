# ARC: read only if a named sealer has sealed last; pass, altered, keys that do not come; by nobody's leave nothing is asked.
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
dmarc { arc-sealers other.example LIST.example }
rule watch observe {
    when    arc = pass and arc.dmarc = pass
    reject
}
END
dns <<END
rsa._domainkey.list.example  TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
rsa._domainkey.relay.example TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
sender.example         TXT "v=spf1 -all"
_dmarc.sender.example  TXT "v=DMARC1; p=reject"
_dmarc.bank.example    TXT "v=DMARC1; p=reject"
END
advance 48w

# The message of another implementation, sealed twice.
connect 198.51.100.7
helo list.example
mail <bob@list.example>
rcpt <anna@example.net>
message arc.eml
eom
= continue
fact dmarc = fail
fact dmarc.policy = reject
fact arc = pass
fact arc.sealer = list.example
fact arc.dmarc = pass
insert Authentication-Results ~ arc=pass
insert Authentication-Results ~ dmarc=fail
asked rsa._domainkey.relay.example 1
log ~ observed="watch:reject

# The results that a sealer wrote, with a seal that is another one's.
mail <bob@list.example>
rcpt <anna@example.net>
header ARC-Seal: i=1; cv=none; a=rsa-sha256; d=list.example; s=rsa; b=AAAA
header ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=evil.example; s=x; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header ARC-Authentication-Results: i=1; list.example; dmarc=pass
header From: bob@bank.example
end-of-headers
eom
= reject 550 5.7.1 rule=dmarc-reject
fact arc = fail
fact arc.sealer absent
fact arc.dmarc absent
asked x._domainkey.evil.example 0
close

# Somebody else has sealed on top: nothing is asked, nothing is stated.
session stranger
connect 198.51.100.8
helo evil.example
mail <bob@list.example>
rcpt <anna@example.net>
header ARC-Seal: i=3; cv=pass; a=rsa-sha256; d=evil.example; s=x; b=AAAA
message arc.eml
eom
= reject 550 5.7.1 rule=dmarc-reject
fact arc absent
fact arc.sealer absent
fact arc.dmarc absent
asked x._domainkey.evil.example 0
close

# The key does not come: nothing is known of the chain, and what a rule would have spared is put off.
dns <<END
slow._domainkey.list.example TXT !timeout
END
session silent
connect 198.51.100.9
helo list.example
mail <bob@list.example>
rcpt <anna@example.net>
header ARC-Seal: i=1; cv=none; a=rsa-sha256; d=list.example; s=slow; b=AAAA
header ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=list.example; s=slow; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header ARC-Authentication-Results: i=1; list.example; dmarc=pass
header From: bob@bank.example
end-of-headers
eom
= defer 451 4.4.3 rule=dmarc-reject
fact arc unavailable
fact arc.sealer unavailable
fact arc.dmarc unavailable
took <= 20s
close
