/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What runs in Redis. mxward(8) describes the keys.
 *
 * What somebody else has put there may be anything: it is not read beyond a size, and not written over.
 */
#include "config.h"

#include "src/share/thread.h"

#define COMMON \
	"local t = redis.call('TIME')\n" \
	"local now = t[1] * 1000 + math.floor(t[2] / 1000)\n" \
	"local function fetch(key)\n" \
	"  local n = redis.pcall('HLEN', key)\n" \
	"  if type(n) ~= 'number' or n > 128 then return {}, true end\n" \
	"  local flat = redis.call('HGETALL', key)\n" \
	"  for i = 1, #flat do\n" \
	"    if #flat[i] > 512 then return {}, true end\n" \
	"  end\n" \
	"  return flat\n" \
	"end\n"

/*
 * KEYS: the record, and the index of changes if its sort has one. ARGV: half-life, age and lifetime in milliseconds, who writes, the
 * number of this push of his, 1 if the record was removed, its text; and for each field how it is merged, its name and value.
 *
 * w has who wrote last, with the number: a push that is repeated since its answer was lost changes nothing. A record that was removed stays for a while
 * as `gone`, so that others hear of it. What is older than the removal is not taken for new.
 */
static const char merge[] = COMMON
	"local key, half_life, id, number = KEYS[1], tonumber(ARGV[1]), ARGV[4], tonumber(ARGV[5])\n"
	"local at = now - tonumber(ARGV[2])\n"
	"local old, is_seen = {}, false\n"
	"local flat, is_foreign = fetch(key)\n"
	"if is_foreign then return redis.error_reply('ERR there is something else in ' .. key) end\n"
	"for i = 1, #flat, 2 do old[flat[i]] = flat[i + 1] end\n"
	"local writers = {id .. '=' .. ARGV[5]}\n"
	"for i, n in string.gmatch(old.w or '', '(%w+)=(%d+)') do\n"
	"  if i ~= id then\n"
	"    if #writers < 8 then writers[#writers + 1] = i .. '=' .. n end\n"
	"  elseif tonumber(n) >= number then\n"
	"    is_seen = true\n"
	"  end\n"
	"end\n"
	"local old_at = tonumber(old.at or '') or at\n"
	"if old_at > now then old_at = now end\n"
	"if is_seen or (old.gone and at <= old_at) or (ARGV[6] == '1' and at < old_at) then\n"
	"  return {now, flat}\n"
	"end\n"
	"local function number_of(name)\n"
	"  local v = tonumber(old['f:' .. name] or '')\n"
	"  if v ~= v then v = nil end\n"
	"  return v\n"
	"end\n"
	"local function left(value, ms)\n"
	"  if ms <= 0 or half_life <= 0 then return value end\n"
	"  return value * 2 ^ (-ms / half_life)\n"
	"end\n"
	"if old.gone or ARGV[6] == '1' or #flat == 0 then\n"
	"  redis.call('DEL', key)\n"
	"  old = {}\n"
	"  old_at = at\n"
	"end\n"
	"local base = math.max(at, old_at)\n"
	"local is_newer, is_reset, is_behind = at >= old_at, false, false\n"
	"local is_late = false\n"
	"for i = 8, #ARGV, 3 do\n"
	"  if ARGV[i] == 'reset' then\n"
	"    local was, new = number_of(ARGV[i + 1]) or 0, tonumber(ARGV[i + 2])\n"
	"    if new > was then is_reset = true end\n"
	/* Who has not heard of a forgiving tells what was before it: of a sum, if it is as old; of a set, always, since that is told whole. */
	"    is_behind = new < was\n"
	"    is_late = is_behind and at <= was\n"
	"  end\n"
	"end\n"
	"local set = {'at', string.format('%.0f', base), 'w', table.concat(writers, ',')}\n"
	"local function put(name, value)\n"
	"  set[#set + 1] = name\n"
	"  set[#set + 1] = value\n"
	"end\n"
	"for i = 8, #ARGV, 3 do\n"
	"  local how, name, new = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])\n"
	"  local was = number_of(name)\n"
	"  if how == 'add' or how == 'count' then\n"
	"    if is_reset then was = 0 end\n"
	"    if is_late then new = 0 end\n"
	"    new = left(was or 0, base - old_at) + left(new, base - at)\n"
	"    if how == 'count' and new < 0 then new = 0 end\n"
	"  elseif how == 'time' then\n"
	"    if is_reset then was = 0 end\n"
	"    if is_late then new = 0 end\n"
	"    if new > 0 then new = math.max(was or 0, at) + new else new = was or 0 end\n"
	"  elseif how == 'min' then\n"
	"    if was and was < new then new = was end\n"
	"  elseif how == 'bits' then\n"
	"    if is_reset then was = 0 end\n"
	"    if is_behind then new = 0 end\n"
	/* Signed, as it comes from bor(). */
	"    new = bit.bor(was or 0, new) % 4294967296\n"
	"  elseif how == 'latest' then\n"
	"    if was and not is_newer then new = was end\n"
	"  else\n"
	"    if was and was > new then new = was end\n"
	"  end\n"
	"  put('f:' .. name, string.format('%.17g', new))\n"
	"end\n"
	"if is_newer then\n"
	"  put('hl', ARGV[1])\n"
	"  put('ex', string.format('%.0f', now + tonumber(ARGV[3])))\n"
	"  if ARGV[7] ~= '' then put('text', ARGV[7]) elseif old.text then redis.call('HDEL', key, 'text') end\n"
	"end\n"
	"if ARGV[6] == '1' then put('gone', '1') end\n"
	"redis.call('HSET', key, unpack(set))\n"
	"if is_newer then redis.call('PEXPIRE', key, ARGV[3]) end\n"
	"if KEYS[2] then redis.call('ZADD', KEYS[2], now, key) end\n"
	"return {now, (fetch(key))}\n";

/* KEYS: records. */
static const char fetch[] = COMMON
	"local out = {now}\n"
	"for i = 1, #KEYS do out[i + 1] = (fetch(KEYS[i])) end\n"
	"return out\n";

/*
 * KEYS: an index of changes. ARGV: since when, how many to leave out, how many to give. Gives the time, how many it looked at, and name and
 * record of each. What has expired meanwhile leaves the index.
 */
static const char changes[] = COMMON
	"local names = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf', 'LIMIT', ARGV[2], ARGV[3])\n"
	"local out = {now, #names}\n"
	"for i = 1, #names do\n"
	"  local flat = fetch(names[i])\n"
	"  if #flat == 0 then\n"
	"    redis.call('ZREM', KEYS[1], names[i])\n"
	"  else\n"
	"    out[#out + 1] = names[i]\n"
	"    out[#out + 1] = flat\n"
	"  end\n"
	"end\n"
	"return out\n";

const char *const mxw__share_scripts[MXW__SCRIPTS] = {
	[MXW__SCRIPT_MERGE] = merge,
	[MXW__SCRIPT_FETCH] = fetch,
	[MXW__SCRIPT_CHANGES] = changes,
};
