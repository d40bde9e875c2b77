/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/fakes/slapd.h"
#include "t/fakes/slapd_trees.h"

enum { USERS = 300, START_TRIES = 500, SPAWN_TRIES = 20 };

static void die(const char *what, const char *hint)
{
	fprintf(stderr, "%s: %s\n", what, hint);
	exit(EXIT_FAILURE);
}

/* The first of these that is there; ends the program if none is. */
static const char *first_of(const char *const *paths, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (access(paths[i], R_OK) == 0)
			return paths[i];
	die(what, "not found; this test needs OpenLDAP's server (Debian: slapd, Fedora: openldap-servers)");
	return NULL;
}

/* Starts a program whose output goes to DIR/NAME.log. */
static pid_t spawn(struct slapd *slapd, const char *name, const char *const *argv)
{
	char log[128];
	char *args[32] = {NULL};

	snprintf(log, sizeof log, "%s/%s.log", slapd->scratch.dir, name);
	/* Not in the child: another thread may be in the midst of malloc() when it is made. */
	for (size_t n = 0; argv[n] && n + 1 < sizeof args / sizeof *args; n++)
		args[n] = strdup(argv[n]);
	pid_t pid = fork();
	if (pid < 0)
		die("fork", "failed");
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
		if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
			_exit(126);
		/* It must not outlive a test program that crashed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(args[0], args);
		_exit(127);
	}
	for (size_t n = 0; args[n]; n++)
		free(args[n]);
	return pid;
}

static void show_log(struct slapd *slapd, const char *name)
{
	char path[128], line[512];

	snprintf(path, sizeof path, "%s/%s.log", slapd->scratch.dir, name);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		fputs(line, stderr);
	if (f)
		fclose(f);
}

static void run(struct slapd *slapd, const char *name, const char *const *argv)
{
	int status;
	pid_t pid = spawn(slapd, name, argv);

	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	show_log(slapd, name);
	die(name, WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "is not installed" : "failed");
}

/* ---- files ---- */

static void write_ldif(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		die(path, "can't be written");
	fputs("dn: dc=example,dc=net\nobjectClass: domain\ndc: example\n\n"
	      "dn: dc=open,dc=example,dc=net\nobjectClass: domain\ndc: open\n\n"
	      "dn: cn=mxward,dc=example,dc=net\nobjectClass: organizationalRole\n"
	      "objectClass: simpleSecurityObject\ncn: mxward\nuserPassword: opensesame\n\n", f);
	for (int i = 0; i < USERS; i++)
		fprintf(f, "dn: uid=user%d,dc=example,dc=net\nobjectClass: inetOrgPerson\nuid: user%d\ncn: User %d\n"
			   "sn: User\nmail: user%d@example.net\n\n", i, i, i, i);
	slapd_write_trees(f);
	fputs("dn: uid=star,dc=example,dc=net\nobjectClass: inetOrgPerson\nuid: star\ncn: s\nsn: s\n"
	      "mail: a*b@example.net\nmail: (p)@example.net\nmail: back\\slash@example.net\n\n"
	      "dn: uid=joerg,dc=example,dc=net\nobjectClass: inetOrgPerson\nuid: joerg\ncn: j\nsn: j\n"
	      "description: j\xc3\xb6rg@example.net\n\n"
	      "dn: uid=guest,dc=open,dc=example,dc=net\nobjectClass: inetOrgPerson\nuid: guest\ncn: g\nsn: g\n"
	      "mail: guest@example.net\n", f);
	if (fclose(f) != 0)
		die(path, "can't be written");
}

static void write_conf(struct slapd *slapd, const char *path)
{
	static const char *const schemas[] = {"/etc/ldap/schema", "/etc/openldap/schema"};
	static const char *const modules[] = {"/usr/lib/ldap/back_mdb.so", "/usr/lib64/openldap/back_mdb.so",
					      "/usr/lib/openldap/back_mdb.so"};
	const char *schema = first_of(schemas, 2, "OpenLDAP's schema files");
	const char *dir = slapd->scratch.dir;
	FILE *f = fopen(path, "w");

	if (!f)
		die(path, "can't be written");
	fprintf(f, "include %s/core.schema\ninclude %s/cosine.schema\ninclude %s/inetorgperson.schema\n"
		"include %s/misc.schema\n", schema, schema, schema, schema);
	slapd_write_schema(f);
	for (size_t i = 0; i < 3; i++)
		if (access(modules[i], R_OK) == 0) {
			fprintf(f, "moduleload %s\n", modules[i]);
			break;
		}
	fprintf(f,
		"TLSCACertificateFile %s/ca.pem\n"
		"TLSCertificateFile %s/server.pem\nTLSCertificateKeyFile %s/server.key\n"
		"TLSVerifyClient %s\n"
		"authz-regexp \"^gidNumber=[0-9]+\\\\+uidNumber=[0-9]+,cn=peercred,cn=external,cn=auth$\" \"cn=mxward,dc=example,dc=net\"\n"
		"authz-regexp \"^cn=gateway.example.net$\" \"cn=mxward,dc=example,dc=net\"\n"
		"referral ldap://192.0.2.1/\n"
		"threads 4\n"
		"database mdb\nsuffix \"dc=example,dc=net\"\nrootdn \"cn=root,dc=example,dc=net\"\n"
		"directory %s/db\nmaxsize 33554432\ndbnosync\nindex objectClass,mail,uid,cn,mailAlternateAddress,proxyAddresses,userPrincipalName eq\n"
		"access to dn.subtree=\"dc=open,dc=example,dc=net\" by * read\n"
		"access to attrs=userPassword by anonymous auth\n"
		"access to * by dn.exact=\"cn=mxward,dc=example,dc=net\" read by anonymous auth\n",
		dir, dir, dir, slapd->wants_certificate ? "demand" : "try", dir);
	if (fclose(f) != 0)
		die(path, "can't be written");
}

static char *in_dir(struct slapd *slapd, const char *name)
{
	return scratch_path(&slapd->scratch, name);
}

static void make_ca(struct slapd *slapd, const char *name, const char *file)
{
	char *key = in_dir(slapd, "ca.key");
	const char *argv[] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
			      "-nodes", "-subj", name, "-days", "2", "-keyout", key, "-out", file, NULL};

	run(slapd, "openssl", argv);
	free(key);
}

