-- Puts a record of a config in place of the one that was read, if that is still there.
--
-- KEYS[1] configs        of the tenant → record
-- ARGV[1] name
-- ARGV[2] before         record as it was read
-- ARGV[3] record         JSON
-- Returns 'resealed' | 'changed'
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 'changed' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 'resealed'
