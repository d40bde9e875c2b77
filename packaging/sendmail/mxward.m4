divert(-1)
#
# SPDX-License-Identifier: BSD-2-Clause
#
# For sendmail.mc: the feature named mxward. Mail passes through the milter mxward. Its one argument
# is the socket as it stands in mxward.conf; without it, unix:/run/mxward/mxward.sock.
# When mxward can not be reached mail is deferred (F=T): nothing comes in unchecked, nothing is lost.
# Time-outs: mxward answers a command in under 8 s and the end of a message in under 20 s, and sendmail
# waits longer than that. C: connect, S and R: one write and one read, E: the end of the message.
# Recipients that sendmail itself refuses (its own users, tables) are told from others before mxward has
# a say. To conceal them (mxward.conf(5), "Concealing"), relay the domains instead of having them in class w,
# name directories in mxward.conf that know all recipients, and switch VRFY and EXPN off (goaway). From then on
# mail for an unknown recipient that comes in by a way without mxward is accepted, and bounces behind.
# (No macro may be named in these comments: m4 expands them here, too.)
#
divert(0)
VERSIONID(`mxward.m4: milter mxward')
divert(-1)

define(`_MXWARD_SOCKET_', ifelse(len(X`'_ARG_), `1', ``unix:/run/mxward/mxward.sock'', `defn(`_ARG_')'))
INPUT_MAIL_FILTER(`mxward', `S='_MXWARD_SOCKET_`, F=T, T=C:10s;S:30s;R:30s;E:2m')

# The names that mxward wants to be told, added to each list where they are not in it. It asks for them
# itself as well (smfi_setsymlist); this serves where that is not offered.
define(`_MXWARD_SET_', `define(`$1', ``$2'')')
define(`_MXWARD_ADD_', `ifelse(index(defn(`$1'), `$2'), `-1', `_MXWARD_SET_(`$1', $1`, $2')')')
_MXWARD_ADD_(`confMILTER_MACROS_CONNECT', `{client_addr}')
_MXWARD_ADD_(`confMILTER_MACROS_CONNECT', `{client_name}')
_MXWARD_ADD_(`confMILTER_MACROS_CONNECT', `{client_ptr}')
_MXWARD_ADD_(`confMILTER_MACROS_CONNECT', `{client_resolve}')
_MXWARD_ADD_(`confMILTER_MACROS_CONNECT', `{client_port}')
_MXWARD_ADD_(`confMILTER_MACROS_CONNECT', `{daemon_name}')
_MXWARD_ADD_(`confMILTER_MACROS_CONNECT', `{daemon_addr}')
_MXWARD_ADD_(`confMILTER_MACROS_CONNECT', `{daemon_port}')
_MXWARD_ADD_(`confMILTER_MACROS_HELO', `{tls_version}')
_MXWARD_ADD_(`confMILTER_MACROS_ENVFROM', `{auth_authen}')
_MXWARD_ADD_(`confMILTER_MACROS_ENVFROM', `{tls_version}')
_MXWARD_ADD_(`confMILTER_MACROS_ENVRCPT', `{rcpt_mailer}')
_MXWARD_ADD_(`confMILTER_MACROS_ENVRCPT', `{rcpt_host}')
_MXWARD_ADD_(`confMILTER_MACROS_ENVRCPT', `{rcpt_addr}')
