/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar of mxward.conf:
 *
 *	name value ...            an entry, ended by the end of the line
 *	name value ... {          a section
 *		...
 *	}
 *	when condition            a condition (of a rule)
 *
 * After a mistake reading goes on at the next line; the section it stands in is marked, so that nothing is said to be
 * missing there.
 */
%code top {
#include "config.h"
/* Bison counts errors in a variable that nobody reads; clang 15 and later say so. */
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
}
%code requires {
#include "src/conf/parse.h"
}
%define api.pure full
%define api.prefix {mxw__conf_yy}
%define parse.error custom
%define parse.lac full
%locations
%param {void *scanner}
%parse-param {struct mxw__parse *parse}

%union {
	struct mxw__arg *arg;
	struct { struct mxw__arg *first, *last; } args;
	struct mxw__node *node;
	struct mxw__list list;
	struct mxw__cond *cond;
	mxw__op_t op;
}

%token NL OPEN CLOSE WHEN AND OR NOT IN MATCHES EQ NE LT LE GT GE LPAREN RPAREN BAD
%token <arg> WORD STRING
%type <arg> value
%type <args> values args
%type <node> head section statement
%type <list> body
%type <cond> condition conjunction negation comparison
%type <op> operator

%code {
#include <string.h>

int mxw__conf_yylex(MXW__CONF_YYSTYPE *value, MXW__CONF_YYLTYPE *location, void *scanner);
static void mxw__conf_yyerror(const MXW__CONF_YYLTYPE *location, void *scanner, struct mxw__parse *parse, const char *text);

/* Ends the parse when memory is gone. */
#define NEED(p) do { if (!(p)) { parse->reader->out_of_memory = true; YYABORT; } } while (0)

static void append_arg(struct mxw__arg **first, struct mxw__arg **last, struct mxw__arg *arg)
{
	if (*last)
		(*last)->next = arg;
	else
		*first = arg;
	*last = arg;
}

static void append_node(struct mxw__list *list, struct mxw__node *node)
{
	if (list->last)
		list->last->next = node;
	else
		list->first = node;
	list->last = node;
}
}

%%

file:	body				{ parse->root->first = $1.first; parse->root->last = $1.last; }
	;

body:	%empty				{ $$ = (struct mxw__list){0}; }
	| body statement		{ $$ = $1; append_node(&$$, $2); }
	;

statement: head NL
	| section NL
	| section error NL		{ $$ = $1; yyerrok; }
	| WHEN condition NL		{
		$$ = mxw__node_new(parse, NULL);
		NEED($$);
		$$->name = "when";
		$$->pos = (struct mxw__pos){parse->file, (unsigned)@1.first_line, (unsigned)@1.first_column};
		$$->when = $2;
	}
	| error NL			{ $$ = mxw__node_new(parse, NULL); NEED($$); yyerrok; }
	| error OPEN body CLOSE NL	{ $$ = mxw__node_new(parse, NULL); NEED($$); yyerrok; }
	;

section: head OPEN body CLOSE		{
		$$ = $1;
		$$->is_section = true;
		$$->first = $3.first;
		$$->last = $3.last;
	}
	;

head:	WORD args			{ $$ = mxw__node_new(parse, $1); NEED($$); $$->args = $2.first; }
	;

args:	%empty				{ $$.first = $$.last = NULL; }
	| values
	;

values:	value				{ $$.first = $$.last = $1; }
	| values value			{ $$ = $1; append_arg(&$$.first, &$$.last, $2); }
	;

value:	WORD
	| STRING
	;

condition: conjunction
	| condition OR conjunction	{ $$ = mxw__cond_join(parse, false, $1, $3); NEED($$); }
	;

conjunction: negation
	| conjunction AND negation	{ $$ = mxw__cond_join(parse, true, $1, $3); NEED($$); }
	;

negation: comparison
	| NOT negation			{ $$ = mxw__cond_not(parse, $2); NEED($$); }
	| LPAREN condition RPAREN	{ $$ = $2; }
	;

comparison: WORD			{ $$ = mxw__cond_is(parse, $1); NEED($$); }
	| WORD operator value		{ $$ = mxw__cond_compare(parse, $1, $2, $3); NEED($$); }
	| WORD IN values		{ $$ = mxw__cond_compare(parse, $1, MXW__OP_IN, $3.first); NEED($$); }
	;

