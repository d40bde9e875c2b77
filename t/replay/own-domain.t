# Strangers in our own name: what our records disown is refused, the rest is seen.
file people <<END
anna@example.net
bob@example.net
anna@open.example
END
conf <<END
networks {
    internal    127.0.0.0/8 10.0.0.0/8
    forwarders  198.51.100.64/28
}
directory people {
    type file
    path @DIR@/people
}
domain example.net bücher.example { recipients people }
domain open.example { recipients people }
END
dns <<END
example.net TXT "v=spf1 ip4:203.0.113.1 -all"
_dmarc.example.net TXT "v=DMARC1; p=reject"
xn--bcher-kva.example TXT "v=spf1 -all"
news.example.net TXT "v=spf1 ip4:203.0.113.2 -all"
evil.example TXT "v=spf1 ip4:198.51.100.8 -all"
list.example TXT "v=spf1 ip4:198.51.100.7 ip4:198.51.100.65 -all"
END

# In From: an envelope of the stranger's own passes, and does not speak for us.
session author
connect 198.51.100.8
helo evil.example
mail <x@evil.example>
rcpt <anna@example.net>
header From: The Boss <bob@example.net>
end-of-headers
eom
= reject 550 5.7.1 rule=own-domain-forged
fact own-domain.forged = yes
fact from.ours = yes
fact dmarc = fail

# In MAIL FROM, by SPF; a domain in U-labels is ours as well.
mail <bob@example.net>
rcpt <anna@example.net>
header From: x@evil.example
end-of-headers
eom
= reject 550 5.7.1 rule=own-domain-forged
fact own-domain.forged = yes
mail <x@bücher.example>
rcpt <anna@example.net>
header From: x@evil.example
end-of-headers
eom
= reject 550 5.7.1 rule=own-domain-forged

# A domain of ours without records: seen.
mail <anna@open.example>
rcpt <anna@example.net>
header From: anna@open.example
end-of-headers
eom
= continue
fact own-domain.forged = yes
log ~ own-domain-forged-observe:reject

# Somebody else's mail, and the name below ours that has its own rights.
mail <x@evil.example>
rcpt <anna@example.net>
header From: x@evil.example
end-of-headers
eom
= continue
fact own-domain.forged = no
close

# Our provider of newsletters sends for us, with our leave: SPF is aligned.
session ours
connect 203.0.113.2
helo news.example.net
mail <bounces@news.example.net>
rcpt <anna@example.net>
header From: bob@example.net
end-of-headers
eom
= continue
fact dmarc = pass
fact own-domain.forged = no
close

# A list brings back what bob wrote to it: our record disowns that; unless the list is one that we trust.
session list
connect 198.51.100.7
helo mail.list.example
mail <list-bounces@list.example>
rcpt <anna@example.net>
header List-Id: <talk.list.example>
header From: bob@example.net
end-of-headers
eom
= reject 550 5.7.1 rule=own-domain-forged
close
session trusted-list
connect 198.51.100.65
helo mail.list.example
mail <list-bounces@list.example>
rcpt <anna@example.net>
header List-Id: <talk.list.example>
header From: bob@example.net
end-of-headers
eom
= continue
fact own-domain.forged = yes
close

# Users and our own hosts may.
session user
connect 198.51.100.8
helo pc
mail <bob@example.net> user=bob
rcpt <anna@example.net>
header From: bob@example.net
end-of-headers
eom
= continue
fact own-domain.forged absent
close
session inside
connect 10.0.0.5
helo pc
mail <bob@example.net>
rcpt <anna@example.net>
header From: bob@example.net
end-of-headers
eom
= continue
fact own-domain.forged absent
close

# Our own DNS does not answer: nobody is refused for that.
dns <<END
_dmarc.example.net TXT !servfail
END
session dead
connect 198.51.100.8
helo evil.example
mail <x@evil.example>
rcpt <anna@example.net>
header From: bob@example.net
end-of-headers
eom
= defer 451 4.4.3 rule=own-domain-forged
close
