-- The program was seen to start.
--
-- KEYS[1] actor
-- KEYS[2] execution
-- KEYS[3] outbox
-- ARGV[1] news channel
-- ARGV[2] execution id
-- ARGV[3] fence
-- ARGV[4] started       ms
-- ARGV[5] node
-- Returns 'running' | 'lost'
-- Emits   running
if not holds(KEYS[2], ARGV[3]) then return 'lost' end
redis.call('HSET', KEYS[2], 'state', 'running', 'started', ARGV[4], 'node', ARGV[5])
redis.call('HDEL', KEYS[2], 'wait')
oweExecution(KEYS[1], KEYS[3], ARGV[2])
news(ARGV[1], 'running', ARGV[2])
return 'running'
