-- Creates an actor, or replaces its record. A new image (or force) is a new revision: its digest has to be pinned again
-- before a message is claimed. Who does it may UPDATE it from now on. The history is owed the record.
--
-- KEYS[1] actor
-- KEYS[2] outbox
-- KEYS[3] permissions
-- ARGV[1] news channel
-- ARGV[2] mode          'create' | 'replace' | 'renew' (replace with a new revision)
-- ARGV[3] record        JSON
-- ARGV[4] stateless     '1' | '0'
-- ARGV[5] max workers   number, or empty
-- ARGV[6] owner         what an answer to a post names
-- ARGV[7] user          who does it
-- ARGV[8] link          or empty
-- ARGV[9] webhook       or empty
-- ARGV[10] schedule     or empty
-- ARGV[11] due          next time of the schedule, or empty
-- ARGV[12] versions     of the record, of which it has to have one, or empty
-- Returns revision | 'gone' | 'used-id' | 'stale'
-- Emits   actor
local status = redis.call('HGET', KEYS[1], 'status')
if ARGV[2] == 'create' then
  if status then return 'used-id' end
  redis.call('HSET', KEYS[1], 'status', 'submitted', 'statusMessage', '', 'revision', 1)
else
  if not status or status == 'shutting_down' or status == 'deleted' then return 'gone' end
  if not isVersion(KEYS[1], 'version', ARGV[12]) then return 'stale' end
  if ARGV[2] == 'renew' then
    redis.call('HSET', KEYS[1], 'status', 'submitted', 'statusMessage', '')
    redis.call('HINCRBY', KEYS[1], 'revision', 1)
    redis.call('HDEL', KEYS[1], 'digest', 'wait')
  end
end
redis.call('HSET', KEYS[1], 'record', ARGV[3], 'stateless', ARGV[4], 'maxWorkers', ARGV[5], 'owner', ARGV[6])
if ARGV[2] == 'create' or ARGV[7] ~= ARGV[6] then redis.call('HSET', KEYS[3], ARGV[7], 3) end
changeRecord(KEYS[1])
oweActor(KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'link', ARGV[8], 'webhook', ARGV[9], 'cronSchedule', ARGV[10], 'cronNext', ARGV[11])
news(ARGV[1], 'actor', '-')
return tonumber(redis.call('HGET', KEYS[1], 'revision'))
