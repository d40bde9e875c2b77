# Lists that are unwell are set aside, by their test points and by their silence, and come back.
conf <<END
resolver { timeout 3s }
dnsbl good {
    zone            good.example
    probe-interval  10m
}
dnsbl bad {
    kind  domains
    zone  bad.example
}
dnsbl mute { zone mute.example }
rule good { at rcpt
    when client.dnsbl = good
    if-unknown skip
    reject }
rule mute { at rcpt
    when client.dnsbl = mute and sender = mute@client.example
    if-unknown defer
    reject }
rule bad { at rcpt
    when sender.dnsbl = bad
    if-unknown skip
    reject }
END
dns <<END
2.0.0.127.good.example    A 127.0.0.2
*.bad.example             A 127.0.0.2
2.0.0.127.mute.example    A 127.0.0.2
7.113.0.203.good.example  A 127.0.0.2
*.113.0.203.mute.example  A !timeout
END

# One that has everything is found out at the start, asked nothing, and has nobody.
reload
log ~ list=bad zone=bad.example text="it lists INVALID, and so perhaps everything
no-log list=good
session a
connect 203.0.113.7
mail <bob@client.example>
asked client.example.bad.example 0
rcpt <anna@example.net>
= reject 550 rule=good
fact sender.dnsbl absent
close

# Whoever asks a list that does not answer waits for it: ten clients do, and then nobody any more.
session b
connect 203.0.113.30
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
took = 8s
close
advance 1s
connect 203.0.113.31
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
close
advance 1s
connect 203.0.113.32
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
close
advance 1s
connect 203.0.113.33
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
close
advance 1s
connect 203.0.113.34
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
close
advance 1s
connect 203.0.113.35
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
close
advance 1s
connect 203.0.113.36
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
close
advance 1s
connect 203.0.113.37
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
close
advance 1s
connect 203.0.113.38
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
close
advance 1s
connect 203.0.113.39
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= defer 451 4.4.3 rule=mute
close
advance 1s
connect 203.0.113.50
mail <mute@client.example>
rcpt <anna@example.net>
# As unknown as before, but nobody waits for it.
= defer 451 4.4.3 rule=mute
took = 0
asked 50.113.0.203.mute.example 0
mail <bob@client.example>
rcpt <anna@example.net>
= continue
close

# Its test points answer, but not what was asked for clients: nobody waits for it again.
advance 1m
connect 203.0.113.51
close
advance 15s
connect 203.0.113.52
no-log it is sound again
log ~ list=mute zone=mute.example text="its test points answer, but not what is asked for clients
asked 51.113.0.203.mute.example 0
asked 52.113.0.203.mute.example 0
close

# What clients would have asked meanwhile is answered: then clients' questions are asked again.
dns <<END
*.100.51.198.mute.example  A 127.0.0.2
END
connect 198.51.100.60
close
connect 198.51.100.61
close
connect 198.51.100.62
asked 62.100.51.198.mute.example 0
close
advance 1m
connect 198.51.100.63
log ~ list=mute zone=mute.example text="it is sound again, and in use"
asked 62.100.51.198.mute.example 1
took = 0
mail <mute@client.example>
rcpt <anna@example.net>
= reject 550 rule=mute
took = 0
close
