-- Replaces the state of a stateful actor. A state sent with an execution's token counts only while that execution lives.
-- The history is owed the actor with it.
--
-- KEYS[1] actor
-- KEYS[2] state
-- KEYS[3] execution     of the token; unused when ARGV[3] is '0'
-- KEYS[4] outbox
-- ARGV[1] news channel
-- ARGV[2] state         JSON
-- ARGV[3] by execution  '1' when sent with an execution's token
-- ARGV[4] versions      of the state, of which it has to have one, or empty
-- Returns the new version | 'stateless' | 'gone' | 'ended' | 'stale'
-- Emits   state
local actor = redis.call('HMGET', KEYS[1], 'status', 'stateless')
if not actor[1] or actor[1] == 'shutting_down' or actor[1] == 'deleted' then return 'gone' end
if actor[2] == '1' then return 'stateless' end
if ARGV[3] == '1' then
  local state = redis.call('HGET', KEYS[3], 'state')
  if not state or state == 'complete' or state == 'error' then return 'ended' end
end
if not isVersion(KEYS[1], 'stateVersion', ARGV[4]) then return 'stale' end
redis.call('SET', KEYS[2], ARGV[2])
local version = nextNumber(KEYS[1], 'stateVersion')
oweActor(KEYS[1], KEYS[4])
news(ARGV[1], 'state', '-')
return version
