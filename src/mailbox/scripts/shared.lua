-- Put in front of the scripts that ask for it.

local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Tells listeners what has happened; a hint, never the only way to learn it.
local function news(channel, kind, executionId)
  redis.call('PUBLISH', channel, kind .. ' ' .. executionId)
end

-- Whether `fence` is the fence of the lease that holds this execution, which has not ended.
local function holds(execution, fence)
  local current = redis.call('HMGET', execution, 'fence', 'state')
  return current[1] == fence and current[2] ~= 'complete' and current[2] ~= 'error'
end

-- The next number of a counter of the actor; counters never go back.
local function nextNumber(actor, counter)
  return redis.call('HINCRBY', actor, counter, 1)
end

-- What is cached of an actor's record elsewhere is out of date from now on.
local function changeRecord(actor)
  redis.call('HINCRBY', actor, 'version', 1)
end

-- Whether `versions` (numbers with blanks between them; empty is any) have the one the actor counts there.
local function isVersion(actor, counter, versions)
  if versions == '' then return true end
  local current = redis.call('HGET', actor, counter) or '0'
  return string.find(' ' .. versions .. ' ', ' ' .. current .. ' ', 1, true) ~= nil
end

-- Whether the user, or everybody, has at least this level; an owner of whom the map says nothing has all.
local function permits(permissions, user, owner, need)
  local levels = redis.call('HMGET', permissions, user, 'ABACO_WORLD')
  local own = levels[1] or (user == owner and 3) or 0
  return math.max(tonumber(own), tonumber(levels[2] or 0)) >= need
end

-- The history is owed the execution as it stands when the entry is read. One that is owed already moves to the end.
local function oweExecution(actor, outbox, executionId)
  redis.call('ZADD', outbox, nextNumber(actor, 'outboxed'), 'x:' .. executionId)
end

-- The same for the actor's own record.
local function oweActor(actor, outbox)
  redis.call('ZADD', outbox, nextNumber(actor, 'outboxed'), 'actor')
end

-- Ends an execution: state, tokens, idempotency key and outbox in one step. Everything else is the caller's.
local function endExecution(actor, execution, outbox, executionId, state, keepIdempotencyMs)
  redis.call('HSET', execution, 'state', state, 'fence', '0')
  redis.call('HDEL', execution, 'wait', 'cancel', 'tokens')
  local idempotency = redis.call('HGET', execution, 'idempotency')
  if idempotency then redis.call('PEXPIRE', idempotency, keepIdempotencyMs) end
  oweExecution(actor, outbox, executionId)
end

-- Stores a message, its execution (submitted) and its place in the mailbox. The history is owed what a search finds.
local function storeMessage(actor, mailbox, execution, outbox, executionId, revision, fields)
  local place = nextNumber(actor, 'posted')
  redis.call('HSET', execution, 'state', 'submitted', 'place', place, 'fence', '0', 'received', nowMs(),
    'revision', revision, unpack(fields))
  redis.call('ZADD', mailbox, place, executionId)
  oweExecution(actor, outbox, executionId)
end

-- Owes an event to the link and to the webhook of the actor, if it has them, under a number that only grows. Each has a
-- list of its own, so that a webhook that does not answer holds up no link.
local function oweEvent(channel, actor, links, webhooks, event)
  local to = redis.call('HMGET', actor, 'link', 'webhook')
  event.link, event.webhook = to[1] or '', to[2] or ''
  if event.link == '' and event.webhook == '' then return end
  event.number, event.at = nextNumber(actor, 'events'), nowMs()
  local entry = cjson.encode(event)
  if event.link ~= '' then redis.call('RPUSH', links, entry) end
  if event.webhook ~= '' then redis.call('RPUSH', webhooks, entry) end
  news(channel, 'event', '-')
end

-- Takes an actor's id or an alias out of every config of the tenant that names it; `listed` finds them.
local function forgetInConfigs(configActors, listed, word)
  local members
  repeat
    members = redis.call('ZRANGEBYLEX', listed, '[' .. word .. '\0', '(' .. word .. '\1', 'LIMIT', 0, 1000)
    for _, member in ipairs(members) do
      local config = string.sub(member, #word + 2)
      local kept = {}
      for other in string.gmatch(redis.call('HGET', configActors, config) or '', '[^,]+') do
        if other ~= word then table.insert(kept, other) end
      end
      redis.call('HSET', configActors, config, table.concat(kept, ','))
      redis.call('ZREM', listed, member)
    end
  until #members == 0
end

-- Takes one config out of what finds it.
local function unlistConfig(configActors, listed, config)
  for word in string.gmatch(redis.call('HGET', configActors, config) or '', '[^,]+') do
    redis.call('ZREM', listed, word .. '\0' .. config)
  end
  redis.call('HDEL', configActors, config)
end
