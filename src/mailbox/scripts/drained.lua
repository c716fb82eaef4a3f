-- The history has confirmed an outbox entry: it is owed no more. An execution that has ended is forgotten here; what
-- changed again meanwhile stays owed; a deleted actor goes when nothing else of it is left.
--
-- KEYS[1] actor
-- KEYS[2] outbox
-- KEYS[3] execution     of the entry; unused for 'actor'
-- KEYS[4] cleanup
-- KEYS[5] link events
-- KEYS[6] webhook events
-- KEYS[7] causes
-- ARGV[1] entry         'x:<execution id>' | 'actor'
-- ARGV[2] number        of the entry as it was read
-- Returns 'drained' | 'changed' | 'gone' (another process was first) | 'forgotten' (the actor, whole)
local number = redis.call('ZSCORE', KEYS[2], ARGV[1])
if number and tonumber(number) ~= tonumber(ARGV[2]) then return 'changed' end
local drained = number and 'drained' or 'gone'
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[1] ~= 'actor' then
  local state = redis.call('HGET', KEYS[3], 'state')
  if state == 'complete' or state == 'error' then redis.call('DEL', KEYS[3]) end
end
if redis.call('HGET', KEYS[1], 'status') == 'deleted' and redis.call('ZCARD', KEYS[2]) == 0
  and redis.call('HLEN', KEYS[4]) == 0 and redis.call('EXISTS', KEYS[5], KEYS[6]) == 0 then
  redis.call('DEL', KEYS[1], KEYS[7])
  return 'forgotten'
end
return drained
