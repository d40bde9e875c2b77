# Several authors: each is looked at, and the worst counts, where the rules let such a message come as far.
conf <<END
rule from-several off
rule from-ambiguous off
rule header-repeated off
END
dns <<END
strict.example TXT "v=spf1 ip4:203.0.113.1 -all"
_dmarc.strict.example TXT "v=DMARC1; p=reject"
evil.example TXT "v=spf1 ip4:198.51.100.8 -all"
END
connect 198.51.100.8
helo evil.example
mail <x@evil.example>
rcpt <anna@example.net>
header From: x@evil.example, boss@strict.example
end-of-headers
eom
= reject 550 5.7.1 rule=dmarc-reject
fact dmarc = fail
fact dmarc.domain = strict.example
mail <x@evil.example>
rcpt <anna@example.net>
header From: x@evil.example
header From: boss@strict.example
end-of-headers
eom
= reject 550 5.7.1 rule=dmarc-reject
mail <x@evil.example>
rcpt <anna@example.net>
header From: a@evil.example, b@evil.example
end-of-headers
eom
= continue
fact dmarc = none
# Nobody at all: nothing to look up, and nothing that is said to fail. It is refused for that, unless it is a notice.
mail <x@evil.example>
rcpt <anna@example.net>
header Subject: nobody
end-of-headers
eom
= reject 550 5.7.1 rule=from-missing
mail <>
rcpt <anna@example.net>
header Subject: nobody
end-of-headers
eom
= continue
fact dmarc = permerror
# A crowd: four are looked at.
mail <x@evil.example>
rcpt <anna@example.net>
header From: a@a.example, b@b.example, c@c.example, boss@strict.example, e@e.example, f@f.example
end-of-headers
eom
= reject 550 5.7.1 rule=dmarc-reject
asked _dmarc.e.example 0
mail <x@evil.example>
rcpt <anna@example.net>
header From: a@a.example, b@b.example, c@c.example, d@d.example, boss@strict.example
end-of-headers
eom
= continue
fact dmarc = permerror
close
