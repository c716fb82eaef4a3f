-- Gives an actor an alias that no other of the tenant has; of two that ask at once, one gets it. Who does it may UPDATE
-- the alias.
--
-- KEYS[1] aliases       of the tenant → record
-- KEYS[2] aliases of the actor
-- KEYS[3] permissions   of the alias
-- ARGV[1] alias
-- ARGV[2] record        JSON
-- ARGV[3] user
-- Returns 'taken' | 'used'
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 'used' end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[3], 3)
return 'taken'
