# DMARC where an answer does not come.
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

# No answer: what could be refused waits ...
session dead
connect 198.51.100.8
helo evil.example
mail <x@evil.example>
rcpt <anna@example.net>
header From: a@dead.example
end-of-headers
eom
= defer 451 4.4.3 rule=dmarc-reject
took <= 20s
fact dmarc unavailable
fact dmarc.policy unavailable
fact dmarc.domain unavailable
fact dmarc.aligned absent
log ~ dmarc=temperror
close

# ... and what shows who it is from does not, however long that lasts.
session dead-honest
connect 203.0.113.1
helo mail.dead.example
mail <a@dead.example>
rcpt <anna@example.net>
header From: a@dead.example
end-of-headers
eom
= continue
fact dmarc unavailable
fact dmarc.aligned = spf
close

# The key does not come: the message may be from whom it says.
session keyless
dns <<END
other._domainkey.sender.example TXT !timeout
END
connect 198.51.100.8
helo evil.example
mail <x@evil.example>
rcpt <anna@example.net>
header DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=other; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: bob@sender.example
end-of-headers
eom
= defer 451 rule=dmarc-reject
fact dmarc unavailable
fact dmarc.policy = reject
fact dkim.aligned unavailable
close
