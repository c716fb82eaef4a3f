-- Owes the history the record of an actor, of which something changed that stands elsewhere; one that is going is none.
--
-- KEYS[1] actor
-- KEYS[2] outbox
-- ARGV[1] news channel
-- Returns 'owed' | 'gone'
-- Emits   actor
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'shutting_down' or status == 'deleted' then return 'gone' end
oweActor(KEYS[1], KEYS[2])
news(ARGV[1], 'actor', '-')
return 'owed'
