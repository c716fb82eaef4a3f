-- Stores a message, its execution (submitted) and its place in the mailbox in one step. Once this has answered, the
-- message is executed once, whatever dies. An execution id is never used twice. The history is owed what a search finds.
--
-- KEYS[1] actor
-- KEYS[2] mailbox
-- KEYS[3] execution
-- KEYS[4] idempotency   key of this caller's Idempotency-Key; unused when ARGV[6] is empty
-- KEYS[5] permissions
-- KEYS[6] outbox
-- ARGV[1] news channel
-- ARGV[2] execution id
-- ARGV[3] meta          JSON: content type, environment, executor
-- ARGV[4] body          the bytes, or empty when it is a blob
-- ARGV[5] blob          "name bytes", or empty
-- ARGV[6] digest        of what was sent under the Idempotency-Key, or empty
-- ARGV[7] most          messages that may wait; 0 is no limit
-- ARGV[8] user          who needs EXECUTE, or empty for whom no map binds
-- Returns {'posted', id, owner} | {'replayed', id of the first, owner} | {'conflict'} | {'gone'} | {'forbidden'} | {'full'} |
--         {'used-id'}
-- Emits   posted, when it is the only one that waits
local actor = redis.call('HMGET', KEYS[1], 'status', 'revision', 'owner')
if not actor[1] or actor[1] == 'deleted' then return { 'gone' } end
if ARGV[8] ~= '' and not permits(KEYS[5], ARGV[8], actor[3], 2) then return { 'forbidden' } end
if ARGV[6] ~= '' then
  local first = redis.call('HMGET', KEYS[4], 'digest', 'execution')
  if first[1] then
    if first[1] == ARGV[6] then return { 'replayed', first[2], actor[3] } end
    return { 'conflict' }
  end
end
if actor[1] == 'shutting_down' then return { 'gone' } end
local waiting = redis.call('ZCARD', KEYS[2])
local most = tonumber(ARGV[7])
if most > 0 and waiting >= most then return { 'full' } end
if redis.call('EXISTS', KEYS[3]) == 1 then return { 'used-id' } end

local body, bytes = 'body', ARGV[4]
if ARGV[5] ~= '' then body, bytes = 'blob', ARGV[5] end
storeMessage(KEYS[1], KEYS[2], KEYS[3], KEYS[6], ARGV[2], actor[2], { 'meta', ARGV[3], body, bytes })
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[4], 'digest', ARGV[6], 'execution', ARGV[2])
  redis.call('HSET', KEYS[3], 'idempotency', KEYS[4])
end
-- Behind others that wait nobody has to be woken: whoever takes the one before looks for the next.
if waiting == 0 then news(ARGV[1], 'posted', ARGV[2]) end
return { 'posted', ARGV[2], actor[3] }
