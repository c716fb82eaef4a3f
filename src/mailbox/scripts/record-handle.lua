-- Writes what a launch gave back, so that it can be watched by any process for ever after. Late news says whether the
-- execution has ended meanwhile: then the latecomer removes what it may have made.
--
-- KEYS[1] execution
-- ARGV[1] fence
-- ARGV[2] handle        JSON
-- Returns 'recorded' | 'lost' | 'ended'
if not holds(KEYS[1], ARGV[1]) then
  local state = redis.call('HGET', KEYS[1], 'state')
  if not state or state == 'complete' or state == 'error' then return 'ended' end
  return 'lost'
end
redis.call('HSET', KEYS[1], 'handle', ARGV[2])
return 'recorded'
