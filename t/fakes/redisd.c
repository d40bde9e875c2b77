/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "src/base/base.h"
#include "t/fakes/redisd.h"

enum { START_TRIES = 500, SPAWN_TRIES = 20 };

static void die(const char *what, const char *hint)
{
	fprintf(stderr, "%s: %s\n", what, hint);
	exit(EXIT_FAILURE);
}

static pid_t spawn(struct redisd *redisd, const char *const *argv)
{
	char log[128];
	char *args[32] = {NULL};

	snprintf(log, sizeof log, "%s/log", redisd->scratch.dir);
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

static void show_log(struct redisd *redisd)
{
	char path[128], line[512];

	snprintf(path, sizeof path, "%s/log", redisd->scratch.dir);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		fputs(line, stderr);
	if (f)
		fclose(f);
}

static unsigned free_port(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&sin, sizeof sin) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) != 0)
		die("a free port", "there is none");
	close(fd);
	return ntohs(sin.sin_port);
}

static void make_certificate(struct redisd *redisd)
{
	char key[128];
	int status;

	snprintf(key, sizeof key, "%s/key.pem", redisd->scratch.dir);
	pid_t pid = spawn(redisd, (const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=redis.example.net", "-addext", "subjectAltName=IP:127.0.0.1",
		"-days", "2", "-keyout", key, "-out", redisd->ca_file, NULL});
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	show_log(redisd);
	die("openssl", "is missing or failed");
}

/* What mxward(8) says that its user needs, and no more. */
static void write_conf(struct redisd *redisd)
{
	char path[128], text[2048];
	const char *dir = redisd->scratch.dir;

	snprintf(path, sizeof path, "%s/redis.conf", dir);
	snprintf(text, sizeof text,
		 "bind 127.0.0.1\nport %u\ntls-port %u\ntls-cert-file %s\ntls-key-file %s/key.pem\ntls-auth-clients no\n"
		 "unixsocket %s/redis.sock\ndir %s\nsave \"\"\nappendonly %s\nappendfsync always\ndaemonize no\n"
		 "user mxward on >opensesame resetkeys ~mxward:* -@all +select +get +set +script|load +evalsha +time +hlen +hgetall +hset"
		 " +hdel +del +pexpire +zadd +zrem +zrangebyscore\n",
		 redisd->port, redisd->tls_port, redisd->ca_file, dir, dir, dir, redisd->keeps_data ? "yes" : "no");
	scratch_write(path, text, strlen(text));
}

static bool is_up(struct redisd *redisd)
{
	char *reply = REDISD_ASK(redisd, "PING");
	bool is = strcmp(reply, "PONG") == 0;

	free(reply);
	return is;
}

/* False: it has ended, or takes too long. */
static bool wait_up(struct redisd *redisd)
{
	for (int i = 0; i < START_TRIES; i++) {
		if (waitpid(redisd->pid, NULL, WNOHANG) == redisd->pid) {
			redisd->pid = 0;
			return false;
		}
		if (is_up(redisd))
			return true;
		poll(NULL, 0, 10);
	}
	redisd_kill(redisd);
	return false;
}

static bool try_start(struct redisd *redisd)
{
	char conf[128];

	write_conf(redisd);
	snprintf(conf, sizeof conf, "%s/redis.conf", redisd->scratch.dir);
	redisd->pid = spawn(redisd, (const char *const[]){"redis-server", conf, NULL});
	return wait_up(redisd);
}

static void give_up(struct redisd *redisd)
{
	show_log(redisd);
	die("redis-server", "is missing or does not start (Debian: redis-server, Fedora: redis)");
}

/* While it does not run some connection of another program may have its port as its own end: it is tried again when that is over. */
void redisd_start(struct redisd *redisd)
{
	for (int i = 0; i < SPAWN_TRIES; i++) {
		if (try_start(redisd))
			return;
		poll(NULL, 0, 100);
	}
	give_up(redisd);
}

static void choose_addresses(struct redisd *redisd)
{
	redisd->port = free_port();
	redisd->tls_port = free_port();
	snprintf(redisd->server, sizeof redisd->server, "127.0.0.1:%u", redisd->port);
	snprintf(redisd->tls_server, sizeof redisd->tls_server, "127.0.0.1:%u", redisd->tls_port);
	snprintf(redisd->wrong_name_server, sizeof redisd->wrong_name_server, "localhost:%u", redisd->tls_port);
}

/* Nobody knows its ports yet: where another program has taken one meanwhile, others will do as well. */
static void start_first(struct redisd *redisd)
{
	for (int i = 0; i < SPAWN_TRIES; i++) {
		choose_addresses(redisd);
		if (try_start(redisd))
			return;
	}
	give_up(redisd);
}

void redisd_init(struct redisd *redisd)
{
	*redisd = (struct redisd){0};
	scratch_init(&redisd->scratch);
	const char *dir = redisd->scratch.dir;
	snprintf(redisd->unix_server, sizeof redisd->unix_server, "unix:%s/redis.sock", dir);
	snprintf(redisd->ca_file, sizeof redisd->ca_file, "%s/ca.pem", dir);
	snprintf(redisd->password_file, sizeof redisd->password_file, "%s/password", dir);
	scratch_write(redisd->password_file, "opensesame\n", 11);
	chmod(redisd->password_file, 0600);
	make_certificate(redisd);
	start_first(redisd);
}

void redisd_kill(struct redisd *redisd)
{
	if (redisd->pid == 0)
		return;
	kill(redisd->pid, SIGKILL);
	waitpid(redisd->pid, NULL, 0);
	redisd->pid = 0;
}

void redisd_signal(struct redisd *redisd, int sig)
{
	if (!redisd->pid)
		return;
	kill(redisd->pid, sig);
	/* Each of its threads stops in its own time. */
	if (sig == SIGSTOP)
		waitpid(redisd->pid, NULL, WUNTRACED);
}

void redisd_fini(struct redisd *redisd)
{
	redisd_kill(redisd);
	scratch_fini(&redisd->scratch);
}

static void add_reply(struct mxw__buf *buf, const redisReply *reply)
{
	switch (reply->type) {
	case REDIS_REPLY_ARRAY:
		for (size_t i = 0; i < reply->elements; i++) {
			add_reply(buf, reply->element[i]);
			mxw__buf_addc(buf, '\n');
		}
		break;
	case REDIS_REPLY_INTEGER:
		mxw__buf_addf(buf, "%lld", reply->integer);
		break;
	case REDIS_REPLY_NIL:
		break;
	default:
		mxw__buf_add(buf, reply->str, reply->len);
	}
}

char *redisd_ask(struct redisd *redisd, const char *const *argv)
{
	redisContext *c = redisConnectWithTimeout("127.0.0.1", (int)redisd->port, (struct timeval){5, 0});
	struct mxw__buf buf;
	size_t lens[16];
	int n = 0;

	for (; argv[n] && n < 16; n++)
		lens[n] = strlen(argv[n]);
	mxw__buf_init(&buf, 1 << 20);
	if (c && !c->err)
		redisSetTimeout(c, (struct timeval){5, 0});
	redisReply *reply = c && !c->err ? redisCommandArgv(c, n, (const char **)(uintptr_t)argv, lens) : NULL;
	if (reply)
		add_reply(&buf, reply);
	freeReplyObject(reply);
	if (c)
		redisFree(c);
	char *text = buf.len ? mxw__buf_take(&buf) : strdup("");
	mxw__buf_fini(&buf);
	return text;
}
