-- Keeps a nonce of an actor or an alias that is still there.
--
-- KEYS[1] owner of it   hash of the actor, or the aliases of the tenant
-- KEYS[2] nonces
-- ARGV[1] field         of the first key that has to be there
-- ARGV[2] digest        of the id
-- ARGV[3] level         0 to 3
-- ARGV[4] most uses     or -1
-- ARGV[5] record        JSON: everything that never changes
-- Returns 'added' | 'gone'
local field = redis.call('HGET', KEYS[1], ARGV[1])
if not field or field == 'deleted' then return 'gone' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[5], ARGV[2] .. ':level', ARGV[3], ARGV[2] .. ':most', ARGV[4],
  ARGV[2] .. ':uses', 0)
return 'added'
