/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/base.h"

/* The first block is small: most sessions keep two names and wait. */
enum { ARENA_FIRST = 512, ARENA_BLOCK = 4096, ARENA_ALIGN = _Alignof(max_align_t) };

struct block {
	struct block *next;
	size_t size;
	size_t used;
	_Alignas(max_align_t) unsigned char data[];
};

struct mxw__arena {
	struct block *head; /* the one being filled; the rest are full or large */
	size_t limit;
	size_t given;
};

mxw__arena_t *mxw__arena_new(size_t limit)
{
	mxw__arena_t *arena = calloc(1, sizeof *arena);
	if (arena)
		arena->limit = limit;
	return arena;
}

static void free_blocks(struct block *b)
{
	while (b) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
}

void mxw__arena_free(mxw__arena_t *arena)
{
	if (!arena)
		return;
	free_blocks(arena->head);
	free(arena);
}

void mxw__arena_reset(mxw__arena_t *arena)
{
	struct block *b = arena->head;

	/* A message that needed a large block must not leave it with the session. */
	while (b && b->size > ARENA_BLOCK) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
	if (b) {
		free_blocks(b->next);
		b->next = NULL;
		b->used = 0;
	}
	arena->head = b;
	arena->given = 0;
}

void *mxw__arena_alloc(mxw__arena_t *arena, size_t size)
{
	if (size > arena->limit - arena->given)
		return NULL;
	size_t need = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	struct block *b = arena->head;

	if (!b || b->size - b->used < need) {
		size_t room = b ? ARENA_BLOCK : ARENA_FIRST;
		if (room < need)
			room = need;
		struct block *fresh = malloc(sizeof *fresh + room);
		if (!fresh)
			return NULL;
		fresh->size = room;
		fresh->used = 0;
		fresh->next = b;
		arena->head = fresh;
		b = fresh;
	}
	void *p = b->data + b->used;
	b->used += need;
	arena->given += size;
	memset(p, 0, need);
	return p;
}

char *mxw__arena_strndup(mxw__arena_t *arena, const char *s, size_t len)
{
	if (len == SIZE_MAX)
		return NULL;
	char *copy = mxw__arena_alloc(arena, len + 1);
	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *mxw__arena_strdup(mxw__arena_t *arena, const char *s)
{
	return mxw__arena_strndup(arena, s, strlen(s));
}

char *mxw__arena_printf(mxw__arena_t *arena, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		return NULL;
	char *s = mxw__arena_alloc(arena, (size_t)len + 1);
	if (!s)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return s;
}

size_t mxw__arena_used(const mxw__arena_t *arena)
{
	return arena->given;
}

bool mxw__mul_size(size_t a, size_t b, size_t *ret)
{
	return !__builtin_mul_overflow(a, b, ret);
}

void *mxw__calloc(size_t n, size_t size)
{
	size_t total;
	if (!mxw__mul_size(n, size, &total))
		return NULL;
	return calloc(1, total ? total : 1);
}

void mxw__wipe(void *p, size_t len)
{
	if (p)
		explicit_bzero(p, len);
}

void mxw__free_secret(char *s)
{
	if (!s)
		return;
	mxw__wipe(s, strlen(s));
	free(s);
}
