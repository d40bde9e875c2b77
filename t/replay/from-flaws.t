# Each word of from.flaw, and each field that may be there once only, by the names that rules know.
file people <<END
anna@example.net
END
conf <<END
authserv-id mx.example.net
directory people {
    type file
    path @DIR@/people
}
domain example.net { recipients people }
END

connect 198.51.100.7
helo x.example

mail <a@x.example>
rcpt <anna@example.net>
header From: "" <>
end-of-headers
eom
fact from.flaw = empty

mail <a@x.example>
rcpt <anna@example.net>
header From: Staff: a@x.example;
end-of-headers
eom
fact from.flaw = group

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example, b@x.example
end-of-headers
eom
fact from.flaw = addresses

mail <a@x.example>
rcpt <anna@example.net>
header From: =?utf-8?q?a=40x=2Eexample?=
end-of-headers
eom
fact from.flaw = encoded

mail <a@x.example>
rcpt <anna@example.net>
header From: Anna <a@x.example>
end-of-headers
eom
fact from.flaw = control

mail <a@x.example>
rcpt <anna@example.net>
header From: "Anna <a@x.example>
end-of-headers
eom
fact from.flaw = quotes

mail <a@x.example>
rcpt <anna@example.net>
header From: Anna <a@x.example
end-of-headers
eom
fact from.flaw = brackets

mail <a@x.example>
rcpt <anna@example.net>
header From: Anna (Berg <a@x.example>
end-of-headers
eom
fact from.flaw = comment

mail <a@x.example>
rcpt <anna@example.net>
header From: <@relay.x.example:a@x.example>
end-of-headers
eom
fact from.flaw = route

mail <a@x.example>
rcpt <anna@example.net>
header From: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA <a@x.example>
end-of-headers
eom
fact from.flaw = long

mail <a@x.example>
rcpt <anna@example.net>
header From: Anna\rBerg <a@x.example>
end-of-headers
eom
fact from.flaw = line-ends

mail <a@x.example>
rcpt <anna@example.net>
header From: Café <a@x.example>
end-of-headers
eom
fact from.flaw = utf8

mail <a@x.example>
rcpt <anna@example.net>
header From: Berg, Anna <a@x.example>
end-of-headers
eom
fact from.flaw = syntax

mail <a@x.example>
rcpt <anna@example.net>
header From: "boss@legit.example" <a@x.example>
end-of-headers
eom
fact from.flaw = name

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header From: a@x.example
end-of-headers
eom
fact from.flaw = repeated
fact header.repeated = from

# No other field may be doubled unseen.
mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Date: one
header DATE: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = date

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Sender: one
header SENDER: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = sender

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Reply-To: one
header REPLY-TO: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = reply-to

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header To: one
header TO: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = to

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Cc: one
header CC: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = cc

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Bcc: one
header BCC: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = bcc

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Message-ID: one
header MESSAGE-ID: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = message-id

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header In-Reply-To: one
header IN-REPLY-TO: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = in-reply-to

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header References: one
header REFERENCES: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = references

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Subject: one
header SUBJECT: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = subject

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header MIME-Version: one
header MIME-VERSION: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = mime-version

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Content-Type: one
header CONTENT-TYPE: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = content-type

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Content-Transfer-Encoding: one
header CONTENT-TRANSFER-ENCODING: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = content-transfer-encoding

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Content-ID: one
header CONTENT-ID: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = content-id

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Content-Description: one
header CONTENT-DESCRIPTION: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = content-description

mail <a@x.example>
rcpt <anna@example.net>
header From: a@x.example
header Content-Disposition: one
header CONTENT-DISPOSITION: two
end-of-headers
eom
fact from.flaw absent
fact header.repeated = content-disposition
close
