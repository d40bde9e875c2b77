/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables: one per section. mxward.conf(5) says what each option is for. */
#include "config.h"

#include "src/conf/schema.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/* The place of a field in its struct. */
#define AT(type, field) .offset = offsetof(struct type, field), .size = sizeof(((struct type *)0)->field)
#define RANGE(lo, hi) .min = (lo), .max = (hi)

static const struct mxw__option top[] = {
	{"socket", MXW__OPT_TEXT, "unix:" MXW_RUNDIR "/mxward.sock", AT(mxw_conf, daemon.socket),
		.check = mxw__check_socket},
	{"socket-mode", MXW__OPT_MODE, "0660", AT(mxw_conf, daemon.socket_mode), RANGE(0, 0777)},
	{"socket-group", MXW__OPT_TEXT, "", AT(mxw_conf, daemon.socket_group), .check = mxw__check_name},
	{"control-socket", MXW__OPT_TEXT, "unix:" MXW_RUNDIR "/control.sock", AT(mxw_conf, daemon.control_socket),
		.check = mxw__check_control_socket},
	{"control-mode", MXW__OPT_MODE, "0600", AT(mxw_conf, daemon.control_mode), RANGE(0, 0777)},
	{"control-group", MXW__OPT_TEXT, "", AT(mxw_conf, daemon.control_group), .check = mxw__check_name},
	{"user", MXW__OPT_TEXT, "", AT(mxw_conf, daemon.user), .check = mxw__check_name},
	{"pid-file", MXW__OPT_PATH, "", AT(mxw_conf, daemon.pid_file)},
	{"state-dir", MXW__OPT_PATH, MXW_STATEDIR, AT(mxw_conf, daemon.state_dir)},
	{"authserv-id", MXW__OPT_TEXT, "the host name", AT(mxw_conf, authserv_id),
		.flags = MXW__OPT_COMPUTED | MXW__OPT_LOWER, .check = mxw__check_authserv_id},
	{"helo-names", MXW__OPT_LIST, NULL, AT(mxw_conf, helo_names), .flags = MXW__OPT_IDN,
		.check = mxw__check_domain},
	{"mode", MXW__OPT_CHOICE, "enforce", AT(mxw_conf, observe), .words = "enforce observe"},
	{"authentication-results", MXW__OPT_CHOICE, "yes", AT(mxw_conf, auth.add_results), .words = "no yes"},
	{"foreign-results", MXW__OPT_CHOICE, "keep", AT(mxw_conf, auth.foreign_results), .words = "keep rename remove"},
	{"syslog-facility", MXW__OPT_WORD, "mail", AT(mxw_conf, daemon.syslog_facility),
		.words = "mail daemon auth authpriv user local0 local1 local2 local3 local4 local5 local6 local7"},
	{"log-level", MXW__OPT_WORD, "info", AT(mxw_conf, daemon.log_level), .words = "error warning info debug"},
	{"drain-timeout", MXW__OPT_DURATION, "10s", AT(mxw_conf, daemon.drain_timeout_ms), RANGE(0, 5 * MINUTE)},
	{"include", MXW__OPT_OTHER, .deflt = NULL},
};

static const struct mxw__option networks[] = {
	{"internal", MXW__OPT_NETWORKS, "127.0.0.0/8 ::1", AT(mxw_conf, internal)},
	{"relays", MXW__OPT_NETWORKS, NULL, AT(mxw_conf, relays)},
	{"forwarders", MXW__OPT_NETWORKS, NULL, AT(mxw_conf, forwarders)},
};

static const struct mxw__option resolver[] = {
	{"forward", MXW__OPT_LIST, NULL, AT(mxw_conf, resolver.forward), .check = mxw__check_forward},
	{"local-data", MXW__OPT_PATHS, NULL, AT(mxw_conf, resolver.local_data), .flags = MXW__OPT_READABLE},
	{"timeout", MXW__OPT_DURATION, "3s", AT(mxw_conf, resolver.timeout_ms), RANGE(100, 8 * SECOND)},
	{"max-open", MXW__OPT_NUMBER, "2000", AT(mxw_conf, resolver.max_open), RANGE(16, 65535)},
	{"cache-entries", MXW__OPT_NUMBER, "50000", AT(mxw_conf, resolver.cache_entries), RANGE(100, 10000000)},
	{"client-rate", MXW__OPT_NUMBER, "100", AT(mxw_conf, resolver.client_rate), RANGE(0, 100000)},
	{"client-burst", MXW__OPT_NUMBER, "1000", AT(mxw_conf, resolver.client_burst), RANGE(1, 1000000)},
	{"zone-rate", MXW__OPT_NUMBER, "50", AT(mxw_conf, resolver.zone_rate), RANGE(0, 100000)},
	{"zone-burst", MXW__OPT_NUMBER, "500", AT(mxw_conf, resolver.zone_burst), RANGE(1, 1000000)},
	{"unlimited-zones", MXW__OPT_LIST, NULL, AT(mxw_conf, resolver.unlimited_zones), .flags = MXW__OPT_IDN,
		.check = mxw__check_domain},
	{"positive-lifetime-max", MXW__OPT_DURATION, "1h", AT(mxw_conf, resolver.positive_max_ms), RANGE(SECOND, DAY)},
	/* RFC 2308 section 5: one to three hours have been found to work well; section 7.1: five minutes at most. */
	{"negative-lifetime-max", MXW__OPT_DURATION, "15m", AT(mxw_conf, resolver.negative_max_ms), RANGE(5 * SECOND, HOUR)},
	{"failure-lifetime-max", MXW__OPT_DURATION, "30s", AT(mxw_conf, resolver.failure_max_ms),
		RANGE(5 * SECOND, 5 * MINUTE)},
	{"trust-anchor-file", MXW__OPT_PATH, "", AT(mxw_conf, resolver.trust_anchor_file), .flags = MXW__OPT_READABLE},
};

