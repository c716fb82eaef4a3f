-- Takes the link to a name that is nobody's any more from an actor, if that still is its link, and sees to it that what its
-- events to that name have not become yet they never become, whoever takes the name. The history is owed the record.
--
-- KEYS[1] actor
-- KEYS[2] outbox
-- KEYS[3] causes
-- ARGV[1] news channel
-- ARGV[2] link
-- ARGV[3] record        as it was read
-- ARGV[4] new record    without the link
-- Returns 'unlinked' | 'other', when it is not its link | 'changed'
-- Emits   actor
local actor = redis.call('HMGET', KEYS[1], 'link', 'record', 'events')
if actor[3] then redis.call('HSET', KEYS[3], 'freed:' .. ARGV[2], actor[3]) end
if actor[1] ~= ARGV[2] then return 'other' end
if actor[2] ~= ARGV[3] then return 'changed' end
redis.call('HSET', KEYS[1], 'link', '', 'record', ARGV[4])
changeRecord(KEYS[1])
oweActor(KEYS[1], KEYS[2])
news(ARGV[1], 'actor', '-')
return 'unlinked'
