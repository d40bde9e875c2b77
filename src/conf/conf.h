/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf.h: what mxward.conf says, after it was read and checked.
 *
 * A file is read in three steps: grammar.y and lexer.l make a tree of nodes, each with its position; one
 * table per section (schema.c) gives every option its type, default, range and place in the structs below;
 * build.c walks the tree by these tables, collects every complaint, and compiles the rules.
 *
 * Who may call: session (to build a snapshot), directory and check (to read their part of it).
 * Threads: everything here is immutable once loaded; mxw_conf_t is counted.
 * Memory:  all strings and arrays belong to the configuration's arena; secrets are wiped with it.
 */
#ifndef MXW_SRC_CONF_CONF_H
#define MXW_SRC_CONF_CONF_H

#include <mxward/conf.h>
#include <mxward/net.h>

#include "src/base/base.h"
#include "src/lists/entry.h"
#include "src/track/event.h"
#include "src/track/rates.h"

struct mxw__pos {
	const char *file;
	unsigned line;
	unsigned column;
};

/* Arrays come with their length; strings are "" or NULL-free unless said otherwise. */
struct mxw__strings {
	size_t n;
	const char *const *v;
};

struct mxw__networks {
	size_t n;
	const struct mxw_network *v;
};

typedef enum mxw__directory_type {
	MXW__DIRECTORY_FILE,
	MXW__DIRECTORY_SYSTEM,
	MXW__DIRECTORY_LDAP,
	MXW__DIRECTORY_SQLITE,
	MXW__DIRECTORY_CALL_AHEAD
} mxw__directory_type_t;
/* What kind of directory it is: where the defaults of its filters and attributes come from (presets.c). */
typedef enum mxw__preset {
	MXW__PRESET_CUSTOM,
	MXW__PRESET_OPENLDAP,
	MXW__PRESET_ACTIVE_DIRECTORY,
	MXW__PRESET_389DS,
	MXW__PRESET_RFC822_MAIL_MEMBER
} mxw__preset_t;
enum { MXW__LDAP_BASES_MAX = 16 };
typedef enum mxw__starttls { MXW__STARTTLS_NO, MXW__STARTTLS_YES } mxw__starttls_t;
enum { MXW__CALL_HOSTS_MAX = 16 };
/* Opportunistic: when it is offered, whatever the certificate (RFC 7435). */
typedef enum mxw__tls_use { MXW__TLS_NO, MXW__TLS_OPPORTUNISTIC, MXW__TLS_REQUIRE } mxw__tls_use_t;

/* What a file of addresses looks like. */
typedef enum mxw__file_format {
	MXW__FILE_PLAIN,
	MXW__FILE_POSTFIX,
	MXW__FILE_POSTFIX_ACCESS,
	MXW__FILE_VIRTUSERTABLE,
	MXW__FILE_ACCESS
} mxw__file_format_t;

