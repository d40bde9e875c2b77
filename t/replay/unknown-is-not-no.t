# What could not be looked at is not held against a message.
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
_dmarc.sender.example TXT "v=DMARC1; p=reject"
sender.example TXT "v=spf1 ip4:203.0.113.1 -all"
list.example TXT "v=spf1 ip4:198.51.100.8 -all"
names.example TXT "v=spf1 ptr:names.example -all"
macro.example TXT "v=spf1 exists:%{p}.allowed.macro.example -all"
_dmarc.maybe.example TXT "v=DMARC1; p=reject"
maybe.example TXT "v=spf1 ptr ?all"
9.100.51.198.in-addr.arpa PTR mail.names.example
mail.names.example A !servfail
8.100.51.198.in-addr.arpa PTR !servfail
END

# More signatures than are examined: the author's own may be the last of them.
session signatures
connect 198.51.100.8
helo list.example
mail <x@list.example>
rcpt <anna@example.net>
repeat 10 header DKIM-Signature: v=1; a=rsa-sha256; d=x@N@.example; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: bob@sender.example
end-of-headers
eom
= defer 451 4.4.3 rule=dmarc-reject
fact dmarc unavailable
fact dkim.aligned unavailable
fact dkim.altered unavailable
close

# Reverse names that a server fails to give: the result is the standard's, but another client's names may be behind it.
session names
connect 198.51.100.8
helo x.example
mail <a@names.example>
rcpt <anna@example.net>
header From: a@names.example
end-of-headers
eom
= defer 451 4.4.3 rule=spf-forgery
fact spf unavailable
mail <a@macro.example>
rcpt <anna@example.net>
header From: a@macro.example
end-of-headers
eom
= defer 451 4.4.3 rule=spf-forgery
fact spf unavailable
mail <a@maybe.example>
rcpt <anna@example.net>
header From: a@maybe.example
end-of-headers
eom
= defer 451 4.4.3 rule=spf-forgery
fact spf unavailable
fact dmarc unavailable
close
session addresses
connect 198.51.100.9
helo x.example
mail <a@names.example>
rcpt <anna@example.net>
header From: a@names.example
end-of-headers
eom
= defer 451 4.4.3 rule=spf-forgery
close
# Another client, which has no names at all, is refused.
session nameless
connect 198.51.100.10
helo x.example
mail <a@names.example>
rcpt <anna@example.net>
header From: a@names.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery
close
