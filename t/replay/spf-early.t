# The default rules want SPF at the end of the message: what is asked for at HELO and MAIL has come by then.
dns <<END
sender.example TXT "v=spf1 include:i1.sender.example include:i2.sender.example -all"
i1.sender.example TXT "v=spf1 ip4:203.0.113.0/24 ?all"
i2.sender.example TXT "v=spf1 ip4:198.51.100.7 ?all"
sender.example TXT !delay=50ms
*.sender.example ANY !delay=50ms
END
connect 198.51.100.7
helo mail.sender.example
took = 0ms
mail <anna@sender.example>
took = 0ms
advance 60ms
rcpt <x@example.net>
took = 0ms
advance 60ms
data
header From: anna@sender.example
end-of-headers
# The body takes its time, and the DMARC record comes meanwhile.
advance 60ms
eom
took = 0ms
fact spf = pass
close
