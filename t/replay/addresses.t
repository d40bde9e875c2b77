# Addresses as people use them: U-labels and A-labels, literals, hosts, lists of domains, catch-all, quotes, postmaster.
file people <<END
anna@xn--bcher-kva.example
info@example.net
"john smith"@example.net
bo@[192.0.2.1]
list-owner@other.example
END
file everybody <<END
@caught.example
END
file hosts <<END
# local-host-names
gate.example.net
END
file domains <<END
other.example   OK
müller.example  OK
END
conf <<END
authserv-id mx.example.net
helo-names  mx.bücher.example
directory people {
    type file
    path @DIR@/people
}
directory everybody {
    type file
    path @DIR@/everybody
}
domain example.net {
    recipients people
    hosts      mx1.example.net *.hosts.example [192.0.2.9]
    hosts-file @DIR@/hosts
}
domain bücher.example [192.0.2.1] { recipients people }
domain more.example {
    recipients   people
    domains-file @DIR@/domains
    recipient-delimiters "+-"
}
domain caught.example {
    recipients everybody
    catch-all  yes
}
tracker { enabled no }
# The facts of a recipient, as answers.
rule role    { when rcpt.source = postmaster
	defer "450 4.0.0 role" }
rule own     { when rcpt = found and rcpt.domain = bücher.example
	defer "450 4.0.0 own {rcpt}" }
rule host    { when rcpt = found and rcpt.domain in mx1.example.net gate.example.net
	defer "450 4.0.0 host {rcpt}" }
rule found   { when rcpt = found and rcpt.ours
	defer "450 4.0.0 found {rcpt}" }
rule foreign { when rcpt = foreign and not rcpt.ours
	defer "450 4.0.0 foreign {rcpt}" }
rule mueller {
    at     mail
    when   sender.domain = müller.example
    reject "550 5.7.1 not from there"
}
END
dns <<END
sender.example TXT "v=spf1 ip4:192.0.2.77 -all"
END

connect 192.0.2.77 mail.sender.example
helo mail.sender.example
mail <bob@sender.example>

# A-labels and U-labels are one name, in whatever case and composition.
rcpt <anna@xn--bcher-kva.example>
= defer 450 4.0.0 text~own anna@xn--bcher-kva.example
rcpt <Anna@BÜCHER.example.>
= defer 450 4.0.0 text~own Anna@xn--bcher-kva.example
rcpt <nobody@bücher.example>
= reject 550 5.1.1 text~<nobody@xn--bcher-kva.example>
rcpt <anna+lists@bücher.example>
= defer 450 4.0.0 text~own anna+lists@

# Literals: one address is one name.
rcpt <bo@[192.0.2.1]>
= defer 450 4.0.0 text~found bo@[192.0.2.1]
rcpt <postmaster@[192.0.2.1]>
= defer 450 4.0.0 text~role
rcpt <nobody@[192.0.2.1]>
= reject 550 5.1.1
rcpt <bo@[192.0.2.2]>
= defer 450 4.0.0 text~foreign

# Hosts have the recipients of their section's first domain.
rcpt <info@mx1.example.net>
= defer 450 4.0.0 text~host info@mx1.example.net
rcpt <Info@a.b.hosts.example>
= defer 450 4.0.0 text~found Info@a.b.hosts.example
rcpt <info@[192.0.2.9]>
= defer 450 4.0.0 text~found
rcpt <info@gate.example.net>
= defer 450 4.0.0 text~host
rcpt <nobody@gate.example.net>
= reject 550 5.1.1 text~<nobody@gate.example.net>
rcpt <info@hosts.example>
= defer 450 4.0.0 text~foreign

# Domains of a list have their own.
rcpt <list-owner@other.example>
= defer 450 4.0.0 text~found
rcpt <info@other.example>
= reject 550 5.1.1
rcpt <info@xn--mller-kva.example>
= reject 550 5.1.1

rcpt <whoever@caught.example>
= defer 450 4.0.0 text~found

# Quotes only matter where they are needed.
rcpt <"info"@example.net>
= defer 450 4.0.0 text~found info@example.net
rcpt <"John Smith"@example.net>
= defer 450 4.0.0 text~found "John Smith"@example.net
rcpt <"*)(mail=*"@example.net>
= reject 550 5.1.1

# Postmaster without a domain is known, another local part alone is for the MTA.
rcpt <postmaster>
= defer 450 4.0.0 text~role
rcpt <info>
= defer 450 4.0.0 text~foreign info
abort
close

# Our names are ours in both forms.
session forged
connect 192.0.2.77
helo mx.bücher.example
= continue
fact helo.forged = yes
mail <>
rcpt <nobody@elsewhere.example>
= defer 450 4.0.0 text~foreign
close

session literal
connect 192.0.2.77
helo [192.0.2.9]
fact helo.forged = yes
close

session below
connect 192.0.2.77
helo mail7.hosts.example
fact helo.forged = no
mail <x@xn--mller-kva.example>
= reject 550 5.7.1 rule=mueller
mail <x@MÜLLER.example>
= reject 550 5.7.1
mail <x@bücher.example>
= continue
fact sender.ours = yes
fact sender.domain = xn--bcher-kva.example
fact sender = x@xn--bcher-kva.example
abort
log ~ sender=x@xn--bcher-kva.example
close
