# The rates of zones and clients: what is over them is unavailable, and defers at most. Others do not notice.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
networks {
    internal 127.0.0.0/8 20.0.0.0/24
    relays   20.0.1.1
}
domain example.net { recipients people }
END
dns <<END
good.example MX 10 mail.good.example
good.example TXT "v=spf1 ip4:198.51.100.0/24 ip4:20.0.0.0/16 -all"
good.example A 198.51.100.7
mail.good.example A 198.51.100.7
*.flood.example MX 10 mail.good.example
*.flood.example TXT "v=spf1 -all"
*.flood.example ANY !budget=0
END

# The zone's servers have had enough: SPF would say fail, but nobody has asked.
session flood
connect 198.51.100.7
helo x.example
mail <a@d1.flood.example>
rcpt <anna@example.net>
header From: a@d1.flood.example
end-of-headers
eom
= defer 451 4.4.3
fact spf unavailable
asked d1.flood.example 0
close

# Another zone's sender, meanwhile, from the same client.
session other
connect 198.51.100.7
helo x.example
mail <a@good.example>
rcpt <anna@example.net>
header From: a@good.example
end-of-headers
eom
= continue
fact spf = pass
close

# No question on a stranger's account from here on.
dns <<END
* ANY !client-budget=0
new.example MX 10 mail.new.example
new.example TXT "v=spf1 ip4:198.51.100.0/24 -all"
mail.new.example A 198.51.100.7
END

session over
connect 198.51.100.8
helo x.example
mail <a@new.example>
rcpt <anna@example.net>
header DKIM-Signature: v=1; a=rsa-sha256; d=new.example; s=sel; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: a@new.example
end-of-headers
eom
= defer 451 4.4.3
asked sel._domainkey.new.example 0
fact spf unavailable
asked new.example 0
# What is known costs nothing.
mail <a@good.example>
rcpt <anna@example.net>
header From: a@good.example
end-of-headers
eom
fact spf = pass
close

# Relays bring what many have sent.
session relay
connect 20.0.1.1
helo x.example
mail <a@new.example>
rcpt <anna@example.net>
header DKIM-Signature: v=1; a=rsa-sha256; d=new.example; s=sel; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: a@new.example
end-of-headers
eom
= continue
asked sel._domainkey.new.example 1
close