/* directory NAME { ... } */
struct mxw__directory_conf {
	const char *name;
	struct mxw__pos pos;
	mxw__directory_type_t type;
	/* of any type that can list all its addresses */
	bool offline_copy;
	uint64_t copy_interval_ms;
	uint64_t copy_max_age_ms;      /* older, it does not say that an address is absent */
	uint64_t copy_max_addresses;
	uint64_t copy_confirmations;   /* so many lists that are much shorter than before must agree to be taken */
	/* file */
	const char *path;
	mxw__file_format_t format;
	/* system */
	const char *passwd_file;       /* "": the system's own look-up (getpwnam_r) */
	struct mxw__strings aliases_files; /* default /etc/aliases; "" among them is none */
	uint64_t min_uid;              /* passwd entries below are no recipients, default 0 */
	/* sqlite */
	const char *database;
	const char *query;             /* with :addr, :user or :domain */
	bool class_column;
	/* ldap */
	mxw__preset_t preset;          /* its values are in the fields below already */
	struct mxw__strings uris;
	bool spread;                   /* server-order: connections go to all servers, not to the first that works */
	struct mxw__strings bases;     /* each may hold {domain}; all are searched */
	const char *filter;            /* "(mail={addr})"; {addr} {user} {domain} are escaped when filled in */
	const char *scope;             /* "sub", "one", "base" */
	const char *class_attribute;         /* "": none, as for the next two */
	const char *internal_only_attribute;
	const char *disabled_attribute;      /* userAccountControl has a meaning of its own */
	/* What lists every recipient, and where their addresses stand: NAME, CLASS/NAME (of entries of that object class only),
	 * NAME=PREFIX (of values with that prefix, which is taken off). */
	const char *copy_filter;
	struct mxw__strings address_attributes;
	bool bind_external;            /* SASL EXTERNAL: we are who the socket or the certificate says */
	const char *bind_dn;
	const char *bind_password;     /* secret, from bind-password-file; "" when none; never dumped */
	const char *bind_password_file;
	bool starttls;
	const char *tls_ca_file;       /* "": the system's */
	const char *tls_certificate_file; /* ours; "": none */
	const char *tls_key_file;
	uint64_t connections;          /* per directory */
	uint64_t timeout_ms;           /* one operation */
	uint64_t connect_timeout_ms;
	uint64_t retry_ms;             /* pause after a failed connection, doubled up to one minute */
	/* call-ahead; CA file, connections and times as for ldap */
	struct mxw__strings hosts;     /* see mxw__host_port_parse() */
	const char *helo_name;         /* default: authserv_id */
	const char *reference_recipient; /* a local part that exists in every domain; "": one that was accepted before */
	mxw__tls_use_t tls;
	bool accept_all_check;
	/* types that are asked over a network; 0: not kept for that */
	uint64_t positive_lifetime_ms; /* "found" is given again without asking */
	uint64_t negative_lifetime_ms; /* "not found" likewise */
	uint64_t stale_lifetime_ms;    /* "found" is given while the source can't answer */
	/* Stands for all settings that its answers follow from; the same over restarts. */
	uint64_t answers_id;
};

/* "host", "host:port", "192.0.2.1:25", "[2001:db8::1]:25". False if it is none, or the name has more than `size` - 1
 * octets. */
bool mxw__host_port_parse(const char *text, uint16_t default_port, char *ret_host, size_t size, uint16_t *ret_port);

typedef enum mxw__on_failure { MXW__ON_FAILURE_DEFER, MXW__ON_FAILURE_ACCEPT } mxw__on_failure_t;
/* What becomes of postmaster and abuse in a domain of ours (RFC 5321 section 4.5.1, RFC 2142). */
typedef enum mxw__postmaster { MXW__POSTMASTER_ACCEPT, MXW__POSTMASTER_LOOK_UP } mxw__postmaster_t;

/* domain NAME... { ... } */
struct mxw__domain_conf {
	/* As mxw__domain_to_ascii() makes them: A-labels, lower case, without final dot; or an address literal. */
	struct mxw__strings names;
	struct mxw__strings hosts;     /* other names of the first: "mx1.example.net", "*.example.net", "[192.0.2.1]" */
	struct mxw__strings hosts_files; /* paths of lists of hosts */
	struct mxw__strings domains_files; /* paths of lists of more names */
	bool catch_all;                /* "@name" in a directory stands for every address of it */
	struct mxw__pos pos;
	struct mxw__strings directories; /* as written; the same as indexes: */
	size_t nrecipients;
	const size_t *recipients;      /* indexes into directories, in the order to be asked */
	mxw__on_failure_t on_failure;
	const char *delimiters;        /* of sub-addresses ("+"); "" or NULL: there are none */
	mxw__postmaster_t postmaster;
};

/* listener NAME { port 587  daemon-name "..." } */
struct mxw__listener_conf {
	const char *name;
	uint16_t port;                 /* 0: any */
	const char *daemon_name;       /* "": any */
	bool is_backup;                /* mail should come here only if the primary MX does not take it */
};