static const struct mxw__option timeouts[] = {
	/* sendmail gives a milter 10 s for an answer. */
	{"before-data", MXW__OPT_DURATION, "8s", AT(mxw_conf, timeouts.before_data_ms), RANGE(SECOND, 9500)},
	{"end-of-message", MXW__OPT_DURATION, "20s", AT(mxw_conf, timeouts.end_of_message_ms), RANGE(SECOND, 4 * MINUTE)},
	{"concealed-reply", MXW__OPT_DURATION, "1s", AT(mxw_conf, timeouts.concealed_reply_ms), RANGE(100, 8 * SECOND)},
};

static const struct mxw__option limits[] = {
	{"header-bytes", MXW__OPT_SIZE, "1M", AT(mxw_conf, limits.header_bytes), RANGE(16 * KIB, 64 * MIB)},
	/* What the milter protocol can be made to carry: libmilter knows 64 KiB, 256 KiB and 1 MiB. */
	{"header-field-bytes", MXW__OPT_SIZE, "1M", AT(mxw_conf, limits.header_field_bytes), RANGE(64 * KIB, MIB)},
	{"recipients", MXW__OPT_NUMBER, "1000", AT(mxw_conf, limits.recipients), RANGE(100, 100000)},
	{"signatures", MXW__OPT_NUMBER, "10", AT(mxw_conf, limits.signatures), RANGE(1, 100)},
	{"session-dns", MXW__OPT_NUMBER, "250", AT(mxw_conf, limits.session_dns), RANGE(20, 100000)},
	{"sessions", MXW__OPT_NUMBER, "2000", AT(mxw_conf, limits.sessions), RANGE(1, 100000)},
	{"concealed-sessions", MXW__OPT_NUMBER, "100", AT(mxw_conf, limits.concealed_sessions), RANGE(0, 100000)},
	{"held-sessions", MXW__OPT_NUMBER, "100", AT(mxw_conf, limits.held_sessions), RANGE(0, 100000)},
};

static const struct mxw__option spf[] = {
	{"enabled", MXW__OPT_CHOICE, "yes", AT(mxw_conf, auth.spf_enabled), .words = "no yes"},
	/* More than the large providers together, less than a network of 8 bits. */
	{"broad-limit", MXW__OPT_NUMBER, "4194304", AT(mxw_conf, auth.spf_broad_limit), RANGE(1, INT64_C(1) << 48)},
	{"received-spf", MXW__OPT_CHOICE, "no", AT(mxw_conf, auth.spf_add_received), .words = "no yes"},
};

static const struct mxw__option dkim[] = {
	{"enabled", MXW__OPT_CHOICE, "yes", AT(mxw_conf, auth.dkim_enabled), .words = "no yes"},
	/* RFC 8301 section 3.2: shorter keys prove nothing. */
	{"min-key-bits", MXW__OPT_NUMBER, "1024", AT(mxw_conf, auth.dkim_min_key_bits), RANGE(1024, 4096)},
	{"trust-length", MXW__OPT_CHOICE, "no", AT(mxw_conf, auth.dkim_trust_length), .words = "no yes"},
	{"testing-keys", MXW__OPT_CHOICE, "count", AT(mxw_conf, auth.dkim_ignore_testing), .words = "count ignore"},
};

static const struct mxw__option dmarc[] = {
	{"enabled", MXW__OPT_CHOICE, "yes", AT(mxw_conf, dmarc.enabled), .words = "no yes"},
	{"arc-sealers", MXW__OPT_LIST, NULL, AT(mxw_conf, dmarc.arc_sealers), .flags = MXW__OPT_IDN, .check = mxw__check_domain},
	{"keep-evaluations", MXW__OPT_DURATION, "2d", AT(mxw_conf, dmarc.keep_evaluations_ms), RANGE(0, 90 * DAY)},
	{"max-evaluations", MXW__OPT_NUMBER, "1000000", AT(mxw_conf, dmarc.max_evaluations), RANGE(1000, 100000000)},
};

