/* SPDX-License-Identifier: BSD-2-Clause */
/* Files into trees: what is looked at before the lexer sees a text, and `include`. */
#include "config.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/conf/parse.h"

enum { FILE_BYTES_MAX = 1 << 20, LINE_BYTES_MAX = 8192, INCLUDE_DEPTH_MAX = 8, FILES_MAX = 256 };

/* A file that is being read, and those that include it. */
struct source {
	const struct source *parent;
	const char *name;       /* as in complaints */
	unsigned depth;
	bool has_id;            /* a file, not a text from memory */
	dev_t dev;
	ino_t ino;
};

static struct mxw__node *parse_source(struct mxw__reader *reader, const struct source *source, char *text, size_t len);

/* ---- nodes ---- */

struct mxw__node *mxw__node_new(struct mxw__parse *parse, const struct mxw__arg *name)
{
	struct mxw__node *node = mxw__arena_alloc(parse->reader->arena, sizeof *node);

	if (!node)
		return NULL;
	node->pos.file = parse->file;
	if (name) {
		node->name = name->text;
		node->pos = name->pos;
	}
	return node;
}

static struct mxw__cond *new_cond(struct mxw__parse *parse)
{
	struct mxw__cond *cond = mxw__arena_alloc(parse->reader->arena, sizeof *cond);

	if (cond)
		cond->depth = 1;
	return cond;
}

static void append_cond(struct mxw__cond *parent, struct mxw__cond *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	if (child->depth + 1 > parent->depth)
		parent->depth = child->depth + 1;
}

struct mxw__cond *mxw__cond_compare(struct mxw__parse *parse, struct mxw__arg *fact, mxw__op_t op, struct mxw__arg *values)
{
	struct mxw__cond *cond = new_cond(parse);

	if (cond) {
		cond->kind = MXW__COND_COMPARE;
		cond->fact = fact;
		cond->op = op;
		cond->values = values;
	}
	return cond;
}

struct mxw__cond *mxw__cond_is(struct mxw__parse *parse, struct mxw__arg *fact)
{
	struct mxw__cond *cond = new_cond(parse);

	if (cond) {
		cond->kind = MXW__COND_IS;
		cond->fact = fact;
	}
	return cond;
}

struct mxw__cond *mxw__cond_not(struct mxw__parse *parse, struct mxw__cond *a)
{
	struct mxw__cond *cond = new_cond(parse);

	if (cond) {
		cond->kind = MXW__COND_NOT;
		append_cond(cond, a);
	}
	return cond;
}

/* A chain of one kind is one node with many children, so that its length is no depth. */
struct mxw__cond *mxw__cond_join(struct mxw__parse *parse, bool is_and, struct mxw__cond *a, struct mxw__cond *b)
{
	struct mxw__cond *cond = a;

	if (a->kind != (is_and ? MXW__COND_AND : MXW__COND_OR)) {
		cond = new_cond(parse);
		if (!cond)
			return NULL;
		cond->kind = is_and ? MXW__COND_AND : MXW__COND_OR;
		append_cond(cond, a);
	}
	append_cond(cond, b);
	return cond;
}

/* ---- what every text must be ---- */

/* Octets of the UTF-8 character that starts here, 0 if none does (RFC 3629). */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 :
		     s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static bool is_control(unsigned char c)
{
	return (c < ' ' && c != '\t' && c != '\r') || c == 0x7f;
}

/* Complains of the first bad octet of a line (up to `len`, without its newline) and puts '?' in the place of all. */
static void check_line(struct mxw__reader *reader, const char *file, unsigned line, unsigned char *s, size_t len)
{
	struct mxw__pos pos = {file, line, 1};
	bool is_told = false;

	if (len > LINE_BYTES_MAX) {
		mxw__complain(reader->complaints, &pos, "the line is longer than %d octets", LINE_BYTES_MAX);
		memset(s, ' ', len);
		return;
	}
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(s + i, len - i);
		if (n > 0 && !is_control(s[i])) {
			i += n;
			continue;
		}
		pos.column = (unsigned)i + 1;
		if (!is_told)
			mxw__complain(reader->complaints, &pos, n ? "unexpected control character 0x%02x" :
				      "octet 0x%02x is not UTF-8", s[i]);
		is_told = true;
		s[i++] = '?';
	}
}

