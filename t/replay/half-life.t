# The score falls to its half with each half-life, and what is added later falls by its own time.
file people <<END
anna@example.net
END
conf <<END
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
tracker { half-life 30m }
END

session half
connect 203.0.113.20
helo x.example
mail <a@x.example>
repeat 4 rcpt <guess@N@@example.net>
fact client.score = 40
close
advance 30m
session half
connect 203.0.113.20
fact client.score = 20
helo x.example
mail <a@x.example>
rcpt <guess5@example.net>
fact client.score = 30
close
advance 30m
session half
connect 203.0.113.20
fact client.score = 15
close
advance 60m
session half
connect 203.0.113.20
fact client.score = 4
close

# An IPv6 client has its whole /64; the neighbour's is another.
session six
connect 2001:db8:1:2::7
helo x.example
mail <a@x.example>
rcpt <guess@example.net>
fact client.score = 10
close
session six
connect 2001:db8:1:2:ffff::1
fact client.score = 10
close
session six
connect 2001:db8:1:3::7
fact client.score = 0
close
