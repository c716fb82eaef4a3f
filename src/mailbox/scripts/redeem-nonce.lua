-- Spends one use of a nonce, if it is good for this and has one left. Of many that ask at once for the last use, one gets
-- it: the count and the decision are one step.
--
-- KEYS[1] nonces
-- ARGV[1] digest        of the id
-- ARGV[2] need          level 0 to 3
-- Returns {'redeemed', record} | {'unknown'} | {'too-low'} | {'used-up'}
local id = ARGV[1]
local nonce = redis.call('HMGET', KEYS[1], id, id .. ':level', id .. ':most', id .. ':uses')
if not nonce[1] then return { 'unknown' } end
if tonumber(nonce[2]) < tonumber(ARGV[2]) then return { 'too-low' } end
local most = tonumber(nonce[3])
if most >= 0 and tonumber(nonce[4]) >= most then return { 'used-up' } end
redis.call('HINCRBY', KEYS[1], id .. ':uses', 1)
redis.call('HSET', KEYS[1], id .. ':last', nowMs())
return { 'redeemed', nonce[1] }
