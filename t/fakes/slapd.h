/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slapd.h: a real OpenLDAP server of a test's own, with a few hundred entries, on loopback and a unix socket.
 *
 * Below dc=example,dc=net, readable by cn=mxward (password "opensesame") alone:
 *   user0@example.net .. user299@example.net, both in mail;
 *   "a*b@example.net", "(p)@example.net", "back\slash@example.net" in mail; "jörg@example.net" in description.
 * and the trees of slapd_trees.h. Whoever comes over the unix socket, or with the certificate gateway.pem, and binds
 * with SASL EXTERNAL is cn=mxward. It refers to another server for what is not
 * below dc=example,dc=net. Anybody may read below dc=open,dc=example,dc=net: guest@example.net.
 */
#ifndef MXW_T_FAKES_SLAPD_H
#define MXW_T_FAKES_SLAPD_H

#include <stdbool.h>
#include <sys/types.h>

#include "t/fakes/scratch.h"

struct slapd {
	struct scratch scratch;
	pid_t pid;         /* 0: not running */
	int port_fds[2];   /* keep its ports for it while it does not run */
	bool wants_certificate;
	/* The certificate is for 127.0.0.1. (libldap takes "localhost" for the machine's own name.) */
	char ldap_uri[64];            /* ldap://127.0.0.1:PORT */
	char ldaps_uri[64];           /* ldaps://127.0.0.1:PORT */
	char wrong_name_uri[64];      /* ldap://localhost:PORT */
	char wrong_name_tls_uri[64];  /* ldaps://localhost:PORT */
	char ldapi_uri[256];
	/* In scratch.dir: gateway.pem, gateway.key, stranger.pem, stranger.key, clients' certificates; ca.key belongs to
	 * other_ca_file. */
	char ca_file[128];       /* made the server's certificate and the clients' */
	char other_ca_file[128]; /* did not */
};

/* Makes the database and the certificates and starts the server. Ends the test program with a
 * message when slapd or openssl is missing or does not start. */
void slapd_init(struct slapd *slapd);
void slapd_start(struct slapd *slapd);
/* Starts it anew: only who shows a certificate can speak TLS with it, or anybody again. */
void slapd_demand_certificates(struct slapd *slapd, bool demands);
void slapd_kill(struct slapd *slapd);
/* SIGSTOP, SIGCONT. */
void slapd_signal(struct slapd *slapd, int sig);
void slapd_fini(struct slapd *slapd);

#endif
