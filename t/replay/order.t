# Steps in any order: served as well as can be, nothing crashes, nobody is refused for it.
file people <<END
anna@example.net
@example.net
END
conf <<END
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END

session eom-first
eom
= continue
close
session mail-first
mail <a@x.example>
= continue
fact client.class = local
rcpt <b@example.net>
= continue
connect 198.51.100.7
= continue
fact client.class = outside
rcpt <b@example.net>
data
header From: a@x.example
end-of-headers
end-of-headers
body x
eom
= continue
eom
= continue
abort
abort
close
session header-first
header Subject: x
end-of-headers
body x
abort
close
session nothing
connect local
close
session no-sender
connect 198.51.100.7
mail garbage>
= reject 553 5.1.7 rule=sender-syntax
close
session data
data
= continue
unknown X
= continue
close
