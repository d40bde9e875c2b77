# Domains that are testing DKIM (t=y).
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
rsa._domainkey.sender.example TXT "v=DKIM1; k=rsa; t=y; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
END

# The messages were signed on 2026-11-22; the fake clock starts on 2026-01-01.
advance 48w

# A key in test mode counts where its signature holds ...
session counted
connect 198.51.100.7
helo forwarder.example
mail <bob@sender.example>
rcpt <anna@example.net>
message signed.eml
eom
= continue
fact dkim = pass
fact dkim.domain = sender.example

# ... and is not held against the message where it does not.
mail <bob@sender.example>
rcpt <anna@example.net>
message signed-altered.eml
eom
= continue
fact dkim = none
fact dkim.signatures = 1
close

conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
dkim { testing-keys ignore }
END
reload
session ignored
connect 198.51.100.7
helo forwarder.example
mail <bob@sender.example>
rcpt <anna@example.net>
message signed.eml
eom
= continue
fact dkim = none
fact dkim.domain absent
close
