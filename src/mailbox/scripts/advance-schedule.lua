-- Moves a schedule on to its next time, unless it was changed or moved on meanwhile. The history is owed the record.
--
-- KEYS[1] actor
-- KEYS[2] outbox
-- ARGV[1] schedule      as it was read
-- ARGV[2] due           next time as it was read
-- ARGV[3] next          the one after it
-- Returns 'advanced' | 'changed'
local actor = redis.call('HMGET', KEYS[1], 'status', 'cronSchedule', 'cronNext')
if actor[1] == 'deleted' or actor[2] ~= ARGV[1] or actor[3] ~= ARGV[2] then return 'changed' end
redis.call('HSET', KEYS[1], 'cronNext', ARGV[3])
changeRecord(KEYS[1])
oweActor(KEYS[1], KEYS[2])
return 'advanced'