#define POINTS(name, deflt, event) \
	{name, MXW__OPT_NUMBER, deflt, AT(mxw_conf, tracker.weights[MXW__EVENT_##event]), RANGE(0, 1000)}
static const struct mxw__option tracker[] = {
	{"enabled", MXW__OPT_CHOICE, "yes", AT(mxw_conf, tracker.enabled), .words = "no yes"},
	{"half-life", MXW__OPT_DURATION, "1h", AT(mxw_conf, tracker.half_life_ms), RANGE(MINUTE, 30 * DAY)},
	{"history-half-life", MXW__OPT_DURATION, "14d", AT(mxw_conf, tracker.history_half_life_ms), RANGE(HOUR, 365 * DAY)},
	{"credit", MXW__OPT_NUMBER, "50", AT(mxw_conf, tracker.credit), RANGE(0, 10000)},
	{"keys", MXW__OPT_LIST, "address network wide helo domain user", AT(mxw_conf, tracker.keys), .check = mxw__check_key_kind},
	{"max-entries", MXW__OPT_NUMBER, "200000", AT(mxw_conf, tracker.max_entries), RANGE(1000, 50000000)},
	{"max-bytes", MXW__OPT_SIZE, "64M", AT(mxw_conf, tracker.max_bytes), RANGE(MIB, 1024 * 1024 * MIB)},
	{"save-interval", MXW__OPT_DURATION, "5s", AT(mxw_conf, tracker.save_interval_ms), RANGE(SECOND, HOUR)},
	{"harvest-window", MXW__OPT_DURATION, "1h", AT(mxw_conf, tracker.harvest_window_ms), RANGE(MINUTE, 7 * DAY)},
	{"harvest-entries", MXW__OPT_NUMBER, "20000", AT(mxw_conf, tracker.harvest_entries), RANGE(100, 1000000)},
	{"traps", MXW__OPT_LIST, NULL, AT(mxw_conf, tracker.traps), .check = mxw__check_trap},
	{"site-harvest", MXW__OPT_NUMBER, "100", AT(mxw_conf, tracker.site_harvest), RANGE(0, 3000)},
	{"nat-helo-names", MXW__OPT_NUMBER, "10", AT(mxw_conf, tracker.nat_helo_names), RANGE(0, 1000)},
	{"nat-window", MXW__OPT_DURATION, "1d", AT(mxw_conf, tracker.nat_window_ms), RANGE(10 * MINUTE, 30 * DAY)},
	{"sightings", MXW__OPT_NUMBER, "100000", AT(mxw_conf, tracker.sightings), RANGE(1000, 10000000)},
	{"sighting-window", MXW__OPT_DURATION, "1h", AT(mxw_conf, tracker.sighting_window_ms), RANGE(10 * MINUTE, DAY)},
	{"primary-alive", MXW__OPT_DURATION, "2m", AT(mxw_conf, tracker.primary_alive_ms), RANGE(10 * SECOND, HOUR)},
	/* Below what any rule goes by. */
	{"unfinished-most", MXW__OPT_NUMBER, "15", AT(mxw_conf, tracker.unfinished_most), RANGE(0, 100000)},
	POINTS("unknown-recipient", "10", UNKNOWN_RCPT),
	POINTS("rejected-recipient", "10", REJECTED_RCPT),
	POINTS("trap-recipient", "100", TRAP_RCPT),
	POINTS("relay-attempt", "20", RELAY_ATTEMPT),
	POINTS("unknown-command", "5", UNKNOWN_COMMAND),
	POINTS("abort", "2", ABORT),
	POINTS("no-message", "1", NO_MESSAGE),
	POINTS("helo-forged", "20", HELO_FORGED),
	POINTS("own-domain-forged", "10", OWN_DOMAIN_FORGED),
	POINTS("spf-fail", "5", SPF_FAIL),
	POINTS("dmarc-fail", "5", DMARC_FAIL),
	POINTS("from-bad", "10", FROM_BAD),
	POINTS("listed", "1", LISTED),
	POINTS("over-limit", "5", OVER_LIMIT),
	POINTS("backup-first", "20", BACKUP_FIRST),
	POINTS("bounce-forged", "5", BOUNCE_FORGED),
	POINTS("auth-failure", "10", AUTH_FAILURE),
	POINTS("spam", "20", SPAM),
	POINTS("reported", "10", REPORTED),
	POINTS("accepted-recipient", "1", ACCEPTED_RCPT),
	POINTS("aligned-message", "3", ALIGNED_MESSAGE),
};

static const struct mxw__option bounce_proof[] = {
	{"domains", MXW__OPT_LIST, NULL, AT(mxw_conf, bounce.domains), .flags = MXW__OPT_IDN, .check = mxw__check_domain},
	{"key-file", MXW__OPT_PATHS, NULL, AT(mxw_conf, bounce.key_files)},
	{"mode", MXW__OPT_CHOICE, "learn", AT(mxw_conf, bounce.mode), .words = "off learn enforce"},
	{"lifetime", MXW__OPT_DURATION, "7d", AT(mxw_conf, bounce.lifetime_ms), RANGE(DAY, 30 * DAY)},
	{"exempt-senders", MXW__OPT_LIST, NULL, AT(mxw_conf, bounce.exempt_senders), .check = mxw__check_address_pattern},
	{"exempt-recipients", MXW__OPT_LIST, NULL, AT(mxw_conf, bounce.exempt_recipients), .check = mxw__check_address_pattern},
	{"exempt-networks", MXW__OPT_NETWORKS, NULL, AT(mxw_conf, bounce.exempt_networks)},
};

static const struct mxw__option greylist[] = {
	{"delay", MXW__OPT_DURATION, "5m", AT(mxw_conf, greylist.delay_ms), RANGE(SECOND, DAY)},
	{"retry-window", MXW__OPT_DURATION, "2d", AT(mxw_conf, greylist.retry_window_ms), RANGE(MINUTE, 30 * DAY)},
	{"known-for", MXW__OPT_DURATION, "35d", AT(mxw_conf, greylist.known_for_ms), RANGE(HOUR, 400 * DAY)},
	{"client-delay", MXW__OPT_DURATION, "1h", AT(mxw_conf, greylist.client_delay_ms), RANGE(SECOND, DAY)},
	{"known-after", MXW__OPT_DURATION, "2d", AT(mxw_conf, greylist.known_after_ms), RANGE(0, 60 * DAY)},
	{"auto-allow", MXW__OPT_NUMBER, "1", AT(mxw_conf, greylist.auto_allow), RANGE(0, 1000)},
	{"max-entries", MXW__OPT_NUMBER, "100000", AT(mxw_conf, greylist.max_entries), RANGE(1000, 10000000)},
};

static const struct mxw__option rates[] = {
	{"limit", MXW__OPT_ROWS, .deflt = NULL},
	{"max-entries", MXW__OPT_NUMBER, "100000", AT(mxw_conf, rates.max_entries), RANGE(1000, 10000000)},
};

#define QUOTA(name, deflt, whose, what, max) \
	{name, MXW__OPT_RATE, deflt, AT(mxw_conf, outbound.whose[MXW__QUOTA_##what]), RANGE(0, max)}
#define STAGE(name, deflt, stage) \
	{name, MXW__OPT_NUMBER, deflt, AT(mxw_conf, outbound.percent[MXW__OUTBOUND_##stage]), RANGE(0, 300)}
static const struct mxw__option outbound[] = {
	{"enabled", MXW__OPT_CHOICE, "yes", AT(mxw_conf, outbound.enabled), .words = "no yes"},
	/* No person writes so much; who sends for a purpose gets a quota of his own. */
	QUOTA("messages", "200/1h", user_quotas, MESSAGES, 1000000000),
	QUOTA("recipients", "1000/1d", user_quotas, RCPTS, 1000000000),
	QUOTA("different-recipients", "500/1d", user_quotas, DIFFERENT_RCPTS, 1000),
	QUOTA("networks", "10/1h", user_quotas, NETWORKS, 1000),
	{"unknown-share", MXW__OPT_NUMBER, "30", AT(mxw_conf, outbound.user_quotas[MXW__QUOTA_UNKNOWN_SHARE].count), RANGE(0, 100)},
	{"unknown-min", MXW__OPT_NUMBER, "20", AT(mxw_conf, outbound.unknown_min), RANGE(1, 100000)},
	QUOTA("host-messages", "2000/1h", host_quotas, MESSAGES, 1000000000),
	QUOTA("host-recipients", "20000/1d", host_quotas, RCPTS, 1000000000),
	{"host-unknown-share", MXW__OPT_NUMBER, "30", AT(mxw_conf, outbound.host_quotas[MXW__QUOTA_UNKNOWN_SHARE].count), RANGE(0, 100)},
	STAGE("warn-at", "80", WARN),
	STAGE("slow-at", "100", SLOW),
	STAGE("hold-at", "150", HOLD),
	STAGE("suspend-at", "200", SUSPENDED),
	{"host-stage", MXW__OPT_CHOICE, "warn", AT(mxw_conf, outbound.host_stage), .words = "ok warn slow hold suspended"},
	{"suspend-for", MXW__OPT_DURATION, "0", AT(mxw_conf, outbound.suspend_for_ms), RANGE(0, 365 * DAY)},
	{"exempt", MXW__OPT_LIST, NULL, AT(mxw_conf, outbound.exempt), .check = mxw__check_length},
	{"quota", MXW__OPT_ROWS, .deflt = NULL},
	{"notice-command", MXW__OPT_LIST, NULL, AT(mxw_conf, outbound.notice_command), .check = mxw__check_length},
	{"notice-mail", MXW__OPT_TEXT, "", AT(mxw_conf, outbound.notice_mail), .check = mxw__check_mail_address},
	{"notice-server", MXW__OPT_TEXT, "127.0.0.1:25", AT(mxw_conf, outbound.notice_server), .check = mxw__check_host_port},
	{"notice-timeout", MXW__OPT_DURATION, "30s", AT(mxw_conf, outbound.notice_timeout_ms), RANGE(SECOND, 10 * MINUTE)},
};

static const struct mxw__option recipient_cache[] = {
	/* Fewer than 64 sets of 16 there can't be. */
	{"entries", MXW__OPT_NUMBER, "100000", AT(mxw_conf, recipient_cache.entries), RANGE(1024, 50000000)},
	{"save-interval", MXW__OPT_DURATION, "5m", AT(mxw_conf, recipient_cache.save_interval_ms), RANGE(SECOND, DAY)},
};

static const struct mxw__option redis[] = {
	{"servers", MXW__OPT_LIST, NULL, AT(mxw_conf, redis.servers), .check = mxw__check_redis_server},
	{"user", MXW__OPT_TEXT, "", AT(mxw_conf, redis.user), .check = mxw__check_length},
	{"password-file", MXW__OPT_PATH, "", AT(mxw_conf, redis.password_file)},
	{"database", MXW__OPT_NUMBER, "0", AT(mxw_conf, redis.database), RANGE(0, 65535)},
	{"prefix", MXW__OPT_TEXT, "mxward:", AT(mxw_conf, redis.prefix), .check = mxw__check_redis_prefix},
	{"tls", MXW__OPT_CHOICE, "no", AT(mxw_conf, redis.tls), .words = "no yes"},
	{"tls-ca-file", MXW__OPT_PATH, "", AT(mxw_conf, redis.tls_ca_file), .flags = MXW__OPT_READABLE},
	{"tls-certificate-file", MXW__OPT_PATH, "", AT(mxw_conf, redis.tls_certificate_file), .flags = MXW__OPT_READABLE},
	{"tls-key-file", MXW__OPT_PATH, "", AT(mxw_conf, redis.tls_key_file)},
	{"wait", MXW__OPT_DURATION, "5ms", AT(mxw_conf, redis.wait_ms), RANGE(0, 8)},
	{"timeout", MXW__OPT_DURATION, "200ms", AT(mxw_conf, redis.timeout_ms), RANGE(20, 10 * SECOND)},
	{"connect-timeout", MXW__OPT_DURATION, "1s", AT(mxw_conf, redis.connect_timeout_ms), RANGE(20, 10 * SECOND)},
	{"retry", MXW__OPT_DURATION, "1s", AT(mxw_conf, redis.retry_ms), RANGE(100, 30 * SECOND)},
	{"push-interval", MXW__OPT_DURATION, "500ms", AT(mxw_conf, redis.push_interval_ms), RANGE(20, MINUTE)},
};

#define TYPE_FILE (1u << MXW__DIRECTORY_FILE)
#define TYPE_SYSTEM (1u << MXW__DIRECTORY_SYSTEM)
#define TYPE_LDAP (1u << MXW__DIRECTORY_LDAP)
#define TYPE_SQLITE (1u << MXW__DIRECTORY_SQLITE)
#define TYPE_CALL_AHEAD (1u << MXW__DIRECTORY_CALL_AHEAD)
/* Those whose answers are kept: struct mxw__directory_ops.is_remote. */
#define TYPES_REMOTE (TYPE_LDAP | TYPE_SQLITE | TYPE_CALL_AHEAD)
/* Those that are asked over a network. */
#define TYPES_NETWORK (TYPE_LDAP | TYPE_CALL_AHEAD)
static const struct mxw__option directory[] = {
	{"type", MXW__OPT_CHOICE, NULL, AT(mxw__directory_conf, type), .words = "file system ldap sqlite call-ahead",
		.flags = MXW__OPT_REQUIRED},
	{"path", MXW__OPT_PATH, "", AT(mxw__directory_conf, path), .types = TYPE_FILE,
		.flags = MXW__OPT_REQUIRED | MXW__OPT_READABLE, .check = mxw__check_address_file},
	{"format", MXW__OPT_CHOICE, "plain", AT(mxw__directory_conf, format), .types = TYPE_FILE,
		.words = "plain postfix postfix-access virtusertable access"},
	{"passwd-file", MXW__OPT_PATH, "", AT(mxw__directory_conf, passwd_file), .types = TYPE_SYSTEM,
		.flags = MXW__OPT_READABLE},
	{"aliases-file", MXW__OPT_PATHS, "/etc/aliases", AT(mxw__directory_conf, aliases_files), .types = TYPE_SYSTEM,
		.flags = MXW__OPT_READABLE, .check = mxw__check_address_file},
	{"min-uid", MXW__OPT_NUMBER, "0", AT(mxw__directory_conf, min_uid), .types = TYPE_SYSTEM, RANGE(0, UINT32_MAX)},
	{"database", MXW__OPT_PATH, "", AT(mxw__directory_conf, database), .types = TYPE_SQLITE,
		.flags = MXW__OPT_REQUIRED | MXW__OPT_READABLE},
	{"query", MXW__OPT_TEXT, "", AT(mxw__directory_conf, query), .types = TYPE_SQLITE, .flags = MXW__OPT_REQUIRED,
		.check = mxw__check_sql_query},
	{"class-column", MXW__OPT_CHOICE, "no", AT(mxw__directory_conf, class_column), .words = "no yes", .types = TYPE_SQLITE},
	{"preset", MXW__OPT_CHOICE, "custom", AT(mxw__directory_conf, preset), .types = TYPE_LDAP,
		.words = "custom openldap active-directory 389ds rfc822-mail-member"},
	{"uri", MXW__OPT_LIST, NULL, AT(mxw__directory_conf, uris), .types = TYPE_LDAP, .flags = MXW__OPT_REQUIRED,
		.check = mxw__check_ldap_uri},
	{"server-order", MXW__OPT_CHOICE, "failover", AT(mxw__directory_conf, spread), .types = TYPE_LDAP,
		.flags = MXW__OPT_SAME_ANSWERS, .words = "failover spread"},
	{"base", MXW__OPT_LIST, NULL, AT(mxw__directory_conf, bases), .types = TYPE_LDAP, .flags = MXW__OPT_REQUIRED,
		.check = mxw__check_ldap_base},
	{"filter", MXW__OPT_TEXT, "(mail={addr})", AT(mxw__directory_conf, filter), .types = TYPE_LDAP,
		.flags = MXW__OPT_PRESET, .check = mxw__check_ldap_filter},
	{"scope", MXW__OPT_WORD, "sub", AT(mxw__directory_conf, scope), .words = "sub one base", .types = TYPE_LDAP},
	{"class-attribute", MXW__OPT_TEXT, "", AT(mxw__directory_conf, class_attribute), .types = TYPE_LDAP,
		.flags = MXW__OPT_PRESET, .check = mxw__check_ldap_attribute},
	{"internal-only-attribute", MXW__OPT_TEXT, "", AT(mxw__directory_conf, internal_only_attribute), .types = TYPE_LDAP,
		.flags = MXW__OPT_PRESET, .check = mxw__check_ldap_attribute},
	{"disabled-attribute", MXW__OPT_TEXT, "", AT(mxw__directory_conf, disabled_attribute), .types = TYPE_LDAP,
		.flags = MXW__OPT_PRESET, .check = mxw__check_ldap_attribute},
	{"copy-filter", MXW__OPT_TEXT, "(mail=*)", AT(mxw__directory_conf, copy_filter), .types = TYPE_LDAP,
		.flags = MXW__OPT_PRESET | MXW__OPT_SAME_ANSWERS, .check = mxw__check_ldap_copy_filter},
	{"address-attributes", MXW__OPT_LIST, "mail", AT(mxw__directory_conf, address_attributes), .types = TYPE_LDAP,
		.flags = MXW__OPT_PRESET, .check = mxw__check_ldap_address_attribute},
	{"bind-method", MXW__OPT_CHOICE, "simple", AT(mxw__directory_conf, bind_external), .words = "simple external",
		.types = TYPE_LDAP},
	{"bind-dn", MXW__OPT_TEXT, "", AT(mxw__directory_conf, bind_dn), .types = TYPE_LDAP,
		.check = mxw__check_length},
	{"bind-password-file", MXW__OPT_PATH, "", AT(mxw__directory_conf, bind_password_file), .types = TYPE_LDAP,
		.flags = MXW__OPT_SAME_ANSWERS},
	{"starttls", MXW__OPT_CHOICE, "no", AT(mxw__directory_conf, starttls), .words = "no yes", .types = TYPE_LDAP},
	{"tls-ca-file", MXW__OPT_PATH, "", AT(mxw__directory_conf, tls_ca_file), .types = TYPES_NETWORK,
		.flags = MXW__OPT_READABLE},
	{"tls-certificate-file", MXW__OPT_PATH, "", AT(mxw__directory_conf, tls_certificate_file), .types = TYPE_LDAP,
		.flags = MXW__OPT_READABLE},
	{"tls-key-file", MXW__OPT_PATH, "", AT(mxw__directory_conf, tls_key_file), .types = TYPE_LDAP},
	{"connections", MXW__OPT_NUMBER, "4", AT(mxw__directory_conf, connections), .types = TYPES_REMOTE,
		.flags = MXW__OPT_SAME_ANSWERS, RANGE(1, 64)},
	{"timeout", MXW__OPT_DURATION, "3s", AT(mxw__directory_conf, timeout_ms), .types = TYPES_REMOTE,
		.flags = MXW__OPT_SAME_ANSWERS, RANGE(100, 9500)},
	{"connect-timeout", MXW__OPT_DURATION, "2s", AT(mxw__directory_conf, connect_timeout_ms), .types = TYPES_NETWORK,
		.flags = MXW__OPT_SAME_ANSWERS, RANGE(100, 9500)},
	{"retry", MXW__OPT_DURATION, "1s", AT(mxw__directory_conf, retry_ms), .types = TYPES_NETWORK,
		.flags = MXW__OPT_SAME_ANSWERS, RANGE(100, MINUTE)},
#define LIFETIME(name, deflt, field, max) \
	{name, MXW__OPT_DURATION, deflt, AT(mxw__directory_conf, field), .types = TYPES_REMOTE, \
		.flags = MXW__OPT_SAME_ANSWERS, RANGE(0, max)}
	LIFETIME("positive-lifetime", "1h", positive_lifetime_ms, 30 * DAY),
	LIFETIME("negative-lifetime", "2m", negative_lifetime_ms, DAY),
	LIFETIME("stale-lifetime", "7d", stale_lifetime_ms, 365 * DAY),
	{"hosts", MXW__OPT_LIST, NULL, AT(mxw__directory_conf, hosts), .types = TYPE_CALL_AHEAD,
		.flags = MXW__OPT_REQUIRED, .check = mxw__check_host_port},
	{"helo-name", MXW__OPT_TEXT, "the authserv-id", AT(mxw__directory_conf, helo_name), .types = TYPE_CALL_AHEAD,
		.flags = MXW__OPT_COMPUTED | MXW__OPT_LOWER, .check = mxw__check_domain},
	{"tls", MXW__OPT_CHOICE, "opportunistic", AT(mxw__directory_conf, tls), .words = "no opportunistic require",
		.types = TYPE_CALL_AHEAD, .flags = MXW__OPT_SAME_ANSWERS},
	{"accept-all-check", MXW__OPT_CHOICE, "yes", AT(mxw__directory_conf, accept_all_check), .words = "no yes",
		.types = TYPE_CALL_AHEAD},
	{"reference-recipient", MXW__OPT_TEXT, "", AT(mxw__directory_conf, reference_recipient),
		.types = TYPE_CALL_AHEAD, .check = mxw__check_local_part},
#define COPY(name, type, deflt, field, ...) \
	{name, type, deflt, AT(mxw__directory_conf, field), .types = TYPE_LDAP, .flags = MXW__OPT_SAME_ANSWERS, __VA_ARGS__}
	COPY("offline-copy", MXW__OPT_CHOICE, "no", offline_copy, .words = "no yes"),
	COPY("copy-interval", MXW__OPT_DURATION, "1h", copy_interval_ms, RANGE(MINUTE, 7 * DAY)),
	COPY("copy-max-age", MXW__OPT_DURATION, "1d", copy_max_age_ms, RANGE(MINUTE, 30 * DAY)),
	COPY("copy-max-addresses", MXW__OPT_NUMBER, "1000000", copy_max_addresses, RANGE(1, 5000000)),
	COPY("copy-confirmations", MXW__OPT_NUMBER, "3", copy_confirmations, RANGE(1, 100)),
};

static const struct mxw__option domain[] = {
	{"recipients", MXW__OPT_LIST, NULL, AT(mxw__domain_conf, directories), .flags = MXW__OPT_REQUIRED},
	{"on-failure", MXW__OPT_CHOICE, "defer", AT(mxw__domain_conf, on_failure), .words = "defer accept"},
	{"hosts", MXW__OPT_LIST, NULL, AT(mxw__domain_conf, hosts), .flags = MXW__OPT_IDN, .check = mxw__check_host},
	{"hosts-file", MXW__OPT_PATHS, NULL, AT(mxw__domain_conf, hosts_files), .flags = MXW__OPT_READABLE},
	{"domains-file", MXW__OPT_PATHS, NULL, AT(mxw__domain_conf, domains_files), .flags = MXW__OPT_READABLE},
	{"catch-all", MXW__OPT_CHOICE, "no", AT(mxw__domain_conf, catch_all), .words = "no yes"},
	{"recipient-delimiters", MXW__OPT_TEXT, "+", AT(mxw__domain_conf, delimiters), .check = mxw__check_delimiters},
	{"postmaster", MXW__OPT_CHOICE, "accept", AT(mxw__domain_conf, postmaster), .words = "accept look-up"},
};

static const struct mxw__option listener[] = {
	{"port", MXW__OPT_NUMBER, "0", AT(mxw__listener_conf, port), RANGE(0, 65535)},
	{"daemon-name", MXW__OPT_TEXT, "", AT(mxw__listener_conf, daemon_name), .check = mxw__check_length},
	{"backup", MXW__OPT_CHOICE, "no", AT(mxw__listener_conf, is_backup), .words = "no yes"},
};

static const struct mxw__option dnsbl[] = {
	{"zone", MXW__OPT_TEXT, "", AT(mxw__dnsbl_conf, zone), .flags = MXW__OPT_REQUIRED | MXW__OPT_LOWER,
		.check = mxw__check_dnsbl_zone},
	/* 127.0.0.255 means "you ask too much" at one large list, and all bits at once at none that is known. */
	{"codes", MXW__OPT_LIST, "127.0.0.2-127.0.0.254", AT(mxw__dnsbl_conf, codes), .check = mxw__check_dnsbl_codes},
	{"kind", MXW__OPT_CHOICE, "addresses", AT(mxw__dnsbl_conf, kind), .words = "addresses domains"},
	{"addresses", MXW__OPT_CHOICE, "both", AT(mxw__dnsbl_conf, addresses), .words = "both ipv4 ipv6"},
	{"ask", MXW__OPT_CHOICE, "organizational", AT(mxw__dnsbl_conf, ask), .words = "organizational full"},
	{"points", MXW__OPT_TEXT, "0", AT(mxw__dnsbl_conf, points_text), .check = mxw__check_dnsbl_points},
	{"result", MXW__OPT_ROWS, .deflt = NULL},
	{"test-points", MXW__OPT_LIST, "yes", AT(mxw__dnsbl_conf, test_points), .flags = MXW__OPT_IDN,
		.check = mxw__check_dnsbl_test_point},
	{"probe-interval", MXW__OPT_DURATION, "10m", AT(mxw__dnsbl_conf, probe_interval_ms), RANGE(MINUTE, DAY)},
};

static const struct mxw__option list[] = {
	{"file", MXW__OPT_PATH, "", AT(mxw__list_conf, file), .flags = MXW__OPT_READABLE},
	{"kind", MXW__OPT_CHOICE, "any", AT(mxw__list_conf, kind), .words = "any addresses names"},
	{"max-entries", MXW__OPT_NUMBER, "100000", AT(mxw__list_conf, max_entries), RANGE(10, 5000000)},
};

static const struct mxw__option rule[] = {
	{"at", MXW__OPT_OTHER, .deflt = NULL},
	{"when", MXW__OPT_OTHER, .deflt = NULL},
	{"if-unknown", MXW__OPT_OTHER, .deflt = "defer"},
	{"accept", MXW__OPT_OTHER, .deflt = NULL},
	{"defer", MXW__OPT_OTHER, .deflt = NULL},
	{"reject", MXW__OPT_OTHER, .deflt = NULL},
	{"disconnect", MXW__OPT_OTHER, .deflt = NULL},
	{"discard", MXW__OPT_OTHER, .deflt = NULL},
	{"conceal", MXW__OPT_OTHER, .deflt = NULL},
	{"greylist", MXW__OPT_OTHER, .deflt = NULL},
	{"hold", MXW__OPT_OTHER, .deflt = NULL},
	{"tarpit", MXW__OPT_OTHER, .deflt = NULL},
	{"tag", MXW__OPT_OTHER, .deflt = NULL},
};

const struct mxw__section mxw__sections[MXW__SECTION_COUNT] = {
#define OPTIONS(table) table, MXW_ARRAY_LEN(table)
	[MXW__SECTION_TOP] = {"", 0, 0, NULL, OPTIONS(top)},
	[MXW__SECTION_NETWORKS] = {"networks", 0, 0, NULL, OPTIONS(networks)},
	[MXW__SECTION_RESOLVER] = {"resolver", 0, 0, NULL, OPTIONS(resolver)},
	[MXW__SECTION_TIMEOUTS] = {"timeouts", 0, 0, NULL, OPTIONS(timeouts)},
	[MXW__SECTION_LIMITS] = {"limits", 0, 0, NULL, OPTIONS(limits)},
	[MXW__SECTION_SPF] = {"spf", 0, 0, NULL, OPTIONS(spf)},
	[MXW__SECTION_DKIM] = {"dkim", 0, 0, NULL, OPTIONS(dkim)},
	[MXW__SECTION_DMARC] = {"dmarc", 0, 0, NULL, OPTIONS(dmarc)},
	[MXW__SECTION_TRACKER] = {"tracker", 0, 0, NULL, OPTIONS(tracker)},
	[MXW__SECTION_GREYLIST] = {"greylist", 0, 0, NULL, OPTIONS(greylist)},
	[MXW__SECTION_RATES] = {"rates", 0, 0, NULL, OPTIONS(rates)},
	[MXW__SECTION_BOUNCE_PROOF] = {"bounce-proof", 0, 0, NULL, OPTIONS(bounce_proof)},
	[MXW__SECTION_OUTBOUND] = {"outbound", 0, 0, NULL, OPTIONS(outbound)},
	[MXW__SECTION_RECIPIENT_CACHE] = {"recipient-cache", 0, 0, NULL, OPTIONS(recipient_cache)},
	[MXW__SECTION_REDIS] = {"redis", 0, 0, NULL, OPTIONS(redis)},
	[MXW__SECTION_DIRECTORY] = {"directory", 1, 1, "one name", OPTIONS(directory)},
	[MXW__SECTION_DOMAIN] = {"domain", 1, 100000, "at least one domain", OPTIONS(domain)},
	[MXW__SECTION_LISTENER] = {"listener", 1, 1, "one name", OPTIONS(listener)},
	[MXW__SECTION_DNSBL] = {"dnsbl", 1, 1, "one name", OPTIONS(dnsbl)},
	[MXW__SECTION_LIST] = {"list", 1, 1, "one name", OPTIONS(list)},
	[MXW__SECTION_RULE] = {"rule", 1, 2, "a name and perhaps enforce, observe or off", OPTIONS(rule)},
#undef OPTIONS
};

void mxw_conf_each_option(void (*visit)(void *ctx, const char *section, const char *option, const char *deflt), void *ctx)
{
	for (size_t s = 0; s < MXW__SECTION_COUNT; s++)
		for (size_t i = 0; i < mxw__sections[s].noptions; i++)
			visit(ctx, mxw__sections[s].name, mxw__sections[s].options[i].name,
			      mxw__sections[s].options[i].deflt);
}
