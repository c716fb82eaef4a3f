-- Lets an alias stand for another actor, if it still is as it was read. Who does it may UPDATE the alias.
--
-- KEYS[1] aliases       of the tenant → record
-- KEYS[2] aliases of the old actor
-- KEYS[3] aliases of the new one
-- KEYS[4] permissions   of the alias
-- ARGV[1] alias
-- ARGV[2] record        as it was read
-- ARGV[3] new record    JSON
-- ARGV[4] user
-- Returns 'moved' | 'changed'
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 'changed' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('HSET', KEYS[4], ARGV[4], 3)
return 'moved'
