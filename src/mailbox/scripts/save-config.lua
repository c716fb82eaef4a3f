-- Keeps a config, new or in place of the one before, if every alias it names is one. Who does it may UPDATE it.
--
-- KEYS[1] configs        of the tenant → record
-- KEYS[2] config actors  of the tenant → ids and aliases, separated by commas
-- KEYS[3] configs of     sorted set: id or alias NUL config
-- KEYS[4] permissions    of the config
-- KEYS[5] aliases        of the tenant
-- ARGV[1] name
-- ARGV[2] 'create' | 'replace'
-- ARGV[3] record         JSON
-- ARGV[4] actors         ids and aliases, separated by commas
-- ARGV[5] aliases        among them
-- ARGV[6] user
-- ARGV[7] kept           'kept' where the record is one that was read, and is saved only while it is there
-- Returns 'saved' | 'used' | 'gone' | 'changed' | 'unknown ' and the alias that is none
local exists = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1
if exists and ARGV[2] == 'create' then return 'used' end
if not exists and ARGV[2] == 'replace' then return 'gone' end
if ARGV[7] == 'kept' and redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[3] then return 'changed' end
for alias in string.gmatch(ARGV[5], '[^,]+') do
  if redis.call('HEXISTS', KEYS[5], alias) == 0 then return 'unknown ' .. alias end
end
unlistConfig(KEYS[2], KEYS[3], ARGV[1])
for word in string.gmatch(ARGV[4], '[^,]+') do
  redis.call('ZADD', KEYS[3], 0, word .. '\0' .. ARGV[1])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
redis.call('HSET', KEYS[4], ARGV[6], 3)
return 'saved'
