# Every answer takes 50 ms. The includes of a record are asked for together, as soon as it is known, and what they include
# likewise: a wait is as long as the deepest chain, and no longer for the number of terms.
conf <<END
rule ask-spf observe {
    at      mail
    when    spf = fail
    reject
}
rule ask-helo observe {
    at      helo
    when    spf.helo = fail
    reject
}
END
dns <<END
sender.example TXT "v=spf1 include:i1.sender.example include:i2.sender.example -all"
i1.sender.example TXT "v=spf1 ip4:203.0.113.0/24 ?all"
i2.sender.example TXT "v=spf1 ip4:198.51.100.7 ?all"
sender.example TXT !delay=50ms
*.sender.example ANY !delay=50ms
deep.example TXT "v=spf1 a mx include:i1.deep.example exists:%{i}.list.deep.example include:i2.deep.example -all"
deep.example A 203.0.113.1
deep.example MX 10 m1.deep.example
deep.example MX 20 m2.deep.example
m1.deep.example A 203.0.113.2
m2.deep.example A 203.0.113.3
i1.deep.example TXT "v=spf1 a:h1.deep.example include:i3.deep.example ?all"
i2.deep.example TXT "v=spf1 mx:m.deep.example ?all"
i3.deep.example TXT "v=spf1 a:h3.deep.example ?all"
h1.deep.example A 203.0.113.4
h3.deep.example A 203.0.113.5
m.deep.example MX 10 h4.deep.example
h4.deep.example A 198.51.100.7
deep.example ANY !delay=50ms
*.deep.example ANY !delay=50ms
first.example TXT "v=spf1 ip4:198.51.100.7 include:i1.first.example a:h.first.example -all"
first.example TXT !delay=50ms
ends.example TXT "v=spf1 include:i1.ends.example include:i2.ends.example -all"
i1.ends.example TXT "v=spf1 ip4:198.51.100.7 -all"
i2.ends.example TXT "v=spf1 include:i3.ends.example -all"
ends.example TXT !delay=50ms
*.ends.example ANY !delay=50ms
mail.helo.example TXT "v=spf1 include:i1.helo.example include:i2.helo.example -all"
i1.helo.example TXT "v=spf1 ?all"
i2.helo.example TXT "v=spf1 a:h.helo.example -all"
h.helo.example A 198.51.100.7
*.helo.example ANY !delay=50ms
END
connect 198.51.100.7
helo mail.helo.example
# The record, both includes, the address.
took = 150ms
fact spf.helo = pass

# Two includes: two rounds.
mail <anna@sender.example>
took = 100ms
fact spf = pass
fact spf.mechanism = include
asked i1.sender.example 1
asked i2.sender.example 1
abort

# The record; its five terms; the exchangers' addresses, h1, i3, m; h3 and h4.
mail <anna@deep.example>
took = 200ms
fact spf = pass
abort

# Nothing is asked for behind a term that matches, for this client, in any case.
mail <anna@first.example>
took = 50ms
fact spf = pass
fact spf.mechanism = ip4
asked i1.first.example 0
asked h.first.example 0
abort

# The same for an include once it is known, and what was asked for beside it is not followed up.
mail <anna@ends.example>
took = 100ms
fact spf = pass
asked i2.ends.example 1
asked i3.ends.example 0
abort

# A null sender: the HELO name is known already.
mail <>
took = 0ms
fact spf = pass
close

# An include behind the one that matches, whose server is dead: it is asked for, and nobody waits for it.
session dead-behind
dns <<END
ahead.example TXT "v=spf1 include:good.ahead.example include:dead.ahead.example -all"
good.ahead.example TXT "v=spf1 ip4:198.51.100.7 -all"
dead.ahead.example ANY !timeout
ahead.example TXT !delay=50ms
good.ahead.example TXT !delay=50ms
END
connect 198.51.100.7
helo [198.51.100.7]
mail <anna@ahead.example>
took = 100ms
fact spf = pass
asked good.ahead.example 1
close