/* tracker { ... } */
struct mxw__tracker_conf {
	bool enabled;
	uint64_t nat_helo_names;       /* so many unrelated HELO names from one internal address are a NAT; 0: never */
	uint64_t nat_window_ms;
	uint64_t half_life_ms;
	uint64_t history_half_life_ms;
	uint64_t credit;               /* a score does not fall below minus this */
	uint64_t max_entries;
	uint64_t max_bytes;
	uint64_t save_interval_ms;
	struct mxw__strings keys;      /* names of kinds of keys, see mxw__key_kind_name(); the same as bits: */
	unsigned key_kinds;            /* 1 << mxw__key_kind_t */
	uint64_t harvest_window_ms;
	uint64_t harvest_entries;
	struct mxw__strings traps;     /* recipients that are traps, in lower case: "local@domain", "@domain" */
	uint64_t site_harvest;         /* so many guesses by networks of which no good is known are a harvest that is spread; 0: none is */
	uint64_t sightings;            /* entries of who was seen at the primary MX */
	uint64_t sighting_window_ms;
	uint64_t primary_alive_ms;     /* the primary counts as up so long after the last client came to it */
	uint64_t unfinished_most;      /* what sessions and messages that come to nothing bring a score to by themselves */
	uint64_t weights[MXW__EVENT_COUNT]; /* points; of good events, taken away */
};

/* greylist { ... } */
struct mxw__greylist_conf {
	uint64_t delay_ms;             /* earlier it is no retry */
	uint64_t retry_window_ms;      /* so long after the first attempt it is one */
	uint64_t known_for_ms;         /* after it was seen last */
	uint64_t client_delay_ms;      /* the same, of who has nothing but his address to be known by */
	uint64_t known_after_ms;       /* mail was taken so long ago; 0: that makes nobody known */
	uint64_t auto_allow;           /* passed attempts that make known; 0: nobody ever is */
	uint64_t max_entries;
};

/* rates { ... } */
typedef enum mxw__limited {
	MXW__LIMITED_CONNECTIONS,
	MXW__LIMITED_SESSIONS,         /* at one time */
	MXW__LIMITED_MESSAGES,
	MXW__LIMITED_NULL_MESSAGES,    /* messages with the null sender */
	MXW__LIMITED_RCPTS,
	MXW__LIMITED_DIFFERENT_RCPTS,
	MXW__LIMITED_BYTES,
	MXW__LIMITED_FAILED_RCPTS,     /* that do not exist, or were refused by the MTA */
	MXW__LIMITED_KINDS
} mxw__limited_t;

/* For whom a limit is; bits. */
enum { MXW__FOR_OUTSIDE = 1, MXW__FOR_INTERNAL = 2, MXW__FOR_AUTHENTICATED = 4, MXW__FOR_ANY = 7 };

enum {
	MXW__LIMITS_MAX = 64,
	MXW__SESSION_LIMITS_MAX = 8,   /* of these, limits of sessions */
	MXW__DIFFERENT_MAX = 2000      /* beyond, different things are not told apart well enough (distinct.h) */
};

/* limit NAME WHAT per KEY RATE ... */
struct mxw__limit_conf {
	const char *name;
	struct mxw__pos pos;
	mxw__limited_t what;
	mxw__key_kind_t key;           /* MXW__KEY_NONE: the whole site */
	struct mxw__rate rate;         /* window_ms is 0 for sessions; burst only where there is a bucket */
	unsigned classes;
};

struct mxw__rates_conf {
	uint64_t max_entries;
	size_t nlimits;
	const struct mxw__limit_conf *limits;
	unsigned kinds;                /* 1 << mxw__limited_t: those that there are limits of */
	unsigned key_kinds;            /* 1 << mxw__key_kind_t */
};

