# What a domain has to say about a fail stands at the end of the reply, under its name, and never matters.
dns <<END
says.example TXT "v=spf1 -all exp=why.says.example"
why.says.example TXT "Mail from %{i} is no mail of ours, see https://says.example/?ip=%{I}"
silent.example TXT "v=spf1 -all"
dead.example TXT "v=spf1 -all exp=why.dead.example"
why.dead.example TXT !timeout
long.example TXT "v=spf1 -all exp=why.long.example"
why.long.example TXT "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
bad.example TXT "v=spf1 -all exp=why.bad.example"
why.bad.example TXT "250 2.0.0 Ok\013\010MAIL FROM:<x@y>"
macro.example TXT "v=spf1 -all exp=why.macro.example"
why.macro.example TXT "%{l}"
passes.example TXT "v=spf1 ip4:198.51.100.7 -all exp=why.says.example"
END
connect 198.51.100.7
helo mail.example.org
mail <anna@says.example>
rcpt <x@example.net>
data
header From: anna@says.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery text~says.example explains: Mail from 198.51.100.7 is no mail of ours, see https://says.example/?ip=198.51.100.7
fact spf.explanation = says.example explains: Mail from 198.51.100.7 is no mail of ours, see https://says.example/?ip=198.51.100.7
mail <anna@silent.example>
rcpt <x@example.net>
data
header From: anna@silent.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery text~<anna@silent.example>: SPF fail (
fact spf.explanation absent
# A second, and no more.
mail <anna@dead.example>
rcpt <x@example.net>
data
header From: anna@dead.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery
took = 1s
fact spf.explanation absent
mail <anna@long.example>
rcpt <x@example.net>
data
header From: anna@long.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery text~ long.example explains: 01234567890
mail <anna@bad.example>
rcpt <x@example.net>
data
header From: anna@bad.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery
fact spf.explanation absent
# Macros bring in what the client said.
mail <"a\"b%{i}"@macro.example>
rcpt <x@example.net>
data
header From: anna@macro.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery text~macro.example explains: a"b%{i}
mail <anna@passes.example>
rcpt <x@example.net>
data
header From: anna@passes.example
end-of-headers
eom
fact spf = pass
fact spf.explanation absent
asked why.says.example 1
close

# Nobody wants to know: nobody asks.
conf <<END
rule spf-forgery {
    at      eom
    when    spf = fail and client.class = outside and not auth
    reject  "550 5.7.23 SPF fail ({session})"
}
END
restart
session quiet
connect 198.51.100.8
helo mail.example.org
mail <anna@says.example>
rcpt <x@example.net>
data
header From: anna@says.example
end-of-headers
eom
= reject 550 5.7.23 rule=spf-forgery text~SPF fail (
fact spf.explanation absent
asked why.says.example 1
close
