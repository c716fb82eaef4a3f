-- Stores a message that nobody sent: one of an event or of a schedule. A cause is a name and a number that only grows, and
-- the highest number seen of each is kept, so that a message is stored once however often and however late it is told.
--
-- KEYS[1] actor
-- KEYS[2] mailbox
-- KEYS[3] execution
-- KEYS[4] causes
-- KEYS[5] outbox
-- ARGV[1] news channel
-- ARGV[2] execution id
-- ARGV[3] meta          JSON: content type, environment, executor, cause
-- ARGV[4] body          the bytes
-- ARGV[5] cause         its name
-- ARGV[6] number        of the cause
-- ARGV[7] via           ids of the actors whose events led here, or empty
-- ARGV[8] most          messages that may wait; 0 is no limit
-- Returns 'posted' | 'repeated' | 'gone' | 'full' | 'used-id'
-- Emits   posted, when it is the only one that waits
local actor = redis.call('HMGET', KEYS[1], 'status', 'revision')
if not actor[1] or actor[1] == 'deleted' or actor[1] == 'shutting_down' then return 'gone' end
local seen = redis.call('HGET', KEYS[4], 'from:' .. ARGV[5])
if seen and tonumber(seen) >= tonumber(ARGV[6]) then return 'repeated' end
local waiting = redis.call('ZCARD', KEYS[2])
local most = tonumber(ARGV[8])
if most > 0 and waiting >= most then return 'full' end
if redis.call('EXISTS', KEYS[3]) == 1 then return 'used-id' end
storeMessage(KEYS[1], KEYS[2], KEYS[3], KEYS[5], ARGV[2], actor[2], { 'meta', ARGV[3], 'body', ARGV[4], 'via', ARGV[7] })
redis.call('HSET', KEYS[4], 'from:' .. ARGV[5], ARGV[6])
if waiting == 0 then news(ARGV[1], 'posted', ARGV[2]) end
return 'posted'
