-- Puts a message that was never launched back to its old place. One with an intent stays held: whoever takes it over
-- has to look first.
--
-- KEYS[1] mailbox
-- KEYS[2] held
-- KEYS[3] execution
-- ARGV[1] news channel
-- ARGV[2] execution id
-- ARGV[3] fence
-- ARGV[4] wait          JSON why it waits, or empty
-- Returns 'given-back' | 'intended' | 'lost'
-- Emits   posted
if not holds(KEYS[3], ARGV[3]) then return 'lost' end
if redis.call('HEXISTS', KEYS[3], 'attempt') == 1 then return 'intended' end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[1], redis.call('HGET', KEYS[3], 'place'), ARGV[2])
redis.call('HSET', KEYS[3], 'fence', '0')
redis.call('HDEL', KEYS[3], 'worker')
if ARGV[4] ~= '' then redis.call('HSET', KEYS[3], 'wait', ARGV[4]) end
news(ARGV[1], 'posted', ARGV[2])
return 'given-back'
