# What honest servers do must not count against them, or not for good.
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
tracker { half-life 1h }
END
dns <<END
rsa._domainkey.sender.example TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnXdxqvKLvEbONNknn9k+4tTcoBFXZXq7pIp0DCVEo4bjHlrzV/L7mj69iDM5UGOErUB+EiLyRiJUnjb3rq97UlhftF0rR1EyjqaEdoTwsVyCLpIePR4MQmlGltVDBmb3cgJQMTu0Y1" "9XggVY4CHU0LPgTUrh/AU3pfgmLMvarC+oDmAVWd1+M+w7v469kVN7dXuQeKwSj0LNG2MLQTaQEfCtd9GYo6VYMEAGRBiNETfp4/rF5iW0S1RXn9mNBSHytFXePZn2/y06gT3K7B2NhJF74tXhYgPvhavPACGXQxi/8oIDh6Kzize2xiVoY79iUKwqzvwrIA6ew137S/" "pesQIDAQAB"
sender.example TXT "v=spf1 ip4:192.0.2.1 -all"
END
advance 48w

# A forwarder: SPF fails for all that comes from it, signatures are whole.
session forwarder
connect 198.51.100.7 forwarder.example
helo forwarder.example
mail <bob@sender.example>
rcpt <anna@example.net>
message signed.eml
eom
= continue
fact spf = fail
fact dkim = pass
mail <bob@sender.example>
fact client.score = 0
rcpt <anna@example.net>
message signed.eml
eom
= continue
close
# The same without: that counts, once for a message.
session forger
connect 198.51.100.8
helo stranger.example
mail <bob@sender.example>
rcpt <anna@example.net>
header From: bob@sender.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery
mail <bob@sender.example>
fact client.score = 5
abort
close
# Where DNS does not answer nothing is known, and nothing counts.
session silent
connect 198.51.100.9
helo forwarder.example
dns <<END
other._domainkey.sender.example TXT !timeout
END
mail <bob@sender.example>
rcpt <anna@example.net>
header DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=other; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: bob@sender.example
end-of-headers
eom
= defer 451 rule=spf-forgery
mail <bob@sender.example>
fact client.score = 0
close

# A server that brings nothing but old addresses, and then a good one, looks like a harvester: the rest waits until an hour has gone by, and no
# longer.
session list
connect 203.0.113.5
helo list.example
mail <list@list.example>
repeat 5 rcpt <gone@N@@example.net>
= reject 550 5.1.1
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-defer
rcpt <gone6@example.net>
= defer 451 4.7.1 rule=harvester-defer
close
advance 61m
session list
connect 203.0.113.5
helo list.example
mail <list@list.example>
rcpt <anna@example.net>
= continue
close

# Bounce addresses hold other addresses: longer than 64 octets, and every MTA takes them.
session verp
connect 203.0.113.6
helo list.example
mail <bounces+1234567-0123456789abcdef-anna=a-rather-long-host-name.department.example.net@list.example>
= continue
fact sender.syntax = mailbox
rcpt <anna@example.net>
= continue
close
