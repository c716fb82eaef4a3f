-- Frees an alias, with its permissions and nonces, if it still is as it was read: what somebody made of the name meanwhile
-- stays. Configs name it no more, so that who takes it next is given none of them.
--
-- KEYS[1] aliases       of the tenant → record
-- KEYS[2] aliases of the actor
-- KEYS[3] permissions
-- KEYS[4] nonces
-- KEYS[5] config actors  of the tenant → ids and aliases, separated by commas
-- KEYS[6] configs of    sorted set: id or alias NUL config
-- ARGV[1] alias
-- ARGV[2] record        as it was read
-- Returns 'dropped' | 'changed'
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 'changed' end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3], KEYS[4])
forgetInConfigs(KEYS[5], KEYS[6], ARGV[1])
return 'dropped'
