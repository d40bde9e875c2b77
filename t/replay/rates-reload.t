# After a reload a limit of the same name goes on, with its new rate; others begin anew. A restart gives nothing back.
conf <<END
rates { limit one messages per address 1/1h
	limit two messages per helo 1/1h }
END
session s1
connect 198.51.100.1
helo a.example
mail <a@a.example>
= continue
abort
mail <a@a.example>
= defer 450
fact message.over-limit = one
close
conf <<END
rates { limit one messages per address 1/1h
	limit three messages per site 1000/1h }
END
reload
session s2
connect 198.51.100.1
helo a.example
mail <a@a.example>
= defer 450
fact message.over-limit = one
close
conf <<END
rates { limit one messages per address 2/1h
	limit two messages per helo 10/1h }
END
reload
session s3
connect 198.51.100.1
helo a.example
mail <a@a.example>
= defer 450
fact message.over-limit = one
abort
# Half of an hour is used up for each message by now.
advance 30m
mail <a@a.example>
= continue
abort
mail <a@a.example>
= defer 450
close
restart
session s3
connect 198.51.100.1
helo b.example
mail <a@a.example>
= defer 450
fact message.over-limit = one
advance 30m
mail <a@a.example>
= continue
close
