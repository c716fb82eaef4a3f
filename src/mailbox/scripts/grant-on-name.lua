-- Gives a user a level on something that a tenant knows by its name, in place of the one before.
--
-- KEYS[1] names         of this kind in the tenant → record
-- KEYS[2] permissions
-- ARGV[1] name
-- ARGV[2] user
-- ARGV[3] level         0 to 3
-- Returns 'granted' | 'gone'
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 'gone' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 'granted'
