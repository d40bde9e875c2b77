# A pass by a record that lets half the world pass, or that counts on a domain that anybody could register, is watched by two rules
# that are off as installed.
conf <<END
rule spf-over-broad observe
rule spf-dangling observe
END
dns <<END
broad.example TXT "v=spf1 ip4:192.0.0.0/8 ip4:198.0.0.0/8 -all"
cloud.example TXT "v=spf1 include:all.cloud.example -all"
all.cloud.example TXT "v=spf1 +all"
narrow.example TXT "v=spf1 ip4:198.51.100.0/24 -all"
gone.example.org TXT "v=spf1 ip4:198.51.100.7 include:spf.left-us.example -all"
quiet.example.org TXT "v=spf1 ip4:198.51.100.7 include:spf.quiet.example.org -all"
late.example TXT "v=spf1 ip4:198.51.100.7 include:i.late.example -all"
i.late.example TXT !servfail
fails.example TXT "v=spf1 ip4:203.0.0.0/8 -all"
END
connect 198.51.100.7
helo mail.example.org
mail <anna@broad.example>
rcpt <x@example.net>
data
header From: anna@broad.example
end-of-headers
eom
= continue
fact spf = pass
fact spf.mechanism = ip4
fact spf.breadth = 33554432
fact spf.over-broad = yes
fact spf.dangling = no
log ~ spf-over-broad
mail <anna@cloud.example>
rcpt <x@example.net>
data
header From: anna@cloud.example
end-of-headers
eom
fact spf.breadth = 18446744073709551615
log ~ spf-over-broad
mail <anna@narrow.example>
rcpt <x@example.net>
data
header From: anna@narrow.example
end-of-headers
eom
fact spf.breadth = 256
fact spf.over-broad = no
no-log spf-over-broad
mail <anna@gone.example.org>
rcpt <x@example.net>
data
header From: anna@gone.example.org
end-of-headers
eom
= continue
fact spf.breadth = 1
fact spf.dangling = yes
log ~ spf-dangling
# A record behind the match that can't be had: nothing is known of the breadth, and nothing waits for it.
mail <anna@late.example>
rcpt <x@example.net>
data
header From: anna@late.example
end-of-headers
eom
= continue
fact spf = pass
fact spf.over-broad unavailable
no-log spf-over-broad
# No record, no breadth.
mail <anna@plain.example>
rcpt <x@example.net>
data
header From: anna@plain.example
end-of-headers
eom
fact spf = none
fact spf.mechanism absent
fact spf.breadth absent
fact spf.dangling absent
close

# Where no rule names these facts, no record is asked for beyond those that the result needs.
conf <<END
spf { broad-limit 100 }
END
restart
session quiet
connect 198.51.100.7
helo mail.example.org
mail <anna@quiet.example.org>
rcpt <x@example.net>
data
header From: anna@quiet.example.org
end-of-headers
eom
fact spf = pass
fact spf.breadth absent
asked spf.quiet.example.org 0
close
# The limit is an option.
conf <<END
spf { broad-limit 100 }
rule spf-over-broad observe
END
restart
session limit
connect 198.51.100.7
helo mail.example.org
mail <anna@narrow.example>
rcpt <x@example.net>
data
header From: anna@narrow.example
end-of-headers
eom
fact spf.breadth = 256
fact spf.over-broad = yes
log ~ spf-over-broad
close
