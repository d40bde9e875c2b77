/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.h: drives the real engine with a scripted session, a fake resolver and a fake clock.
 *
 * A scenario is a file t/replay/NAME.t. Lines:
 *
 *	# comment
 *	conf <<END ... END          mxward.conf; @DIR@ stands for a directory of the scenario's own, @LDAP@ for the uri of
 *	                            an LDAP server that does as the next line says
 *	ldap found|unknown|away     (away: it closes its connections instead of answering)
 *	dns <<END ... END           what the fake resolver says (t/fakes/fake_resolver.h)
 *	file NAME <<END ... END     a file in @DIR@
 *	reload                      puts the conf block read last in force
 *	forgive KEY                 as mxwardctl forgive
 *	restart [DURATION]          ends the engine and makes another, so much later, with the same state directory and clock
 *
 *	session NAME                begins a session, or goes on with one that was begun; without it there is one
 *	connect ADDRESS [NAME [DAEMON-NAME [PORT]]]     "local" for no address
 *	helo NAME | mail PATH [user=NAME] [tls=VERSION] [smtputf8] | rcpt PATH | rcpt-refused PATH | rcpt-deferred PATH
 *	queue-id ID
 *	data | unknown LINE | header NAME: VALUE | end-of-headers | body TEXT | message FILE | eom | abort | close
 *	header-bytes NAME N         a field whose value has N bytes
 *	repeat N COMMAND            the command N times; @N@ in it is the number of the turn, from 1
 *	advance DURATION
 *	set-clock +DURATION | set-clock -DURATION    the wall clock alone is set
 *
 * and what is expected of the step before:
 *
 *	= ACTION [CODE [STATUS]] [rule=NAME] [decided=ACTION] [text~WORDS to the end of the line]
 *	fact NAME = VALUE | fact NAME absent | fact NAME unavailable | fact NAME >= N
 *	edits N | insert NAME ~ TEXT | no-insert TEXT | delete NAME INDEX
 *	log ~ TEXT | no-log TEXT    some log line since the session's step before has (none has) the text
 *	took <= DURATION | took = DURATION      by the fake clock, the step alone
 *	asked NAME N [TYPE]         questions sent to the fake resolver for that name, of any type or of that one
 *	searched N                  searches the LDAP server has had so far
 *	refreshed N                 recipients asked again in the background (waits for it)
 *
 * In TEXT, \t and \n stand for tab and newline.
 */
#ifndef MXW_T_REPLAY_REPLAY_H
#define MXW_T_REPLAY_REPLAY_H

#include <stdbool.h>

/*
 * Runs one scenario; complaints go to standard error with file and line. `is_saving`: all that is remembered is written to the disk after
 * each line of it, else when the engine's interval or its end comes.
 */
bool replay_file(const char *path, bool is_saving);

#endif