static void check_text(struct mxw__reader *reader, const char *file, char *text, size_t len)
{
	unsigned line = 1;

	for (size_t start = 0; start < len; line++) {
		const char *nl = memchr(text + start, '\n', len - start);
		size_t n = nl ? (size_t)(nl - (text + start)) : len - start;
		check_line(reader, file, line, (unsigned char *)text + start, n);
		start += n + 1;
	}
}

/* ---- include ---- */

char *mxw__path_from(mxw__arena_t *arena, const char *from, const char *path)
{
	const char *slash = strrchr(from, '/');

	if (path[0] == '/')
		return mxw__arena_strdup(arena, path);
	if (from[0] == '/')
		return mxw__arena_printf(arena, "%.*s/%s", (int)(slash - from), from, path);
	char *cwd = getcwd(NULL, 0);
	if (!cwd)
		return mxw__arena_strdup(arena, path);
	char *whole = slash ? mxw__arena_printf(arena, "%s/%.*s/%s", cwd, (int)(slash - from), from, path) :
			      mxw__arena_printf(arena, "%s/%s", cwd, path);
	free(cwd);
	return whole;
}

/* The file that is being read already and has this identity. */
static const struct source *find_loop(const struct source *source, const struct stat *st)
{
	for (; source; source = source->parent)
		if (source->has_id && source->dev == st->st_dev && source->ino == st->st_ino)
			return source;
	return NULL;
}

static void append_list(struct mxw__list *list, struct mxw__node *first, struct mxw__node *last)
{
	if (!first)
		return;
	if (list->last)
		list->last->next = first;
	else
		list->first = first;
	list->last = last;
}

static void include_file(struct mxw__reader *reader, const struct source *from, const struct mxw__arg *arg,
			 const char *path, struct mxw__list *list)
{
	struct source source = {.parent = from, .depth = from->depth + 1, .has_id = true};
	struct mxw_error err;
	struct stat st;
	char *text;
	size_t len;

	if (stat(path, &st) != 0) {
		mxw__complain(reader->complaints, &arg->pos, "%s: %s", path, strerror(errno));
		return;
	}
	const struct source *loop = find_loop(from, &st);
	if (loop) {
		mxw__complain(reader->complaints, &arg->pos, "%s is being read already and can't include itself", path);
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		mxw__complain(reader->complaints, &arg->pos, "%s: is no regular file", path);
		return;
	}
	if (mxw__file_read(path, FILE_BYTES_MAX, &text, &len, &err) != MXW_OK) {
		mxw__complain(reader->complaints, &arg->pos, "%s", err.text);
		return;
	}
	source.name = mxw__arena_strdup(reader->arena, path);
	source.dev = st.st_dev;
	source.ino = st.st_ino;
	struct mxw__node *root = source.name ? parse_source(reader, &source, text, len) : NULL;
	free(text);
	if (root)
		append_list(list, root->first, root->last);
	else
		reader->out_of_memory = true;
}

static bool may_include(struct mxw__reader *reader, const struct source *from, const struct mxw__arg *arg)
{
	if (from->depth == INCLUDE_DEPTH_MAX) {
		mxw__complain(reader->complaints, &arg->pos, "files are included more than %d deep", INCLUDE_DEPTH_MAX);
		return false;
	}
	if (reader->nfiles >= FILES_MAX) {
		mxw__complain(reader->complaints, &arg->pos, "more than %d files", FILES_MAX);
		return false;
	}
	return true;
}

static void include_glob(struct mxw__reader *reader, const struct source *from, const struct mxw__arg *arg,
			 struct mxw__list *list)
{
	char *pattern = mxw__path_from(reader->arena, from->name, arg->text);
	glob_t found;

