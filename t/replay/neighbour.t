# An honest server that shows no domain, in a network whose other hosts guess recipients: what its own address has done tells it from them.
file people <<END
anna@example.net
bob@example.net
END
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <anna@example.net>
= continue
header From: a@old.example
end-of-headers
eom
= continue
close
advance 49h
session bot
connect 203.0.113.1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g1x@N@@example.net>
close
session bot
connect 203.0.113.2
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g2x@N@@example.net>
close

# Nobody of that network is told anything, but who has been writing for days; once he may be wrong.
session peer
connect 203.0.113.3 mail.stranger.example
helo mail.stranger.example
mail <a@stranger.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = new
close
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <bob@example.net>
= continue
fact greylist.client = known
header From: a@old.example
end-of-headers
eom
= continue
close
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <bobb@example.net>
= reject 550 5.1.1 rule=unknown-recipient
close
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <bobb@example.net>
= reject 550 5.1.1 rule=unknown-recipient
close
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <bob@example.net>
= continue
fact greylist.client = known
header From: a@old.example
end-of-headers
eom
= continue
close
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <annna@example.net>
= reject 550 5.1.1 rule=unknown-recipient
close
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = waiting
close
# Somebody who knows him forgives him; then he may be wrong once again.
forgive 203.0.113.50
advance 1s
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <anna@example.net>
= continue
fact greylist.client = known
close
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <another@example.net>
= reject 550 5.1.1 rule=unknown-recipient
rcpt <anna@example.net>
= continue
rcpt <andother@example.net>
= reject 550 5.1.1 rule=unknown-recipient
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = waiting
close

# Who is new is heard when he has tried the same for an hour, and then at once.
session peer
connect 203.0.113.60 mail.new.example
helo mail.new.example
mail <a@new.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = new
close
session peer
connect 203.0.113.61 mail.third.example
helo mail.third.example
mail <a@third.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = new
close
advance 30m
session bot
connect 203.0.113.1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g3x@N@@example.net>
close
session bot
connect 203.0.113.2
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g4x@N@@example.net>
close
session peer
connect 203.0.113.60 mail.new.example
helo mail.new.example
mail <a@new.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = waiting
close
advance 31m
session bot
connect 203.0.113.1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g5x@N@@example.net>
close
session bot
connect 203.0.113.2
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g6x@N@@example.net>
close
session peer
connect 203.0.113.60 mail.new.example
helo mail.new.example
mail <b@new.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = new
close
session peer
connect 203.0.113.60 mail.new.example
helo mail.new.example
mail <a@new.example>
rcpt <anna@example.net>
= continue
fact greylist.client = passed
header From: a@new.example
end-of-headers
eom
= continue
close
session peer
connect 203.0.113.60 mail.new.example
helo mail.new.example
mail <b@new.example>
rcpt <bob@example.net>
= continue
fact greylist.client = known
header From: b@new.example
end-of-headers
eom
= continue
close

# A mistake of his is one of all who have nothing else to show, and it takes a day until they are heard all the same.
session peer
connect 203.0.113.60 mail.new.example
helo mail.new.example
mail <b@new.example>
rcpt <bobb@example.net>
= reject 550 5.1.1 rule=unknown-recipient
close
session peer
connect 203.0.113.60 mail.new.example
helo mail.new.example
mail <b@new.example>
rcpt <bob@example.net>
= continue
fact greylist.client = known
header From: b@new.example
end-of-headers
eom
= continue
close
session peer
connect 203.0.113.61 mail.third.example
helo mail.third.example
mail <a@third.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = waiting
close
advance 24h
session bot
connect 203.0.113.1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g7x@N@@example.net>
close
session bot
connect 203.0.113.2
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g8x@N@@example.net>
close
session peer
connect 203.0.113.61 mail.third.example
helo mail.third.example
mail <a@third.example>
rcpt <anna@example.net>
= continue
fact greylist.client = passed
header From: a@third.example
end-of-headers
eom
= continue
close

# Who was told of a recipient that does not exist is not heard, however long he waits.
session peer
connect 203.0.113.1 mail.bot.example
helo mail.bot.example
mail <a@bot.example>
rcpt <anna@example.net>
= defer 451
fact greylist.client = new
close
advance 61m
session bot
connect 203.0.113.1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g9x@N@@example.net>
close
session bot
connect 203.0.113.2
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g10x@N@@example.net>
close
session peer
connect 203.0.113.1 mail.bot.example
helo mail.bot.example
mail <a@bot.example>
rcpt <anna@example.net>
= defer 451
fact greylist.client = waiting
close

# IPv6: addresses are not rare there. One mistake of somebody patient is one of the whole /32, and a day does not help.
session bot
connect 2001:db8:5:a::1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g11x@N@@example.net>
close
session bot
connect 2001:db8:5:b::1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g12x@N@@example.net>
close
session peer
connect 2001:db8:5:60::1 mail.six.example
helo mail.six.example
mail <a@six.example>
rcpt <nobody@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = new
close
session peer
connect 2001:db8:5:61::1 mail.seven.example
helo mail.seven.example
mail <a@seven.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = new
close
session peer
connect 2001:db8:5:62::1 mail.eight.example
helo mail.eight.example
mail <a@eight.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = new
close
advance 61m
session bot
connect 2001:db8:5:a::1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g13x@N@@example.net>
close
session bot
connect 2001:db8:5:b::1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g14x@N@@example.net>
close
session peer
connect 2001:db8:5:61::1 mail.seven.example
helo mail.seven.example
mail <a@seven.example>
rcpt <anna@example.net>
= continue
fact greylist.client = passed
header From: a@seven.example
end-of-headers
eom
= continue
close
session peer
connect 2001:db8:5:60::1 mail.six.example
helo mail.six.example
mail <a@six.example>
rcpt <nobody@example.net>
= reject 550 5.1.1 rule=unknown-recipient
close
session peer
connect 2001:db8:5:62::1 mail.eight.example
helo mail.eight.example
mail <a@eight.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = waiting
close
advance 25h
session bot
connect 2001:db8:5:a::1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g15x@N@@example.net>
close
session bot
connect 2001:db8:5:b::1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g16x@N@@example.net>
close
session peer
connect 2001:db8:5:61::1 mail.seven.example
helo mail.seven.example
mail <b@seven.example>
rcpt <bob@example.net>
= continue
fact greylist.client = known
header From: b@seven.example
end-of-headers
eom
= continue
close
session peer
connect 2001:db8:5:62::1 mail.eight.example
helo mail.eight.example
mail <a@eight.example>
rcpt <anna@example.net>
= defer 451 4.7.1 rule=harvester-network-defer
fact greylist.client = waiting
close

# Two days later the mistakes are forgotten.
advance 49h
session bot
connect 203.0.113.1
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g17x@N@@example.net>
close
session bot
connect 203.0.113.2
helo bot.example
mail <x@bot.example>
repeat 6 rcpt <g18x@N@@example.net>
close
session peer
connect 203.0.113.50 mail.old.example
helo mail.old.example
mail <a@old.example>
rcpt <anna@example.net>
= continue
fact greylist.client = known
header From: a@old.example
end-of-headers
eom
= continue
close
