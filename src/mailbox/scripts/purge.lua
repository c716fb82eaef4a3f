-- Ends waiting messages as cancelled, the oldest first, a bounded number at a time.
--
-- KEYS[1] actor
-- KEYS[2] mailbox
-- KEYS[3] executions    prefix of the execution keys
-- KEYS[4] outbox
-- ARGV[1] news channel
-- ARGV[2] most          how many at most
-- ARGV[3] keep key      ms an Idempotency-Key is kept from now on
-- ARGV[4] detail        one sentence on the end
-- Returns {number ended, number still waiting}
-- Emits   ended
local oldest = redis.call('ZPOPMIN', KEYS[2], ARGV[2])
local ended = 0
for index = 1, #oldest, 2 do
  local id = oldest[index]
  local execution = KEYS[3] .. id
  redis.call('HSET', execution, 'end', 'cancelled', 'endDetail', ARGV[4], 'finished', nowMs())
  endExecution(KEYS[1], execution, KEYS[4], id, 'complete', ARGV[3])
  news(ARGV[1], 'ended', id)
  ended = ended + 1
end
return { ended, redis.call('ZCARD', KEYS[2]) }
