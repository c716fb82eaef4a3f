-- Says how far the preparation of a revision got: pinned to a digest (ready), failed (error), or waiting. News of an older
-- revision is refused. That it became ready or failed is an event.
--
-- KEYS[1] actor
-- KEYS[2] outbox
-- KEYS[3] link events
-- KEYS[4] webhook events
-- ARGV[1] news channel
-- ARGV[2] revision
-- ARGV[3] status        'ready' | 'error' | 'submitted'
-- ARGV[4] message       status message
-- ARGV[5] digest        or empty
-- ARGV[6] wait          JSON, or empty
-- Returns 'marked' | 'stale'
-- Emits   actor, and the event that is owed
local actor = redis.call('HMGET', KEYS[1], 'status', 'revision', 'digest')
if actor[2] ~= ARGV[2] or actor[1] == 'shutting_down' or actor[1] == 'deleted' then return 'stale' end
-- The first to pin a revision decides: two that resolve a tag while it moves would else run two images.
if ARGV[5] ~= '' and actor[3] then return 'stale' end
redis.call('HSET', KEYS[1], 'status', ARGV[3], 'statusMessage', ARGV[4])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'digest', ARGV[5]) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'wait', ARGV[6]) else redis.call('HDEL', KEYS[1], 'wait') end
changeRecord(KEYS[1])
if actor[1] ~= ARGV[3] then
  oweActor(KEYS[1], KEYS[2])
  if ARGV[3] ~= 'submitted' then
    oweEvent(ARGV[1], KEYS[1], KEYS[3], KEYS[4], { kind = ARGV[3], message = ARGV[4] })
  end
end
news(ARGV[1], 'actor', '-')
return 'marked'