operator: EQ				{ $$ = MXW__OP_EQ; }
	| NE				{ $$ = MXW__OP_NE; }
	| LT				{ $$ = MXW__OP_LT; }
	| LE				{ $$ = MXW__OP_LE; }
	| GT				{ $$ = MXW__OP_GT; }
	| GE				{ $$ = MXW__OP_GE; }
	| MATCHES			{ $$ = MXW__OP_MATCHES; }
	;

%%

/* What may come next, in words. Several tokens share a phrase; it is said once. */
static const struct {
	yysymbol_kind_t kind;
	const char *phrase;
} phrases[] = {
	{YYSYMBOL_WORD, "a name"},
	{YYSYMBOL_STRING, "a value"},
	{YYSYMBOL_EQ, "a comparison (= != < <= > >= in matches)"},
	{YYSYMBOL_NOT, "'not'"},
	{YYSYMBOL_LPAREN, "'('"},
	{YYSYMBOL_AND, "'and'"},
	{YYSYMBOL_OR, "'or'"},
	{YYSYMBOL_RPAREN, "')'"},
	{YYSYMBOL_OPEN, "'{'"},
	{YYSYMBOL_CLOSE, "'}'"},
	{YYSYMBOL_NL, "the end of the line"},
};

static bool is_expected(const yysymbol_kind_t *expected, int n, yysymbol_kind_t kind)
{
	for (int i = 0; i < n; i++)
		if (expected[i] == kind)
			return true;
	return false;
}

static void list_expected(const yypcontext_t *context, struct mxw__buf *buf)
{
	yysymbol_kind_t expected[YYNTOKENS];
	const char *said[MXW_ARRAY_LEN(phrases)];
	int n = yypcontext_expected_tokens(context, expected, YYNTOKENS);
	size_t nsaid = 0;

	if (yypcontext_token(context) == YYSYMBOL_OPEN && !is_expected(expected, n, YYSYMBOL_NL)) {
		mxw__buf_adds(buf, "the name of a section on the same line");
		return;
	}
	for (size_t i = 0; i < MXW_ARRAY_LEN(phrases); i++) {
		/* Where a string may stand, a word may too: "a value". */
		if (phrases[i].kind == YYSYMBOL_WORD && is_expected(expected, n, YYSYMBOL_STRING))
			continue;
		if (is_expected(expected, n, phrases[i].kind))
			said[nsaid++] = phrases[i].phrase;
	}
	for (size_t i = 0; i < nsaid; i++)
		mxw__buf_addf(buf, "%s%s", i == 0 ? "" : i + 1 == nsaid ? " or " : ", ", said[i]);
}

/* A mistake ends the parentheses it stands in: the next line is a new entry again. */
static int yyreport_syntax_error(const yypcontext_t *context, void *scanner, struct mxw__parse *parse)
{
	const MXW__CONF_YYLTYPE *loc = yypcontext_location(context);
	struct mxw__pos pos = {parse->file, (unsigned)loc->first_line, (unsigned)loc->first_column};
	bool is_end = yypcontext_token(context) == YYSYMBOL_NL || yypcontext_token(context) == YYSYMBOL_YYEOF;
	struct mxw__buf buf;

	parse->parens = 0;
	parse->is_skipping = !is_end;
	if (parse->is_told || parse->reader->out_of_memory) {
		parse->is_told = false;
		return 0;
	}
	mxw__buf_init(&buf, 300);
	list_expected(context, &buf);
	mxw__complain(parse->reader->complaints, &pos, "unexpected %s%s%s; %s was expected", is_end ? "" : "'",
		      is_end ? "end of the line" : parse->shown, is_end ? "" : "'", mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
	return 0;
}

/* Only for what is no syntax error: the parser's stack is exhausted. */
static void mxw__conf_yyerror(const MXW__CONF_YYLTYPE *location, void *scanner, struct mxw__parse *parse, const char *text)
{
	struct mxw__pos pos = {parse->file, (unsigned)location->first_line, (unsigned)location->first_column};
	mxw__complain(parse->reader->complaints, &pos, "nested too deeply; the rest of the file was not read (%s)", text);
}
