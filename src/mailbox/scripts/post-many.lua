-- Posts messages one after the other in one step, each as post.lua would: what is refused of one says nothing of the next.
-- What all of them share is read once, and their places are added together, so each costs a fraction of a post of its own.
--
-- KEYS[1] actor
-- KEYS[2] mailbox
-- KEYS[3] executions    prefix of the execution keys
-- KEYS[4] idempotencies   prefix of the keys of Idempotency-Keys
-- KEYS[5] permissions
-- KEYS[6] outbox
-- ARGV[1] news channel
-- ARGV[2] most          messages that may wait; 0 is no limit
-- ARGV[3] user          who needs EXECUTE, or empty for whom no map binds
-- ARGV[4] messages      six each: execution id, meta, body, blob, digest, name of its idempotency (as for post.lua)
-- Returns {'posted' | 'replayed <id of the first>' | 'conflict' | 'gone' | 'forbidden' | 'full' | 'used-id', … for each}
-- Emits   posted, when nothing waited before
local actor = redis.call('HMGET', KEYS[1], 'status', 'revision', 'owner', 'posted', 'outboxed')
local gone = not actor[1] or actor[1] == 'deleted'
local forbidden = not gone and ARGV[3] ~= '' and not permits(KEYS[5], ARGV[3], actor[3], 2)
local most = tonumber(ARGV[2])
local before = redis.call('ZCARD', KEYS[2])
local received = nowMs()
local place, owed = tonumber(actor[4] or 0), tonumber(actor[5] or 0)
local places, entries, taken = {}, {}, 0

local function postOne(id, meta, body, blob, digest, name)
  if gone then return 'gone' end
  if forbidden then return 'forbidden' end
  local idempotency = KEYS[4] .. name
  if digest ~= '' then
    local first = redis.call('HMGET', idempotency, 'digest', 'execution')
    if first[1] == digest then return 'replayed ' .. first[2] end
    if first[1] then return 'conflict' end
  end
  if actor[1] == 'shutting_down' then return 'gone' end
  if most > 0 and before + taken >= most then return 'full' end
  local execution = KEYS[3] .. id
  if redis.call('EXISTS', execution) == 1 then return 'used-id' end
  taken = taken + 1
  local kind, bytes = 'body', body
  if blob ~= '' then kind, bytes = 'blob', blob end
  redis.call('HSET', execution, 'state', 'submitted', 'place', place + taken, 'fence', '0', 'received', received,
    'revision', actor[2], 'meta', meta, kind, bytes)
  if digest ~= '' then
    redis.call('HSET', idempotency, 'digest', digest, 'execution', id)
    redis.call('HSET', execution, 'idempotency', idempotency)
  end
  local at = 2 * taken
  places[at - 1], places[at] = place + taken, id
  entries[at - 1], entries[at] = owed + taken, 'x:' .. id
  return 'posted'
end

local answers = {}
for at = 4, #ARGV, 6 do
  answers[#answers + 1] = postOne(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
end
if taken > 0 then
  redis.call('ZADD', KEYS[2], unpack(places))
  redis.call('ZADD', KEYS[6], unpack(entries))
  redis.call('HINCRBY', KEYS[1], 'posted', taken)
  redis.call('HINCRBY', KEYS[1], 'outboxed', taken)
  if before == 0 then news(ARGV[1], 'posted', places[2]) end
end
return answers
