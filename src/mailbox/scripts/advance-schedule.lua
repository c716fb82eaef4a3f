-- Moves a schedule on to its next time, unless it was changed or moved on meanwhile. The history is owed the record.
--
-- KEYS[1] actor
-- KEYS[2] outbox
-- ARGV[1] news channel
-- ARGV[2] schedule      as it was read
-- ARGV[3] due           next time as it was read
-- ARGV[4] next          the one after it
-- Returns 'advanced' | 'changed'
-- Emits   state
local actor = redis.call('HMGET', KEYS[1], 'status', 'cronSchedule', 'cronNext')
if actor[1] == 'deleted' or actor[2] ~= ARGV[2] or actor[3] ~= ARGV[3] then return 'changed' end
redis.call('HSET', KEYS[1], 'cronNext', ARGV[4])
changeRecord(KEYS[1])
oweActor(KEYS[1], KEYS[2])
news(ARGV[1], 'state', '-')
return 'advanced'
