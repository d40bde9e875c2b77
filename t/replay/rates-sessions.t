# Sessions at one time: each that ends, however it does, makes room.
file people <<END
@example.net
END
conf <<END
networks { internal 192.0.2.0/24 }
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
rates {
	limit open   sessions per address 2
	limit names  sessions per helo 1 for internal
	limit users  sessions per user 1
}
END
session s1
connect 198.51.100.1
= continue
session s2
connect 198.51.100.1
= continue
session s3
connect 198.51.100.1
= defer 450 rule=rate-limit-connect
fact connection.over-limit = open
close
# One that was over was not counted.
session s1
close
session s4
connect 198.51.100.1
= continue
# ... and stays over, though there is room by now.
session s5
connect 198.51.100.1
= defer 450
session s2
close
session s5
helo x.example
= defer 450
mail <a@x.example>
= defer 450
close
session s6
connect 198.51.100.1
= continue
close
# Who logs in counts among strangers no more.
session s7
connect 198.51.100.1
= continue
mail <anna@example.net> user=anna
= continue
session s2
connect 198.51.100.1
= continue
session s1
connect 198.51.100.1
= defer 450
close
# One session for each user.
session s1
connect 198.51.100.9
mail <anna@example.net> user=anna
= defer 450 rule=rate-limit
fact connection.over-limit = users
close
session s7
mail <anna@example.net> user=anna
= continue
rcpt <berta@example.net>
close
session s1
connect 198.51.100.9
mail <anna@example.net> user=anna
= continue
close
# By the HELO name, for hosts of ours.
session s1
connect 192.0.2.1
helo web.example
= continue
session s3
connect 192.0.2.2
helo WEB.example
= defer 450
close
session s1
close