/* "messages", "address": as they are written. Static. */
const char *mxw__limited_name(mxw__limited_t what);
const char *mxw__limit_key_name(mxw__key_kind_t key);

/* bounce-proof { ... } */
typedef enum mxw__bounce_mode { MXW__BOUNCE_PROOF_OFF, MXW__BOUNCE_PROOF_LEARN, MXW__BOUNCE_PROOF_ENFORCE } mxw__bounce_mode_t;

struct mxw__bounce_conf {
	struct mxw__strings domains;
	struct mxw__strings key_files;
	struct mxw__strings keys;      /* secret, from key_files; the first makes tags; never dumped. None: nothing is done */
	mxw__bounce_mode_t mode;
	uint64_t lifetime_ms;
	/* "local@domain", "@domain", in lower case */
	struct mxw__strings exempt_senders, exempt_recipients;
	struct mxw__networks exempt_networks;
};

/* outbound { ... } */
typedef enum mxw__quota {
	MXW__QUOTA_MESSAGES,
	MXW__QUOTA_RCPTS,
	MXW__QUOTA_DIFFERENT_RCPTS,
	MXW__QUOTA_NETWORKS,           /* that a user came from */
	MXW__QUOTA_UNKNOWN_SHARE,      /* of recipients, in percent; the count is that, the window means nothing */
	MXW__QUOTA_KINDS
} mxw__quota_t;

/* The words of the fact `outbound`, in their order. */
typedef enum mxw__outbound_stage {
	MXW__OUTBOUND_OK,
	MXW__OUTBOUND_WARN,
	MXW__OUTBOUND_SLOW,
	MXW__OUTBOUND_HOLD,
	MXW__OUTBOUND_SUSPENDED,
	MXW__OUTBOUND_STAGES
} mxw__outbound_stage_t;

/* A number in a time; 0: there is no such quota. */
struct mxw__rate_conf {
	uint64_t count;
	uint64_t window_ms;
};

/* quota WHO WHAT VALUE */
struct mxw__quota_row {
	const char *user;              /* NULL: a network */
	struct mxw_network network;
	mxw__quota_t what;
	struct mxw__rate_conf rate;
};

enum { MXW__QUOTA_ROWS_MAX = 1000 };

struct mxw__outbound_conf {
	bool enabled;
	struct mxw__rate_conf user_quotas[MXW__QUOTA_KINDS], host_quotas[MXW__QUOTA_KINDS];
	uint64_t unknown_min;          /* so many must have failed before their share counts */
	uint64_t percent[MXW__OUTBOUND_STAGES]; /* of a quota, at which the stage begins; 0: never */
	uint32_t host_stage;           /* mxw__outbound_stage_t: hosts go no further by themselves */
	uint64_t suspend_for_ms;       /* 0: until it is undone */
	struct mxw__strings exempt;    /* as written; those that are networks: */
	size_t nexempt_networks;
	const struct mxw_network *exempt_networks;
	size_t nrows;
	const struct mxw__quota_row *rows;
	struct mxw__strings notice_command;
	const char *notice_mail;       /* "": none */
	const char *notice_server;     /* see mxw__host_port_parse() */
	uint64_t notice_timeout_ms;
};

/* "messages": as it is written. Static. */
const char *mxw__quota_name(mxw__quota_t quota);

/* dnsbl NAME { ... }: a list of addresses or of names in the DNS (RFC 5782) */
typedef enum mxw__dnsbl_kind { MXW__DNSBL_OF_ADDRESSES, MXW__DNSBL_OF_DOMAINS } mxw__dnsbl_kind_t;
typedef enum mxw__dnsbl_addresses { MXW__DNSBL_BOTH, MXW__DNSBL_IPV4, MXW__DNSBL_IPV6 } mxw__dnsbl_addresses_t;
typedef enum mxw__dnsbl_ask { MXW__DNSBL_ASK_ORGANIZATIONAL, MXW__DNSBL_ASK_FULL } mxw__dnsbl_ask_t;

