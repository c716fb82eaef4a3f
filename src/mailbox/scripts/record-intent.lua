-- Writes what is about to be launched before it is, so that whoever takes over launches the same attempt or none. A
-- higher attempt leaves a cleanup entry for the one before it.
--
-- KEYS[1] execution
-- KEYS[2] cleanup
-- ARGV[1] execution id
-- ARGV[2] fence
-- ARGV[3] attempt
-- ARGV[4] launcher
-- ARGV[5] not after     ms
-- ARGV[6] token hash    of the access token this start is given
-- Returns 'recorded' | 'cancelled' | 'lost'
if not holds(KEYS[1], ARGV[2]) then return 'lost' end
if redis.call('HEXISTS', KEYS[1], 'cancel') == 1 then return 'cancelled' end
local before = redis.call('HMGET', KEYS[1], 'attempt', 'launcher', 'tokens')
if before[1] and tonumber(before[1]) < tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[2], ARGV[1] .. ':' .. before[1], before[2])
  redis.call('HDEL', KEYS[1], 'handle')
end
redis.call('HSET', KEYS[1], 'attempt', ARGV[3], 'launcher', ARGV[4], 'notAfter', ARGV[5], 'intentFence', ARGV[2],
  'tokens', (before[3] and before[3] .. ' ' or '') .. ARGV[6])
return 'recorded'
