-- Puts an actor that is about to be made into the lists of its tenant and of its owner, unless one of them is full.
--
-- KEYS[1] actors of the tenant
-- KEYS[2] actors of the owner
-- ARGV[1] actor id
-- ARGV[2] most actors of the tenant; 0 is no limit
-- ARGV[3] the same of the owner
-- Returns 'listed' | 'tenant' | 'user': whose list is full
local function full(key, most)
  return most > 0 and redis.call('SCARD', key) >= most
end

if full(KEYS[1], tonumber(ARGV[2])) then return 'tenant' end
if full(KEYS[2], tonumber(ARGV[3])) then return 'user' end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('SADD', KEYS[2], ARGV[1])
return 'listed'
