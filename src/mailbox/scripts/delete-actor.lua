-- Deletes an actor in two steps: first it takes no message any more, then, when nothing waits and nothing is held, its
-- state and its nonces go. Its permissions stay until those who stand in them have lost it from their lists. The last trace
-- goes with the last thing the history is owed.
--
-- KEYS[1] actor
-- KEYS[2] mailbox
-- KEYS[3] held
-- KEYS[4] state
-- KEYS[5] outbox
-- KEYS[6] nonces
-- ARGV[1] news channel
-- ARGV[2] versions      of the record, of which it has to have one when it is asked first, or empty
-- Returns 'deleted' | 'busy' | 'gone' | 'stale'
-- Emits   actor
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'deleted' then return 'gone' end
if status ~= 'shutting_down' then
  if not isVersion(KEYS[1], 'version', ARGV[2]) then return 'stale' end
  changeRecord(KEYS[1])
  redis.call('HSET', KEYS[1], 'status', 'shutting_down')
  oweActor(KEYS[1], KEYS[5])
  news(ARGV[1], 'actor', '-')
end
if redis.call('ZCARD', KEYS[2]) > 0 or redis.call('ZCARD', KEYS[3]) > 0 then return 'busy' end
redis.call('DEL', KEYS[4], KEYS[6])
redis.call('HSET', KEYS[1], 'status', 'deleted')
oweActor(KEYS[1], KEYS[5])
news(ARGV[1], 'actor', '-')
return 'deleted'
