-- Ends an execution, once: checks the fence, ends the lease, owes the history its record, and adds the cleanup entry
-- under which its container is removed even after a crash, and the event of the end, all in one step.
--
-- KEYS[1] actor
-- KEYS[2] held
-- KEYS[3] execution
-- KEYS[4] outbox
-- KEYS[5] cleanup
-- KEYS[6] results
-- KEYS[7] results read
-- KEYS[8] link events
-- KEYS[9] webhook events
-- ARGV[1] news channel
-- ARGV[2] execution id
-- ARGV[3] fence
-- ARGV[4] state         'complete' | 'error'
-- ARGV[5] keep key      ms the Idempotency-Key is kept from now on
-- ARGV[6] keep results  ms the results are kept from their last use on
-- ARGV[7] field         each further pair: field and value of the execution hash (end, log, usage)
-- Returns 'settled' | 'lost'
-- Emits   ended, and the event that is owed
local before = redis.call('HMGET', KEYS[3], 'fence', 'state', 'attempt', 'launcher', 'results')
if before[1] ~= ARGV[3] or before[2] == 'complete' or before[2] == 'error' then return 'lost' end
redis.call('HSET', KEYS[3], unpack(ARGV, 7))
if before[3] then redis.call('HSET', KEYS[5], ARGV[2] .. ':' .. before[3], before[4]) end
redis.call('ZREM', KEYS[2], ARGV[2])
if before[5] then
  redis.call('PEXPIRE', KEYS[6], ARGV[6])
  redis.call('PEXPIRE', KEYS[7], ARGV[6])
end
endExecution(KEYS[1], KEYS[3], KEYS[4], ARGV[2], ARGV[4], ARGV[5])
local ended = redis.call('HMGET', KEYS[3], 'exitCode', 'via')
oweEvent(ARGV[1], KEYS[1], KEYS[8], KEYS[9],
  { kind = 'ended', execution = ARGV[2], state = ARGV[4], exitCode = ended[1] or nil, via = ended[2] or nil })
news(ARGV[1], 'ended', ARGV[2])
return 'settled'
