-- Takes over one execution whose lease ran out. One without an intent was never launched: it goes back to its old place.
-- Any other is leased to the caller under a new fence, which shuts out whoever held it before. One call looks at 64 late
-- leases, the longest late first; where the caller reaches the place of none, those behind them are for the next call.
--
-- KEYS[1] actor
-- KEYS[2] mailbox
-- KEYS[3] held
-- KEYS[4] executions    prefix of the execution keys
-- ARGV[1] news channel
-- ARGV[2] worker id
-- ARGV[3] lease         ms
-- ARGV[4] passed over   how many late leases earlier calls have looked at
-- ARGV[5] place         each further argument: a launcher's place the caller can reach; none given is any
-- Returns {'none'} | {'elsewhere', how many were looked at} | {'returned', id}
--   | {'adopted', id, fence, how many wait still, execution hash, actor hash}
-- Emits   posted
local reachable = {}
for index = 5, #ARGV do reachable[ARGV[index]] = true end

local id, execution
local lates = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', nowMs(), 'LIMIT', ARGV[4], 64)
for _, late in ipairs(lates) do
  local place = redis.call('HGET', KEYS[4] .. late, 'launcher')
  if not place or #ARGV < 5 or reachable[place] then
    id, execution = late, KEYS[4] .. late
    break
  end
end
if not id then return #lates < 64 and { 'none' } or { 'elsewhere', #lates } end
if redis.call('HEXISTS', execution, 'attempt') == 0 then
  redis.call('ZREM', KEYS[3], id)
  redis.call('HSET', execution, 'fence', '0')
  redis.call('HDEL', execution, 'worker')
  redis.call('ZADD', KEYS[2], redis.call('HGET', execution, 'place'), id)
  news(ARGV[1], 'posted', id)
  return { 'returned', id }
end
local fence = nextNumber(KEYS[1], 'fence')
redis.call('HSET', execution, 'fence', fence, 'worker', ARGV[2])
redis.call('ZADD', KEYS[3], nowMs() + tonumber(ARGV[3]), id)
return { 'adopted', id, fence, redis.call('ZCARD', KEYS[2]), redis.call('HGETALL', execution), redis.call('HGETALL', KEYS[1]) }
