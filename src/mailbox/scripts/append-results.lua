-- Hands on results as they come, from the one numbered ARGV[4] on: what was handed on before is not repeated.
--
-- KEYS[1] execution
-- KEYS[2] results
-- ARGV[1] news channel
-- ARGV[2] execution id
-- ARGV[3] fence
-- ARGV[4] from          number of the first one given, 0 is the first of all
-- ARGV[5] result        each further argument: 'i' and the bytes, or 'b' and "name bytes"
-- Returns number of results there are | 'lost'
-- Emits   results
if not holds(KEYS[1], ARGV[3]) then return 'lost' end
local have = redis.call('LLEN', KEYS[2])
local from = tonumber(ARGV[4])
for index = 5, #ARGV do
  local number = from + index - 5
  if number == have then have = redis.call('RPUSH', KEYS[2], ARGV[index]) end
end
redis.call('HSET', KEYS[1], 'results', have)
if have > from then news(ARGV[1], 'results', ARGV[2]) end
return have