/* A certificate by the CA in ca.pem, and its key, as NAME.pem and NAME.key. */
static void make_certificate(struct slapd *slapd, const char *name, const char *subject, const char *ext)
{
	char *ca_key = in_dir(slapd, "ca.key");
	char key[128], csr[128], cert[128];

	snprintf(key, sizeof key, "%s/%s.key", slapd->scratch.dir, name);
	snprintf(csr, sizeof csr, "%s/%s.csr", slapd->scratch.dir, name);
	snprintf(cert, sizeof cert, "%s/%s.pem", slapd->scratch.dir, name);
	const char *request[] = {"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
				 "-nodes", "-subj", subject, "-keyout", key, "-out", csr, NULL};
	const char *sign[] = {"openssl", "x509", "-req", "-in", csr, "-CA", slapd->ca_file, "-CAkey", ca_key,
			      "-CAcreateserial", "-days", "2", "-extfile", ext, "-out", cert, NULL};
	run(slapd, "openssl", request);
	run(slapd, "openssl", sign);
	free(ca_key);
}

static void make_certificates(struct slapd *slapd)
{
	char *ext = in_dir(slapd, "server.ext"), *client_ext = in_dir(slapd, "client.ext");

	snprintf(slapd->ca_file, sizeof slapd->ca_file, "%s/ca.pem", slapd->scratch.dir);
	snprintf(slapd->other_ca_file, sizeof slapd->other_ca_file, "%s/other-ca.pem", slapd->scratch.dir);
	make_ca(slapd, "/CN=Test CA", slapd->ca_file);
	scratch_replace(ext, "subjectAltName=IP:127.0.0.1,DNS:ldap.example.net\n");
	scratch_replace(client_ext, "extendedKeyUsage=clientAuth\n");
	make_certificate(slapd, "server", "/CN=ldap.example.net", ext);
	make_certificate(slapd, "gateway", "/CN=gateway.example.net", client_ext);
	make_certificate(slapd, "stranger", "/CN=stranger.example.net", client_ext);
	/* Last, since it takes the place of the first one's key: its certificate is its own client's, too. */
	make_ca(slapd, "/CN=Another CA", slapd->other_ca_file);
	free(ext);
	free(client_ext);
}

/* The program may be confined by AppArmor to its usual places: a copy of it is not. */
static void copy_program(struct slapd *slapd)
{
	static const char *const places[] = {"/usr/sbin/slapd", "/usr/libexec/slapd", "/usr/lib/openldap/slapd",
					     "/usr/local/libexec/slapd"};
	char *copy = in_dir(slapd, "slapd");

	run(slapd, "cp", (const char *const[]){"cp", first_of(places, 4, "slapd"), copy, NULL});
	free(copy);
}

/* ---- ports ---- */

/* A port that nobody is given while the descriptor is open, for a server or for a connection; but slapd, which asks for
 * SO_REUSEADDR as we do, can listen on it. */
