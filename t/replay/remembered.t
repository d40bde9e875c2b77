# What a directory said is remembered: it is not asked again, and while it is away who is known stays known, nobody is
# refused, and a restart forgets nothing.
conf <<END
rule null-sender-recipients off
authserv-id mx.example.net
directory staff {
    type  ldap
    uri   @LDAP@
    base  "dc=example,dc=net"
    positive-lifetime  1h
    negative-lifetime  2m
    stale-lifetime     7d
}
domain example.net { recipients staff }
# They say where an answer came from.
rule from-cache {
    when rcpt = found and rcpt.origin = cache
    accept
}
rule from-before {
    when rcpt = found and rcpt.origin = stale
    accept
}
END

ldap found
session first
connect 192.0.2.1
helo mail.sender.example
mail <>
rcpt <anna@example.net>
= continue
searched 1
rcpt <Anna@Example.NET>
= accept rule=from-cache
searched 1
ldap unknown
rcpt <bert@example.net>
= reject 550 5.1.1 rule=unknown-recipient
searched 2
rcpt <bert@example.net>
= reject 550 5.1.1 rule=unknown-recipient
searched 2
close

# In the last quarter of an hour it is asked again in the background: she is gone.
advance 50m
session second
connect 192.0.2.2
helo mail.sender.example
mail <>
rcpt <anna@example.net>
= accept rule=from-cache
refreshed 1
searched 3
rcpt <anna@example.net>
= reject 550 5.1.1 rule=unknown-recipient
searched 3
close

# And back.
ldap found
advance 10m
session third
connect 192.0.2.3
helo mail.sender.example
mail <>
rcpt <anna@example.net>
= continue
searched 4
rcpt <bert@example.net>
= continue
searched 5
close

# Away.
ldap away
advance 30m
session fourth
connect 192.0.2.4
helo mail.sender.example
mail <>
rcpt <anna@example.net>
= accept rule=from-cache
advance 2h
rcpt <anna@example.net>
= accept rule=from-before
took <= 8s
rcpt <carl@example.net>
= defer 451 4.4.3 rule=recipient-unavailable
rcpt <bert@example.net>
= accept rule=from-before
close

# A restart, and days later.
restart
advance 6d
session fifth
connect 192.0.2.5
helo mail.sender.example
mail <>
rcpt <anna@example.net>
= accept rule=from-before
rcpt <carl@example.net>
= defer 451 4.4.3
close

# For ever nobody is known.
advance 1d
session sixth
connect 192.0.2.6
helo mail.sender.example
mail <>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=recipient-unavailable
close
