# Who lies at HELO and is refused there for it has lied all the same, once for each name.
conf <<END
authserv-id mx.example.net
tracker {
    half-life  30d
}
rule liars {
    at      helo
    when    helo.forged and client.class = outside
    reject  "550 5.7.1 {helo}: that is our name ({session})"
}
rule helo-forged off
END
session a
connect 203.0.113.1
fact client.score = 0
helo mx.example.net
= reject 550 5.7.1 rule=liars
log ~ events="helo-forged:+20"
helo mx.example.net
= reject 550 5.7.1 rule=liars
helo honest.example
= continue
mail <a@a.example>
fact client.score = 20
close
session b
connect 203.0.113.1
helo mx.example.net
= reject 550 5.7.1 rule=liars
close
session a
connect 203.0.113.1
fact client.score = 40
close