	if (!pattern) {
		reader->out_of_memory = true;
		return;
	}
	/* A path without wildcards names one file, which must exist; a pattern may match none. */
	if (!strpbrk(arg->text, "*?[")) {
		if (may_include(reader, from, arg))
			include_file(reader, from, arg, pattern, list);
		return;
	}
	int rc = glob(pattern, 0, NULL, &found);
	if (rc == GLOB_NOSPACE)
		reader->out_of_memory = true;
	if (rc != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && may_include(reader, from, arg); i++)
		include_file(reader, from, arg, found.gl_pathv[i], list);
	globfree(&found);
}

/* Puts what was included in the place of each `include`. */
static void resolve_includes(struct mxw__reader *reader, const struct source *source, struct mxw__node *root)
{
	struct mxw__list list = {0};

	for (struct mxw__node *node = root->first, *next; node; node = next) {
		next = node->next;
		node->next = NULL;
		if (!node->name || strcmp(node->name, "include") != 0) {
			append_list(&list, node, node);
			continue;
		}
		if (node->is_section || !node->args)
			mxw__complain(reader->complaints, &node->pos, "'include' needs the path of a file");
		for (const struct mxw__arg *arg = node->args; arg && !node->is_section; arg = arg->next)
			include_glob(reader, source, arg, &list);
	}
	root->first = list.first;
	root->last = list.last;
}

/* ---- reading ---- */

/* `text` is changed where it is bad. */
static struct mxw__node *parse_source(struct mxw__reader *reader, const struct source *source, char *text, size_t len)
{
	struct mxw__parse parse = {.reader = reader, .file = source->name, .line = 1, .column = 1};

	reader->nfiles++;
	check_text(reader, source->name, text, len);
	parse.root = mxw__node_new(&parse, NULL);
	if (!parse.root)
		return NULL;
	mxw__parse_text(&parse, text, len);
	resolve_includes(reader, source, parse.root);
	return reader->out_of_memory ? NULL : parse.root;
}

struct mxw__node *mxw__read_text(struct mxw__reader *reader, const char *name, const char *text, size_t len,
				 mxw_status_t *ret_status)
{
	struct source source = {.name = mxw__arena_strdup(reader->arena, name)};
	struct mxw__pos pos = {source.name, 0, 0};
	struct mxw__node *root = NULL;

	*ret_status = MXW_ERR_NOMEM;
	if (!source.name)
		return NULL;
	if (len > FILE_BYTES_MAX) {
		mxw__complain(reader->complaints, &pos, "larger than %d bytes", FILE_BYTES_MAX);
		*ret_status = MXW_ERR_CONF;
		return NULL;
	}
	char *copy = malloc(len ? len : 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	root = parse_source(reader, &source, copy, len);
	free(copy);
	if (root)
		*ret_status = MXW_OK;
	return root;
}

struct mxw__node *mxw__read_file(struct mxw__reader *reader, const char *path, mxw_status_t *ret_status)
{
	struct source source = {.name = mxw__arena_strdup(reader->arena, path), .has_id = true};
	struct mxw__pos pos = {source.name, 0, 0};
	struct mxw_error err;
	struct stat st;
	char *text;
	size_t len;

	*ret_status = MXW_ERR_NOMEM;
	if (!source.name)
		return NULL;
	*ret_status = mxw__file_read(path, FILE_BYTES_MAX, &text, &len, &err);
	if (*ret_status != MXW_OK) {
		/* The text names the path itself. */
		pos.file = "";
		mxw__complain(reader->complaints, &pos, "%s", err.text);
		if (*ret_status == MXW_ERR_LIMIT)
			*ret_status = MXW_ERR_CONF;
		return NULL;
	}
	if (stat(path, &st) == 0) {
		source.dev = st.st_dev;
		source.ino = st.st_ino;
	} else {
		source.has_id = false;
	}
	struct mxw__node *root = parse_source(reader, &source, text, len);
	free(text);
	*ret_status = root ? MXW_OK : MXW_ERR_NOMEM;
	return root;
}
