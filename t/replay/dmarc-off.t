# DMARC switched off, or SPF or DKIM: what is left of it.
file people <<END
anna@example.net
END
conf <<END
dmarc { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
dns <<END
rsa._domainkey.sender.example TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
sender.example TXT "v=spf1 ip4:203.0.113.1 -all"
_dmarc.sender.example TXT "v=DMARC1; p=reject"
END
advance 48w

# No question for DMARC; a signature of the author's still excuses SPF.
connect 198.51.100.7
helo forwarder.example
mail <bob@sender.example>
rcpt <anna@example.net>
message signed.eml
eom
= continue
fact dmarc absent
fact dkim.aligned = yes
asked _dmarc.sender.example 0
close

# Without DKIM nothing can be said to fail: the message may be signed. Nor without SPF.
conf <<END
dkim { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
reload
session nodkim
connect 198.51.100.7
helo x.example
mail <x@x.example>
rcpt <anna@example.net>
header From: bob@sender.example
end-of-headers
eom
= continue
fact dmarc = permerror
fact dkim.aligned absent
close
conf <<END
spf { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
reload
session nospf
connect 198.51.100.7
helo x.example
mail <x@x.example>
rcpt <anna@example.net>
header From: bob@sender.example
end-of-headers
eom
= continue
fact dmarc = permerror
close
session nospf2
connect 198.51.100.7
helo x.example
mail <x@x.example>
rcpt <anna@example.net>
message signed.eml
eom
= continue
fact dmarc = pass
close
