# Without the tracker nothing is remembered of what clients do; what stands in the configuration holds as ever.
file people <<END
anna@example.net
END
file blocked <<END
198.51.100.66
END
conf <<END
authserv-id mx.example.net
networks { internal 192.0.2.0/24 }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
tracker {
    enabled       no
    traps         trap@example.net
    site-harvest  1
}
listener mx     { port 25 }
listener backup {
    port    26
    backup  yes
}
list block { file @DIR@/blocked }
rates { limit mails messages per address 30/1h }
outbound { messages 2/1h }
rule trap {
    when    rcpt.trap
    reject  "550 5.1.1 a trap"
}
END

# A harvester is told what each name is, and earns nothing.
session guess
connect 203.0.113.1 bot.example smtpd 25
helo a.example
mail <a@a.example>
repeat 20 rcpt <no{n}@example.net>
= reject 550 rule=unknown-recipient
fact client.score = 0
fact client.unknown-rcpts = 0
fact client.network.unknown-rcpts = 0
fact site.unknown-rcpts = 0
fact site.harvested = no
rcpt <trap@example.net>
= reject 550 rule=trap
fact client.score = 0
abort
close
# Nobody knows who has been at the primary.
session backup
connect 203.0.113.9 bot.example smtpd 26
helo a.example
mail <a@a.example>
fact client.backup-first absent
close
# Lists and limits.
session blocked
connect 198.51.100.66
helo a.example
mail <a@a.example>
rcpt <anna@example.net>
= reject 550 rule=local-block
close
session limited
connect 203.0.113.2
helo a.example
repeat 30 mail <a@a.example>
= continue
mail <a@a.example>
= defer 450 rule=rate-limit
fact client.score = 0
close
# Quotas of users.
session user
connect 203.0.113.3
helo a.example
mail <anna@example.net> user=anna
= continue
fact auth.score = 0
mail <anna@example.net> user=anna
mail <anna@example.net> user=anna
mail <anna@example.net> user=anna
fact outbound = suspended
= reject 550 rule=outbound-suspended
close
