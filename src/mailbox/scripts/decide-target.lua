-- Decides, once for all who deliver it, which actor and which execution an event of a link goes to: nobody's, where the
-- name it was linked to has been nobody's since the event came about.
--
-- KEYS[1] causes
-- ARGV[1] number        of the event
-- ARGV[2] link          as the event has it
-- ARGV[3] target        JSON
-- Returns target, the one that was decided first | 'nobody'
local known = redis.call('HMGET', KEYS[1], 'to:' .. ARGV[1], 'freed:' .. ARGV[2])
if known[1] then return known[1] end
if known[2] and tonumber(known[2]) >= tonumber(ARGV[1]) then return 'nobody' end
redis.call('HSET', KEYS[1], 'to:' .. ARGV[1], ARGV[3])
return ARGV[3]