/* Codes as numbers in host order: 127.0.0.2 is 0x7f000002. */
struct mxw__dnsbl_range {
	uint32_t first, last;
};

/* result CODE[-CODE] NAME [POINTS] */
struct mxw__dnsbl_result {
	struct mxw__dnsbl_range range;
	const char *name;
	int points;
	const char *value;             /* "LIST:NAME", as facts have it */
};

enum { MXW__DNSBLS_MAX = 32, MXW__DNSBL_RESULTS_MAX = 32, MXW__DNSBL_POINTS_MAX = 1000 };

struct mxw__dnsbl_conf {
	const char *name;
	struct mxw__pos pos;
	const char *zone;              /* lower case, without final dot */
	mxw__dnsbl_kind_t kind;
	struct mxw__strings codes;     /* as written; the same as ranges: */
	size_t nranges;
	const struct mxw__dnsbl_range *ranges;
	size_t nresults;               /* codes that have a name; they count as well */
	const struct mxw__dnsbl_result *results;
	const char *points_text;       /* as written; the same as a number: */
	int points;                    /* of an answer none of whose codes has a name; negative: a list of the welcome */
	int least_points;              /* that an answer may give */
	mxw__dnsbl_addresses_t addresses;
	mxw__dnsbl_ask_t ask;          /* of domains */
	struct mxw__strings test_points; /* as written; the same as: */
	bool check_test_points;        /* RFC 5782 section 5 */
	const char *test_listed, *test_unlisted; /* names of a list of domains that has its own; NULL: TEST, INVALID */
	uint64_t probe_interval_ms;
};

/* "127.0.0.2", "127.0.0.2-127.0.0.11": within 127.0.0.0/8, and none of 127.255.255.0/24, which say why there is no answer. */
bool mxw__dnsbl_range_parse(const char *text, struct mxw__dnsbl_range *ret_range);
/* "10", "-5"; no more than MXW__DNSBL_POINTS_MAX either way. */
bool mxw__dnsbl_points_parse(const char *text, int *ret_points);

/* list NAME { ... }: a list that the postmaster keeps */
enum { MXW__LISTS_MAX = 32 };

struct mxw__list_conf {
	const char *name;
	struct mxw__pos pos;
	const char *file;              /* "": only what is added while running */
	mxw__list_kind_t kind;
	uint64_t max_entries;          /* of the file, and of what is added */
};

enum { MXW__REDIS_SERVERS_MAX = 8, MXW__REDIS_PREFIX_MAX = 64 };

/* redis { ... }: what is shared with other hosts */
struct mxw__redis_conf {
	struct mxw__strings servers;   /* empty: nothing is shared; see mxw__redis_server_parse() */
	const char *user;              /* "": the default user */
	const char *password_file;
	const char *password;          /* secret, from password-file; "" when none; never dumped */
	uint64_t database;
	const char *prefix;            /* of every key */
	bool tls;
	const char *tls_ca_file;       /* "": the system's */
	const char *tls_certificate_file; /* ours; "": none */
	const char *tls_key_file;
	uint64_t wait_ms;              /* that a session waits for an answer; 0: never */
	uint64_t timeout_ms;           /* without an answer the server is away */
	uint64_t connect_timeout_ms;
	uint64_t retry_ms;             /* pause after a failure of all servers, doubled up to half a minute */
	uint64_t push_interval_ms;
};

/* "unix:/path": `ret_host` gets the path and `ret_port` 0; else as mxw__host_port_parse() with port 6379. */
bool mxw__redis_server_parse(const char *text, char *ret_host, size_t size, uint16_t *ret_port);

struct mxw__recipient_cache_conf {
	uint64_t entries;
	uint64_t save_interval_ms;
};

