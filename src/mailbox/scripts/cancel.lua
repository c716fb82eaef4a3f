-- Asks for the end of a running execution; its worker learns of it at once by the news, else when it extends its lease.
--
-- KEYS[1] execution
-- ARGV[1] news channel
-- ARGV[2] execution id
-- ARGV[3] also submitted  '1' to ask for the end of one that is held and not running yet
-- Returns 'requested' | state it was found in | 'unknown'
-- Emits   cancel
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'unknown' end
if state ~= 'running' and not (ARGV[3] == '1' and state == 'submitted') then return state end
redis.call('HSET', KEYS[1], 'cancel', '1')
news(ARGV[1], 'cancel', ARGV[2])
return 'requested'