static unsigned keep_port(int *ret_fd)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(fd, (const struct sockaddr *)&sin, sizeof sin) != 0 || getsockname(fd, (struct sockaddr *)&sin, &len) != 0)
		die("a free port", "there is none");
	*ret_fd = fd;
	return ntohs(sin.sin_port);
}

static void choose_addresses(struct slapd *slapd)
{
	unsigned port = keep_port(&slapd->port_fds[0]), tls_port = keep_port(&slapd->port_fds[1]);
	char *out = slapd->ldapi_uri;

	snprintf(slapd->ldap_uri, sizeof slapd->ldap_uri, "ldap://127.0.0.1:%u", port);
	snprintf(slapd->ldaps_uri, sizeof slapd->ldaps_uri, "ldaps://127.0.0.1:%u", tls_port);
	snprintf(slapd->wrong_name_uri, sizeof slapd->wrong_name_uri, "ldap://localhost:%u", port);
	snprintf(slapd->wrong_name_tls_uri, sizeof slapd->wrong_name_tls_uri, "ldaps://localhost:%u", tls_port);
	out += sprintf(out, "ldapi://");
	for (const char *p = slapd->scratch.dir; *p; p++)
		out += *p == '/' ? sprintf(out, "%%2F") : sprintf(out, "%c", *p);
	sprintf(out, "%%2Fldapi");
}

static bool is_up(struct slapd *slapd)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof sun.sun_path, "%s/ldapi", slapd->scratch.dir);
	bool ok = connect(fd, (const struct sockaddr *)&sun, sizeof sun) == 0;
	close(fd);
	return ok;
}

/* ---- the server ---- */

/* False: it has ended, or takes too long. */
static bool wait_up(struct slapd *slapd)
{
	for (int i = 0; i < START_TRIES; i++) {
		if (waitpid(slapd->pid, NULL, WNOHANG) == slapd->pid) {
			slapd->pid = 0;
			return false;
		}
		if (is_up(slapd))
			return true;
		poll(NULL, 0, 20);
	}
	slapd_kill(slapd);
	return false;
}

static bool try_start(struct slapd *slapd)
{
	char *program = in_dir(slapd, "slapd"), *conf = in_dir(slapd, "slapd.conf");
	char urls[512];

	snprintf(urls, sizeof urls, "%s %s %s", slapd->ldap_uri, slapd->ldaps_uri, slapd->ldapi_uri);
	slapd->pid = spawn(slapd, "slapd", (const char *const[]){program, "-f", conf, "-h", urls, "-d", "0", NULL});
	free(program);
	free(conf);
	return wait_up(slapd);
}

static void give_up(struct slapd *slapd)
{
	show_log(slapd, "slapd");
	die("slapd", "does not start");
}

void slapd_start(struct slapd *slapd)
{
	for (int i = 0; i < SPAWN_TRIES; i++) {
		if (try_start(slapd))
			return;
		poll(NULL, 0, 100);
	}
	give_up(slapd);
}

void slapd_init(struct slapd *slapd)
{
	*slapd = (struct slapd){0};
	scratch_init(&slapd->scratch);
	char *conf = in_dir(slapd, "slapd.conf"), *ldif = in_dir(slapd, "data.ldif"), *db = in_dir(slapd, "db");
	char *program = in_dir(slapd, "slapd");

	copy_program(slapd);
	make_certificates(slapd);
	write_conf(slapd, conf);
	write_ldif(ldif);
	run(slapd, "mkdir", (const char *const[]){"mkdir", db, NULL});
	run(slapd, "slapadd", (const char *const[]){program, "-T", "add", "-q", "-f", conf, "-l", ldif, NULL});
	free(conf);
	free(ldif);
	free(db);
	free(program);
	choose_addresses(slapd);
	slapd_start(slapd);
}

void slapd_demand_certificates(struct slapd *slapd, bool demands)
{
	char *conf = in_dir(slapd, "slapd.conf");

	slapd_kill(slapd);
	slapd->wants_certificate = demands;
	write_conf(slapd, conf);
	free(conf);
	slapd_start(slapd);
}

void slapd_kill(struct slapd *slapd)
{
	if (slapd->pid == 0)
		return;
	kill(slapd->pid, SIGKILL);
	waitpid(slapd->pid, NULL, 0);
	slapd->pid = 0;
}

void slapd_signal(struct slapd *slapd, int sig)
{
	if (!slapd->pid)
		return;
	kill(slapd->pid, sig);
	/* Each of its threads stops in its own time. */
	if (sig == SIGSTOP)
		waitpid(slapd->pid, NULL, WUNTRACED);
}

void slapd_fini(struct slapd *slapd)
{
	slapd_kill(slapd);
	for (size_t i = 0; i < 2; i++)
		close(slapd->port_fds[i]);
	scratch_fini(&slapd->scratch);
}
