# The author of a message, as different programs would read it; the verdict is that of the default rules.
file people <<END
anna@example.net
@example.net
END
file more <<END
example.com
END
conf <<END
authserv-id mx.example.net
networks { internal 192.0.2.0/24 }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
limits { header-bytes 64K }
END

# One author.
connect 198.51.100.7
helo x.example
mail <a@attack.example>
rcpt <anna@example.net>
header From: "Anna Berg" <Anna@News.Example.ORG>
header Subject: x
end-of-headers
body x
eom
= continue
fact from = valid
fact from.address = Anna@news.example.org
fact from.domain = news.example.org
fact from.ours = no
fact from.flaw absent
fact header.repeated absent
fact body.smuggled = no

# A list that shows who wrote: honest, and said.
mail <list-bounces@lists.example.org>
rcpt <anna@example.net>
header From: "anna@example.com via List" <list@lists.example.org>
end-of-headers
eom
= continue
fact from = valid
fact from.flaw = name
fact from.domain = lists.example.org

# Two readings.
mail <a@attack.example>
rcpt <anna@example.net>
header From: boss@example.net <a@attack.example>
end-of-headers
eom
= reject 550 5.7.1 rule=from-ambiguous text~From field is ambiguous
fact from = ambiguous
fact from.flaw = syntax
fact from.address absent
fact from.domain absent
fact from.ours = yes

# Two fields; a blank before the colon hides neither, nor does a fold.
mail <a@attack.example>
rcpt <anna@example.net>
header From: a@attack.example
header From : boss@example.net
end-of-headers
eom
= reject 550 5.7.1 rule=from-several
fact from = several
fact from.flaw = repeated
fact header.repeated = from
fact from.ours = yes

# Two addresses in one field.
mail <a@attack.example>
rcpt <anna@example.net>
header From: a@attack.example, boss@legit.example
end-of-headers
eom
= reject 550 5.7.1 rule=from-several
fact header.repeated absent

# The same twice harms nobody.
mail <a@attack.example>
rcpt <anna@example.net>
header From: a@attack.example
header from: a@attack.example
end-of-headers
eom
= continue
fact from = valid
fact from.address = a@attack.example
fact header.repeated = from

# None at all, or nobody named: watched only.
mail <>
rcpt <anna@example.net>
header Subject: x
end-of-headers
eom
= continue
fact from = missing
fact from.ours = no
log ~ from-invalid:reject
mail <a@attack.example>
rcpt <anna@example.net>
header Subject: x
end-of-headers
eom
= reject 550 5.7.1 rule=from-missing
mail <>
rcpt <anna@example.net>
header From: MAILER-DAEMON
end-of-headers
eom
= continue
fact from = invalid

# Other fields.
mail <a@attack.example>
rcpt <anna@example.net>
header From: a@attack.example
header Subject: one
header SUBJECT: two
header Received: one
header Received: two
end-of-headers
eom
= continue
fact header.repeated = subject
log ~ header-repeated:reject

# More From fields than are kept.
mail <a@attack.example>
rcpt <anna@example.net>
repeat 17 header From: a@attack.example
end-of-headers
eom
= reject 550 5.7.1 rule=from-several
close

# A large header hides no author.
session large
connect 192.0.2.9
helo x.example
mail <a@attack.example>
rcpt <anna@example.net>
header-bytes X-Big 100000
header From: boss@example.net <a@attack.example>
end-of-headers
eom
= continue
fact header.overflow = yes
fact from = ambiguous
close

# Inside and authenticated clients are not refused.
session user
connect 198.51.100.9
helo x.example
mail <a@attack.example> user=anna
rcpt <anna@example.net>
header From: a@attack.example, boss@legit.example
end-of-headers
eom
= continue
fact from = several
close

# What is left of a smuggled message, however the pieces are cut.
session smuggler
connect 198.51.100.10
helo x.example
mail <a@attack.example>
rcpt <anna@example.net>
header From: a@attack.example
end-of-headers
body first\n
body .
body \n
body mAiL FR
body OM:<boss@legit.example>\nrcpt T
body O:<anna@example.net>\nDATA\nFrom: boss@legit.example\n
eom
= continue
fact body.smuggled = yes
log ~ body-smuggled:reject

# A dialogue with its replies is a report of one.
mail <a@attack.example>
rcpt <anna@example.net>
header From: a@attack.example
end-of-headers
body .\n250 2.0.0 Ok\nMAIL FROM:<a@x.example>\n250 Ok\nRCPT TO:<b@x.example>\n
eom
= continue
fact body.smuggled = no
close

# The next message begins anew.
session again
connect 198.51.100.11
helo x.example
mail <a@attack.example>
rcpt <anna@example.net>
header From: a@attack.example
end-of-headers
body x\n.\nmail from:<a@x.example>\n
abort
mail <a@attack.example>
rcpt <anna@example.net>
header From: anna@example.org
end-of-headers
body rcpt to:<b@x.example>\n
eom
= continue
fact body.smuggled = no
fact from.address = anna@example.org
close

# With a rule that asks for nothing of the kind, no body is wanted.
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rule body-smuggled off
END
reload
session quiet
connect 198.51.100.12
helo x.example
mail <a@attack.example>
rcpt <anna@example.net>
header From: a@attack.example
end-of-headers
body x\n.\nmail from:<a@x.example>\nrcpt to:<b@x.example>\n
eom
= continue
fact body.smuggled absent
close

# Characters that nobody sees, so many that the name is no name: what is shown is the name without them.
session unseen
connect 198.51.100.7
helo x.example
mail <x@evil.example>
rcpt <anna@example.net>
header From: Boss <boss@exam‍ple.net>
end-of-headers
eom
fact from = valid
fact from.domain = example.net
fact from.ours = yes
fact from.flaw = control
fact own-domain.forged = yes
close
