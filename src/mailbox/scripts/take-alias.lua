-- Gives an actor an alias that no other of the tenant has and to which nobody is linked from before; of two that ask at
-- once, one gets it. Who does it may UPDATE the alias.
--
-- KEYS[1] aliases       of the tenant → record
-- KEYS[2] aliases of the actor
-- KEYS[3] permissions   of the alias
-- KEYS[4] links to      sorted set: id or alias NUL actor
-- ARGV[1] alias
-- ARGV[2] record        JSON
-- ARGV[3] user
-- Returns 'taken' | 'used' | 'linked'
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 'used' end
local links = redis.call('ZRANGEBYLEX', KEYS[4], '[' .. ARGV[1] .. '\0', '(' .. ARGV[1] .. '\1', 'LIMIT', 0, 1)
if #links > 0 then return 'linked' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[3], 3)
return 'taken'
