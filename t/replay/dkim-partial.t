# A signature that leaves out the end of the body and one of two Subject fields: it passes, and counts for little.
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
_dmarc.sender.example TXT "v=DMARC1; p=quarantine"
END
advance 48w

connect 198.51.100.7
helo forwarder.example
mail <x@forwarder.example>
rcpt <anna@example.net>
message signed-partial.eml
eom
fact dkim = pass
fact dkim.length-limited = yes
fact dkim.domain absent
fact dkim.uncovered = subject
fact dkim.signatures = 1
fact dmarc = fail
insert Authentication-Results ~ dkim=pass
close

# Those who want it so have it count.
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
dkim { trust-length yes }
END
reload
session trusting
connect 198.51.100.7
helo forwarder.example
mail <x@forwarder.example>
rcpt <anna@example.net>
message signed-partial.eml
eom
= continue
fact dkim = pass
fact dkim.length-limited = yes
fact dkim.domain = sender.example
fact dmarc = pass
close

# With all in its place there is nothing to say.
session whole
connect 198.51.100.7
helo forwarder.example
mail <x@forwarder.example>
rcpt <anna@example.net>
message signed.eml
eom
= continue
fact dkim = pass
fact dkim.length-limited = no
fact dkim.uncovered absent
fact dkim.domain = sender.example
close
