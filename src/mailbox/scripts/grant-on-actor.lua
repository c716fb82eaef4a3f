-- Gives a user a level on an actor, in place of the one before. The history is owed the record.
--
-- KEYS[1] actor
-- KEYS[2] permissions
-- KEYS[3] outbox
-- ARGV[1] news channel
-- ARGV[2] user
-- ARGV[3] level         0 to 3
-- Returns 'granted' | 'gone'
-- Emits   actor
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'deleted' then return 'gone' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
oweActor(KEYS[1], KEYS[3])
news(ARGV[1], 'actor', '-')
return 'granted'
