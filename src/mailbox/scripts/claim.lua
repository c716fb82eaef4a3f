-- Takes the oldest waiting message and leases it under a fence that only grows. At most one worker holds a message at a
-- time; of a stateful actor at most one message is held at all, so its messages run one at a time and in order.
--
-- KEYS[1] actor
-- KEYS[2] mailbox
-- KEYS[3] held
-- KEYS[4] executions    prefix of the execution keys
-- ARGV[1] worker id
-- ARGV[2] lease         ms
-- ARGV[3] workers       how many messages of a stateless actor without a limit of its own may be held
-- ARGV[4] wanted        how many of a stateless actor may be held whatever its limit
-- ARGV[5] version       of the actor's record the caller has, or empty
-- Returns {'leased', id, fence, how many wait still, execution hash, actor hash (empty when its version is the caller's)}
--   | {'empty'} | {'busy'} | {'paused'} | {'gone'}
local actor = redis.call('HMGET', KEYS[1], 'status', 'stateless', 'maxWorkers', 'digest', 'version')
if not actor[1] or actor[1] == 'deleted' or actor[1] == 'shutting_down' then return { 'gone' } end
if actor[1] ~= 'ready' or not actor[4] then return { 'paused' } end
local most = tonumber(ARGV[3])
if actor[3] and actor[3] ~= '' then most = tonumber(actor[3]) end
most = math.max(most, tonumber(ARGV[4]))
if actor[2] == '0' then most = 1 end
if redis.call('ZCARD', KEYS[3]) >= most then return { 'busy' } end

local oldest = redis.call('ZPOPMIN', KEYS[2])
if not oldest[1] then return { 'empty' } end
local id = oldest[1]
local execution = KEYS[4] .. id
local fence = nextNumber(KEYS[1], 'fence')
redis.call('HSET', execution, 'fence', fence, 'worker', ARGV[1])
redis.call('HDEL', execution, 'wait')
redis.call('ZADD', KEYS[3], nowMs() + tonumber(ARGV[2]), id)
local record = {}
if actor[5] ~= ARGV[5] then record = redis.call('HGETALL', KEYS[1]) end
return { 'leased', id, fence, redis.call('ZCARD', KEYS[2]), redis.call('HGETALL', execution), record }
