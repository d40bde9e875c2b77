# A message is thrown away only where somebody wrote `discard`, and only if all that the rule stands on is known.
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
rule joe-job {
    at      mail
    when    sender = victim@example.net
    discard
}
rule junk {
    at      eom
    when    dkim.domain = junk.example or spf = fail and sender.domain = junk.example
    discard
}
END
dns <<END
junk.example TXT "v=spf1 -all"
other.example TXT "v=spf1 -all"
slow._domainkey.junk.example TXT !timeout
END

connect 198.51.100.7
helo x.example
mail <victim@example.net>
= discard rule=joe-job
abort
log ~ verdict=discard
log ~ rule=joe-job
fact session.aborts = 0
mail <a@junk.example>
= continue
rcpt <anna@example.net>
= continue
header From: a@junk.example
end-of-headers
eom
= discard rule=junk
edits 0
log ~ verdict=discard
# refused, not thrown away
mail <a@other.example>
rcpt <anna@example.net>
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery
# the signature's key does not come: it may be junk, so it is neither accepted nor thrown away
mail <a@none.example>
rcpt <anna@example.net>
header DKIM-Signature: v=1; a=rsa-sha256; d=junk.example; s=slow; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
header From: a@none.example
end-of-headers
eom
= defer 451 rule=junk
close

# Observed: delivered, with what is known of it.
conf <<END
authserv-id mx.example.net
mode observe
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rule junk {
    at      eom
    when    sender.domain = junk.example
    discard
}
END
reload
session observed
connect 198.51.100.8
helo x.example
mail <a@junk.example>
rcpt <anna@example.net>
end-of-headers
eom
= continue decided=discard rule=junk
insert Authentication-Results ~ spf=fail
log ~ mode=observe
close
