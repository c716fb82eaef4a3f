-- Says why a held execution waits, and counts a start that failed with its marker still free.
--
-- KEYS[1] execution
-- ARGV[1] news channel
-- ARGV[2] execution id
-- ARGV[3] fence
-- ARGV[4] wait          JSON
-- ARGV[5] failed        '1' when a start failed
-- Returns number of failed starts | 'lost'
-- Emits   wait
if not holds(KEYS[1], ARGV[3]) then return 'lost' end
redis.call('HSET', KEYS[1], 'wait', ARGV[4])
news(ARGV[1], 'wait', ARGV[2])
if ARGV[5] == '1' then return redis.call('HINCRBY', KEYS[1], 'startFailures', 1) end
return tonumber(redis.call('HGET', KEYS[1], 'startFailures') or '0')
