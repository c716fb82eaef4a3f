-- Lets a worker keep what it holds for another while. Says so when the execution is to be cancelled, and when the lease
-- is no longer its own: then it may finish nothing, but what runs goes on.
--
-- KEYS[1] held
-- KEYS[2] execution
-- ARGV[1] execution id
-- ARGV[2] fence
-- ARGV[3] lease         ms
-- Returns 'extended' | 'cancel' | 'lost'
if not holds(KEYS[2], ARGV[2]) then return 'lost' end
redis.call('ZADD', KEYS[1], 'XX', nowMs() + tonumber(ARGV[3]), ARGV[1])
if redis.call('HEXISTS', KEYS[2], 'cancel') == 1 then return 'cancel' end
return 'extended'
