-- Deletes a config, with its permissions.
--
-- KEYS[1] configs        of the tenant → record
-- KEYS[2] config actors  of the tenant → ids and aliases, separated by commas
-- KEYS[3] configs of     sorted set: id or alias NUL config
-- KEYS[4] permissions    of the config
-- ARGV[1] name
-- Returns 'dropped' | 'gone'
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 'gone' end
unlistConfig(KEYS[2], KEYS[3], ARGV[1])
redis.call('DEL', KEYS[4])
return 'dropped'
