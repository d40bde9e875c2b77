# A backup MX on the same host: who comes there without having tried the primary.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
networks { internal 10.0.0.0/8 }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
listener mx         { port 25 }
listener submission { port 587 }
listener backup {
    port    26
    backup  yes
}
tracker {
    half-life          30d
    no-message         0
    abort              0
    unknown-recipient  0
}
END
dns <<END
good.example TXT "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 -all"
END

# Nothing is known yet.
session backup
connect 203.0.113.1 bot.example smtpd 26
fact listener = backup
fact client.backup-first absent
close
session primary
connect 198.18.0.1 a.example smtpd 25
fact client.backup-first absent
close
# Somebody came, but who tried it before that may not have been seen.
session backup
connect 203.0.113.1 bot.example smtpd 26
fact client.backup-first absent
close
advance 2m
session primary
connect 198.18.0.1 a.example smtpd 25
close
advance 2m
session primary
connect 198.18.0.1 a.example smtpd 25
close
advance 2m
session primary
connect 198.18.0.1 a.example smtpd 25
close
advance 2m
session primary
connect 198.18.0.1 a.example smtpd 25
close
advance 2m
session primary
connect 192.0.2.1 mail.good.example smtpd 25
helo mail.example.org
mail <a@good.example>
rcpt <anna@example.net>
header From: a@good.example
end-of-headers
eom
close

session backup
connect 203.0.113.1 bot.example smtpd 26
fact client.backup-first = yes
# To come is no event, to bring mail is one.
close
session backup
connect 203.0.113.1 bot.example smtpd 26
helo bot.example
mail <a@bot.example>
fact client.backup-first = yes
fact client.score = 0
rcpt <anna@example.net>
= continue
header From: a@bot.example
end-of-headers
eom
= continue
log ~ events="backup-first:+20"
# Once in a session; and nothing taken away for anna.
mail <a@bot.example>
fact client.score = 20
rcpt <anna@example.net>
abort
mail <a@bot.example>
fact client.score = 20
close
# The address, the network, the verified name, the HELO name, the sender's domain.
session backup
connect 192.0.2.1 unknown smtpd 26
fact client.backup-first = no
close
session backup
connect 192.0.2.77 unknown smtpd 26
fact client.backup-first = no
close
session backup
connect 203.0.114.1 other.good.example smtpd 26
fact client.backup-first = no
close
session backup
connect 203.0.114.2 unknown smtpd 26
fact client.backup-first = yes
helo Other.Example.ORG
fact client.backup-first = no
close
session backup
connect 198.51.100.7 unknown smtpd 26
helo x.elsewhere.example
mail <b@good.example>
rcpt <anna@example.net>
fact client.backup-first = yes
header From: b@good.example
end-of-headers
eom
= continue
fact client.backup-first = no
no-log backup-first
mail <b@good.example>
# What was accepted takes points away, but a backup is not where good history is made.
fact client.good = 0
close
session backup
connect 192.0.2.1 mail.good.example smtpd 26
fact client.good = 1
helo mail.example.org
mail <a@good.example>
rcpt <anna@example.net>
header From: a@good.example
end-of-headers
eom
= continue
mail <a@good.example>
fact client.good = 1
close
# Nobody else is looked at: our own, and who logs in.
session backup
connect 10.1.2.3 unknown smtpd 26
fact client.backup-first absent
close
session backup
connect 203.0.116.1 unknown smtpd 26
fact client.backup-first = yes
helo x.example
mail <a@example.net> user=anna
fact client.backup-first absent
abort
close
# To log in elsewhere is not to try the primary.
session primary
connect 203.0.117.1 unknown smtpd 587
close
session backup
connect 203.0.117.1 unknown smtpd 26
fact client.backup-first = yes
close

# The primary is silent: down, for all that is known. When it is back, that takes its time.
advance 3m
session backup
connect 203.0.118.1 unknown smtpd 26
fact client.backup-first absent
helo x.example
mail <a@x.example>
abort
close
session backup
connect 192.0.2.1 unknown smtpd 26
fact client.backup-first = no
close
session primary
connect 198.18.0.1 a.example smtpd 25
close
session backup
connect 203.0.118.1 unknown smtpd 26
fact client.backup-first absent
close

# A restart forgets nothing, nor does a reload; the window does.
restart
session backup
connect 192.0.2.1 unknown smtpd 26
fact client.backup-first = no
close
reload
session backup
connect 192.0.2.1 unknown smtpd 26
fact client.backup-first = no
close
advance 61m
session backup
connect 192.0.2.1 unknown smtpd 26
fact client.backup-first absent
close
