# Who is refused at connect or HELO for a list has its points as well, once in a session.
conf <<END
authserv-id mx.example.net
dnsbl zen {
    zone    zen.example
    points  20
}
dnsbl names {
    kind    domains
    zone    dbl.example
    points  5
}
rule listed {
    at          connect
    when        client.dnsbl = zen
    if-unknown  skip
    disconnect  "421 4.7.1 {client} is listed ({session})"
}
rule listed-name {
    at          helo
    when        helo.dnsbl = names
    if-unknown  skip
    reject      "550 5.7.1 {helo} is listed ({session})"
}
tracker { half-life 30d }
END
dns <<END
2.0.0.127.zen.example      A 127.0.0.2
test.dbl.example           A 127.0.1.2
7.113.0.203.zen.example    A 127.0.0.2
bad.example.dbl.example    A 127.0.1.2
END
session bot
connect 203.0.113.7
= disconnect rule=listed
log ~ events="listed:+20"
close
session bot
connect 203.0.113.7
= disconnect rule=listed
fact client.score = 20
close
session other
connect 203.0.113.8
= continue
helo bad.example
= reject 550 rule=listed-name
close
session other
connect 203.0.113.8
fact client.score = 5
helo good.example
= continue
mail <a@good.example>
fact client.score = 5
close