struct mxw__resolver_conf {
	struct mxw__strings forward;   /* empty: the system's */
	bool from_root;                /* forward "root" */
	bool local_only;               /* forward "none" */
	struct mxw__strings local_data;
	uint64_t timeout_ms;
	uint64_t max_open;
	uint64_t cache_entries;
	uint64_t client_rate, client_burst; /* a rate of 0: no limit */
	uint64_t zone_rate, zone_burst;
	struct mxw__strings unlimited_zones;
	uint64_t positive_max_ms, negative_max_ms, failure_max_ms;
	const char *trust_anchor_file; /* "": none */
};

struct mxw__timeouts_conf {
	uint64_t before_data_ms;       /* budget of connect .. DATA, default 8 s */
	uint64_t end_of_message_ms;    /* default 20 s */
	uint64_t concealed_reply_ms;   /* a concealed recipient's reply comes after this time, whatever it is */
};

struct mxw__limits_conf {
	uint64_t header_bytes;         /* kept per message; beyond: passed on unexamined */
	uint64_t header_field_bytes;   /* the largest field the milter protocol has to carry */
	uint64_t recipients;           /* remembered per message */
	uint64_t signatures;           /* DKIM signatures examined */
	uint64_t session_dns;          /* DNS questions one session may cause */
	uint64_t sessions;             /* at one time */
	uint64_t concealed_sessions;   /* held at one time for a concealed reply */
	uint64_t held_sessions;        /* held at one time by tarpits */
};

/* What becomes of Authentication-Results fields of others. */
typedef enum mxw__foreign_results {
	MXW__FOREIGN_KEEP,
	MXW__FOREIGN_RENAME,
	MXW__FOREIGN_REMOVE
} mxw__foreign_results_t;

/* dkim { ... } and spf { ... } */
struct mxw__auth_conf {
	bool spf_enabled;
	uint64_t spf_broad_limit;      /* addresses that a record may let pass before it is over-broad */
	bool spf_add_received;         /* received-spf yes */
	bool dkim_enabled;
	uint64_t dkim_min_key_bits;
	bool dkim_trust_length;        /* what l= leaves out does not keep a signature from counting */
	bool dkim_ignore_testing;      /* testing-keys ignore */
	bool add_results;              /* authentication-results yes */
	mxw__foreign_results_t foreign_results;
};

/* dmarc { ... } */
struct mxw__dmarc_conf {
	bool enabled;
	struct mxw__strings arc_sealers; /* whose ARC seals are believed; none: ARC is not looked at */
	uint64_t keep_evaluations_ms;  /* 0: no record of them is kept */
	uint64_t max_evaluations;
};

struct mxw_conf {
	/* top level */
	const char *authserv_id;
	bool observe;                  /* mode observe */
	/* Our names, which no stranger may claim at HELO; authserv-id and the host name are always among them. */
	struct mxw__strings helo_names;
	/* sections */
	struct mxw__networks internal;
	struct mxw__networks relays;
	struct mxw__networks forwarders; /* outside; what they send on is not refused for what forwarding breaks */
	struct mxw__resolver_conf resolver;
	struct mxw__timeouts_conf timeouts;
	struct mxw__limits_conf limits;
	struct mxw__auth_conf auth;
	struct mxw__dmarc_conf dmarc;
	struct mxw__tracker_conf tracker;
	struct mxw__greylist_conf greylist;
	struct mxw__rates_conf rates;
	struct mxw__bounce_conf bounce;
	struct mxw__outbound_conf outbound;
	struct mxw__recipient_cache_conf recipient_cache;
	struct mxw__redis_conf redis;
	size_t ndirectories;
	struct mxw__directory_conf *directories;
	size_t ndomains;
	const struct mxw__domain_conf *domains;
	size_t nlisteners;
	const struct mxw__listener_conf *listeners;
	size_t ndnsbls;
	const struct mxw__dnsbl_conf *dnsbls;
	size_t nlists;
	const struct mxw__list_conf *lists;
	mxw_policy_t *policy;
	struct mxw_daemon_settings daemon;
	/* the configuration's own */
	struct mxw__conf_private *priv;
};

#endif
