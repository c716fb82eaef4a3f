-- Owes the history the record of an actor, of which something changed that stands elsewhere; one that is going is none.
--
-- KEYS[1] actor
-- KEYS[2] outbox
-- ARGV[1] news channel
-- Returns 'owed' | 'gone'
-- Emits   actor
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'shutting_down' or status == 'deleted' then return 'gone' end
redis.call('ZADD', KEYS[2], nextNumber(KEYS[1], 'outboxed'), 'actor')
news(ARGV[1], 'actor', '-')
return 'owed'
