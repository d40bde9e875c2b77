# Mail servers of many organisations from one internal address: a NAT or proxy makes strangers look internal.
file people <<END
anna@example.net
END
conf <<END
networks { internal 127.0.0.0/8 10.0.0.0/8 2001:db8::/32
    relays 10.0.0.25 }
directory people {
    type file
    path @DIR@/people
}
domain example.net hosted.com { recipients people }
tracker { nat-helo-names 4
    nat-window 1h }
END

# An office: PCs of one domain, single labels, literals, names that are nobody's, our own domains. No NAT, however many.
session office
repeat 30 connect 10.0.0.1
connect 10.0.0.1
helo WIN-1234
mail <a@example.net>
rcpt <x@elsewhere.example>
fact client.nat = no
close
connect 10.0.0.1
helo pc1.office.example.de
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 10.0.0.1
helo pc2.office.example.de
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 10.0.0.1
helo [10.0.0.77]
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 10.0.0.1
helo annas-macbook.local
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 10.0.0.1
helo bens-macbook.local
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 10.0.0.1
helo printer.lan
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 10.0.0.1
helo www.hosted.com
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 10.0.0.1
helo mx.example.net
mail <a@example.net>
rcpt <x@elsewhere.example>
close
# Two organisations more are three, and one name each session.
connect 10.0.0.1
helo mx1.example.fr
mail <a@example.net>
rcpt <x@elsewhere.example>
helo mx1.example.it
mail <a@example.net>
rcpt <x@elsewhere.example>
helo mx1.example.ch
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 10.0.0.1
helo mx1.example.nl
mail <a@example.net>
rcpt <x@elsewhere.example>
= continue
fact client.nat = no
no-log event=nat
close
# Without a recipient, or with a password, a name does not count.
connect 10.0.0.1
helo mx1.example.at
mail <a@example.net>
abort
close
connect 10.0.0.1
helo mx1.example.se
mail <a@example.net> user=anna
rcpt <x@elsewhere.example>
= continue
fact client.nat = no
close

# The fourth is one too many: no relaying any more, for nobody who has not authenticated; mail to us goes on.
connect 10.0.0.1
fact client.nat absent
helo mx1.example.co.uk
fact client.nat = no
mail <a@example.net>
rcpt <x@elsewhere.example>
= reject 550 5.7.1 rule=nat-relay text~no relaying from here
fact client.nat = yes
log ~ event=nat client=10.0.0.1 names=4
rcpt <anna@example.net>
= continue
abort
mail <a@example.net> user=anna
rcpt <x@elsewhere.example>
= continue
close
# It is told once an hour, and holds for whatever name comes next.
connect 10.0.0.1
helo WIN-1234
fact client.nat = yes
mail <a@example.net>
rcpt <x@elsewhere.example>
= reject 550 5.7.1 rule=nat-relay
no-log event=nat
close
# Another address of ours is another host, also in the same IPv6 network.
session other
connect 10.0.0.2
helo mx1.example.se
mail <a@example.net>
rcpt <x@elsewhere.example>
= continue
fact client.nat = no
close

# A reload keeps it; time forgets it.
reload
session office
connect 10.0.0.1
helo WIN-1234
fact client.nat = yes
close
advance 61m
connect 10.0.0.1
helo WIN-1234
fact client.nat = no
close

# Single addresses, of IPv6, too.
session six
connect 2001:db8::1
helo mx1.example.fr
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 2001:db8::2
helo mx1.example.nl
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 2001:db8::3
helo mx1.example.it
mail <a@example.net>
rcpt <x@elsewhere.example>
close
connect 2001:db8::4
helo mx1.example.ch
mail <a@example.net>
rcpt <x@elsewhere.example>
fact client.nat = no
close

# Relays bring mail of many and have one name; outside nobody is asked. Local submission has no address.
session relay
connect 10.0.0.25
helo mx1.example.fr
fact client.nat absent
close
session outside
connect 203.0.113.5
helo mx1.example.fr
fact client.nat absent
close

# Everything from the loopback address: a proxy or container on this host.
session lo
connect 127.0.0.1
helo mx1.example.fr
mail <a@example.fr>
rcpt <anna@example.net>
close
connect 127.0.0.1
helo mx1.example.nl
mail <a@example.nl>
rcpt <anna@example.net>
close
connect 127.0.0.1
helo mx1.example.it
mail <a@example.it>
rcpt <anna@example.net>
close
connect 127.0.0.1
helo mx1.example.ch
mail <a@example.ch>
rcpt <anna@example.net>
= continue
fact client.nat = yes
log ~ event=nat client=127.0.0.1 names=4
rcpt <x@elsewhere.example>
= reject 550 5.7.1 rule=nat-relay
close

# Switched off.
conf <<END
tracker { nat-helo-names 0 }
END
reload
session lo
connect 127.0.0.1
helo mx1.example.ch
fact client.nat absent
mail <a@example.ch>
rcpt <x@elsewhere.example>
= continue
close
