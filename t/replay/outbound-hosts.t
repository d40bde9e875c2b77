# A site may let hosts go further than a warning: what is put off stays in their queue. In observe mode nobody is suspended.
conf <<END
networks { internal 192.0.2.0/24 }
outbound { host-messages 2/1h
	host-stage suspended }
END
session h
connect 192.0.2.1
repeat 3 mail <shop@example.org>
= continue
fact outbound = hold
mail <shop@example.org>
= defer 450 4.7.1 rule=outbound-suspended-host
log ~ event=suspended account=192.0.2.1 author=mxward
# Who logs in there is somebody else.
mail <anna@example.org> user=anna
= continue
close
# It stays so, whatever happens to us.
restart
session h
connect 192.0.2.1
mail <shop@example.org>
= defer 450 rule=outbound-suspended-host
close
# What is beyond a quota is slow.
session t
connect 203.0.113.1
repeat 200 mail <anna@example.org> user=anna
fact outbound = slow
rcpt <x@far.example>
= continue
took = 5s
close
conf <<END
mode observe
outbound { messages 1/1h }
END
reload
session o
connect 203.0.113.1
mail <carl@example.org> user=carl
mail <carl@example.org> user=carl
= continue
fact outbound = suspended
log ~ event=outbound account=user:carl outbound=suspended
no-log event=suspended
close
conf <<END
outbound { enabled no
	messages 1/1h }
END
reload
session o
connect 203.0.113.1
repeat 5 mail <anna@example.org> user=anna
= continue
fact outbound = ok
close
