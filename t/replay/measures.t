# What rules do beside deciding: replies that come later, header fields, messages that are held.
file people <<END
anna@example.net
bob@example.net
@example.net
END
conf <<END
authentication-results no
spf { enabled no }
dkim { enabled no }
dmarc { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
networks { internal 127.0.0.0/8 10.0.0.0/8 }
limits { held-sessions 1 }
rule slow-helo {
    when    helo.syntax = single-label
    tarpit  3s
}
rule slow-anna {
    when    rcpt.address = anna@example.net and client.class = outside
    tarpit  30s
}
rule slow-end {
    at      eom
    when    helo = slowly.example
    tarpit  50s
}
rule vip {
    when  rcpt.source = people and rcpt.address = bob@example.net
    tag   "X-Ward-Vip: {rcpt.address} ({rcpt.mta})"
}
rule said {
    when  client.class = outside
    tag   "X-Ward: HELO {helo} from {client}, which is a name that has so many letters in it that its line has to be folded"
}
rule empty {
    when  client.class = outside
    tag   "X-Ward: {spf}"
}
rule hold-it {
    when  helo = hold.example
    hold  "held for {helo}"
}
END

# The step takes that long; the next one does not.
connect 198.51.100.7
took <= 0
helo x
took = 3s
mail <a@y.example>
took = 3s
rcpt <bob@example.net>
took = 3s
# Never longer than the MTA waits.
rcpt <anna@example.net>
= continue
took = 8s
data
took = 3s
header X-Ward: forged
header Subject: hello
header x-ward : forged too
header X-Ward-Vip: forged
header From: a@y.example
end-of-headers
eom
= continue
took = 3s
edits 6
delete X-Ward-Vip 1
delete X-Ward 2
delete X-Ward 1
insert X-Ward = -
insert X-Ward = HELO x from 198.51.100.7, which is a name that has so many letters\n\tin it that its line has to be folded
insert X-Ward-Vip = bob@example.net (accepted)
log ~ tarpit-ms=20000 tarpit-rule=slow-helo tags=X-Ward-Vip,X-Ward,X-Ward
close

# At the end of the message there is more time.
session slowly
connect 198.51.100.7
helo slowly.example
mail <a@y.example>
took <= 0
rcpt <nobody@other.example>
header From: a@y.example
eom
took = 20s
edits 2
no-insert bob
close

# A field about a recipient that was refused is not added; those of our own hosts stay.
session inside
connect 10.0.0.1
helo in.example.net
mail <a@y.example>
rcpt <anna@example.net>
header X-Ward: from another host of ours
eom
edits 0
close

session hold
connect 198.51.100.7
helo hold.example
mail <a@y.example>
rcpt <bob@example.net>
header From: a@y.example
eom
= hold rule=hold-it text~held for hold.example
edits 3
log ~ verdict=hold rule=hold-it
close

# Concealed recipients: a delay that does not tell whether they exist is added, one that would is not.
conf <<END
spf { enabled no }
dkim { enabled no }
dmarc { enabled no }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
timeouts { concealed-reply 1s }
rule slow {
    at      rcpt
    when    helo in hide.example open.example
    tarpit  3s
}
rule slow-if-found {
    when    rcpt = found
    tarpit  6s
}
rule tag-if-found {
    when    rcpt = found
    tag     "X-Found: yes"
}
rule hide {
    when    helo = hide.example
    conceal
}
END
reload
session hide
connect 198.51.100.9
helo hide.example
mail <a@y.example>
rcpt <bob@example.net>
= defer 451 rule=hide decided=conceal
took = 3s
rcpt <nobody@example.net>
= defer 451 rule=hide decided=conceal
took = 3s
close
conf <<END
mode observe
spf { enabled no }
dkim { enabled no }
dmarc { enabled no }
authentication-results no
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rule slow {
    when    client.class = outside
    tarpit  3s
}
rule tagged {
    when  client.class = outside
    tag   "X-Outside: yes"
}
rule hold-all { hold }
END
reload
session watched
connect 198.51.100.10
took <= 0
helo open.example
mail <a@y.example>
rcpt <bob@example.net>
took <= 0
header X-Outside: forged
eom
= continue decided=hold
edits 1
delete X-Outside 1
log ~ observed="slow:tarpit tagged:tag"
close
