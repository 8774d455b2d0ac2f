-- Limits of all replicas. The arithmetic is that of src/accounts/limits/rate.ts: numbers are doubles, and all of them
-- are whole and below 2^53. Every key begins with KEYS[1], a hash tag, so that a cluster keeps all of them in one slot.
-- The names of holders contain no slash: '/leases' is never a part of one.

local minuteUs = 60000000
local mostUsed = 4503599627370496
-- A call record outlives the leases, so that the settlement of a call whose lease has expired knows what it held.
local recordMs = 3600000
local dayMs = 86400000
local replicaMs = 60000

local RATE, CALLS, BUDGET = 1, 2, 3
local SHADOW, FLEXIBLE = 1, 2

local function text(number)
  return string.format('%.0f', number)
end

local function readBucket(key, limit, nowUs)
  local stored = redis.call('GET', key)
  if not stored then
    return { used = 0, part = 0, at = nowUs }
  end
  local used, part, at = string.match(stored, '^(%d+) (%d+) (%d+)$')
  used, part, at = tonumber(used), tonumber(part), tonumber(at)
  local elapsed = nowUs - at
  if elapsed <= 0 then
    return { used = used, part = part, at = at }
  end
  local minutes = math.floor(elapsed / minuteUs)
  local rest = elapsed - minutes * minuteUs
  local perUs = math.floor(limit / minuteUs)
  local parts = (limit - perUs * minuteUs) * rest + part
  local whole = math.floor(parts / minuteUs)
  local leaked = minutes * limit + perUs * rest + whole
  if leaked >= used then
    return { used = 0, part = 0, at = nowUs }
  end
  return { used = used - leaked, part = parts - whole * minuteUs, at = nowUs }
end

local function leakMs(bucket, limit, amount)
  return math.ceil(math.ceil((amount * minuteUs - bucket.part) / limit) / 1000)
end

local function fillBucket(key, bucket, limit, amount)
  bucket.used = math.min(bucket.used + amount, mostUsed)
  if bucket.used <= 0 or limit == 0 then
    bucket.used, bucket.part = 0, 0
    redis.call('DEL', key)
    return
  end
  local value = text(bucket.used) .. ' ' .. text(bucket.part) .. ' ' .. text(bucket.at)
  redis.call('SET', key, value, 'PX', text(leakMs(bucket, limit, bucket.used) + 1000))
end

-- Forgets the calls whose lease has expired.
local function expireCalls(key, nowMs)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', text(nowMs))
end

local function expireHolds(key, nowMs)
  local ids = redis.call('ZRANGEBYSCORE', key .. '/leases', '-inf', text(nowMs), 'LIMIT', 0, 1000)
  for _, id in ipairs(ids) do
    local amount = redis.call('HGET', key, 'call:' .. id)
    if amount then
      redis.call('HDEL', key, 'call:' .. id)
      redis.call('HINCRBY', key, 'held', text(0 - tonumber(amount)))
    end
    redis.call('ZREM', key .. '/leases', id)
  end
end

local function keepUntil(key, endMs)
  redis.call('PEXPIREAT', key, text(endMs + dayMs))
  redis.call('PEXPIREAT', key .. '/leases', text(endMs + dayMs))
end

local function lease(claim, prefix, id, hold, nowMs, leaseMs)
  local key = prefix .. ':' .. claim[2]
  if claim[1] == CALLS then
    redis.call('ZADD', key, text(nowMs + leaseMs), id)
    redis.call('PEXPIRE', key, text(leaseMs + 1000))
  elseif claim[1] == BUDGET then
    if redis.call('HSETNX', key, 'call:' .. id, text(hold)) == 1 then
      redis.call('HINCRBY', key, 'held', text(hold))
    end
    redis.call('ZADD', key .. '/leases', text(nowMs + leaseMs), id)
    keepUntil(key, claim[6])
  end
end

local function settle(prefix, id, used, claims, nowUs)
  local isKnown = redis.call('DEL', prefix .. ':call:' .. id) == 1
  for index, claim in ipairs(claims) do
    local key = prefix .. ':' .. claim[2]
    if claim[1] == RATE then
      local amount = used[index] - claim[4]
      if isKnown and amount ~= 0 then
        fillBucket(key, readBucket(key, claim[3], nowUs), claim[3], amount)
      end
    elseif claim[1] == CALLS then
      redis.call('ZREM', key, id)
    else
      local held = redis.call('HGET', key, 'call:' .. id)
      if held then
        redis.call('HDEL', key, 'call:' .. id)
        redis.call('HINCRBY', key, 'held', text(0 - tonumber(held)))
        redis.call('ZREM', key .. '/leases', id)
      end
      redis.call('HINCRBY', key, 'spent', text(used[index]))
      keepUntil(key, claim[6])
    end
  end
end

local function charge(prefix, claim, nowUs)
  local key = prefix .. ':' .. claim[2]
  if claim[1] == RATE then
    fillBucket(key, readBucket(key, claim[3], nowUs), claim[3], claim[4])
  else
    redis.call('HINCRBY', key, 'spent', text(claim[4]))
    keepUntil(key, claim[6])
  end
end

-- Returns whether the claim fits, what it holds then, and otherwise the wait in ms (-1: none).
local function judge(claim, state, nowMs)
  local limit, hold = claim[3], claim[4]
  if claim[1] == RATE then
    if limit > 0 and state.used + hold <= limit then
      return true, hold, -1
    end
    if limit == 0 or hold > limit then
      return false, hold, -1
    end
    return false, hold, leakMs(state, limit, state.used + hold - limit)
  end
  if claim[1] == CALLS then
    return state.held + hold <= limit, hold, limit == 0 and -1 or 1000
  end
  local flexible = claim[5] >= FLEXIBLE
  local left = limit - state.spent - state.held
  if hold <= left or hold == 0 then
    return true, hold, -1
  end
  if flexible and left > 0 then
    return true, left, -1
  end
  if hold <= limit - state.spent or (flexible and state.spent < limit) then
    return false, hold, 1000
  end
  if hold <= limit or (flexible and limit > 0) then
    return false, hold, math.max(0, claim[6] - nowMs)
  end
  return false, hold, -1
end

local function readState(claim, prefix, nowUs, nowMs)
  local key = prefix .. ':' .. claim[2]
  if claim[1] == RATE then
    return readBucket(key, claim[3], nowUs)
  end
  if claim[1] == CALLS then
    expireCalls(key, nowMs)
    return { held = redis.call('ZCARD', key), spent = 0 }
  end
  expireHolds(key, nowMs)
  local stored = redis.call('HMGET', key, 'spent', 'held')
  return { spent = tonumber(stored[1] or 0), held = tonumber(stored[2] or 0) }
end

local function leftOf(claim, state, nowMs)
  local limit = claim[3]
  if claim[1] == RATE then
    local reset = (state.used == 0 or limit == 0) and 0 or leakMs(state, limit, state.used)
    return text(limit - state.used) .. ' ' .. text(reset) .. ' 0'
  end
  local reset = 0
  if claim[1] == BUDGET and state.spent + state.held > 0 then
    reset = math.max(0, claim[6] - nowMs)
  end
  return text(limit - state.spent - state.held) .. ' ' .. text(reset) .. ' ' .. text(state.held)
end

-- An empty id takes nothing, and only returns what is left.
local function reserve(prefix, id, claims, nowUs, nowMs, leaseMs)
  local states, holds, refused, wait, shadowed = {}, {}, -1, -1, 0
  for index, claim in ipairs(claims) do
    states[index] = readState(claim, prefix, nowUs, nowMs)
    local fits, hold, waits = judge(claim, states[index], nowMs)
    holds[index] = fits and hold or -1
    if not fits then
      if claim[5] % 2 == SHADOW then
        shadowed = shadowed + 2 ^ (index - 1)
      elseif refused == -1 then
        refused, wait = index - 1, waits
      end
    end
  end
  local takes = id ~= '' and refused == -1
  local parts = { text(refused), text(wait), text(shadowed) }
  for index, claim in ipairs(claims) do
    local state, hold = states[index], holds[index]
    if takes and hold >= 0 then
      if claim[1] == RATE then
        fillBucket(prefix .. ':' .. claim[2], state, claim[3], hold)
      else
        lease(claim, prefix, id, hold, nowMs, leaseMs)
        state.held = state.held + hold
      end
    end
    parts[#parts + 1] = text(hold)
    parts[#parts + 1] = leftOf(claim, state, nowMs)
  end
  if takes then
    redis.call('SET', prefix .. ':call:' .. id, '', 'PX', text(recordMs))
  end
  return table.concat(parts, ' ')
end

local function countReplicas(prefix, replica, nowMs)
  local key = prefix .. ':replicas'
  redis.call('ZREMRANGEBYSCORE', key, '-inf', text(nowMs))
  redis.call('ZADD', key, text(nowMs + replicaMs), replica)
  redis.call('PEXPIRE', key, text(replicaMs))
  return redis.call('ZCARD', key)
end

-- Runs the messages of a replica, each once and in order. A replica numbers them from 1 in each epoch. Message 1 begins
-- an epoch, does nothing else, and returns the last message of the former epoch that ran. Messages of a former epoch
-- that arrive later never run.
local function run(keys, args)
  local prefix = keys[1]
  local message = cjson.decode(args[1])
  local replica, epoch, number, leaseMs = message[1], message[2], message[3], message[4]
  local time = redis.call('TIME')
  local nowUs = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local nowMs = math.floor(nowUs / 1000)

  local replicaKey = prefix .. ':replica:' .. replica
  local stored = redis.call('GET', replicaKey)
  local knownEpoch, last, formerEpoch, formerLast = 0, 0, 0, 0
  if stored then
    knownEpoch, last, formerEpoch, formerLast = string.match(stored, '^(%d+) (%d+) (%d+) (%d+)$')
    knownEpoch, last = tonumber(knownEpoch), tonumber(last)
  end
  if epoch < knownEpoch then
    return 'late'
  end
  if epoch > knownEpoch then
    if number ~= 1 then
      return 'lost'
    end
    formerEpoch, formerLast = text(knownEpoch), text(last)
  elseif number ~= 1 and number ~= last + 1 then
    return 'lost'
  end
  local state = text(epoch) .. ' ' .. text(math.max(number, epoch == knownEpoch and last or 0))
  redis.call('SET', replicaKey, state .. ' ' .. formerEpoch .. ' ' .. formerLast, 'PX', text(dayMs))
  if number == 1 then
    return 'begun ' .. formerEpoch .. ' ' .. formerLast .. ' ' .. text(countReplicas(prefix, replica, nowMs))
  end

  for _, entry in ipairs(message[5]) do
    settle(prefix, entry[1], entry[2], entry[3], nowUs)
  end
  for _, claim in ipairs(message[6]) do
    charge(prefix, claim, nowUs)
  end
  for _, entry in ipairs(message[7]) do
    redis.call('SET', prefix .. ':call:' .. entry[1], '', 'PX', text(recordMs))
    for _, claim in ipairs(entry[2]) do
      lease(claim, prefix, entry[1], claim[4], nowMs, leaseMs)
    end
  end
  local replies = { 'done' }
  if message[9] == 1 then
    replies[1] = 'done ' .. text(countReplicas(prefix, replica, nowMs))
  end
  for _, entry in ipairs(message[8]) do
    replies[#replies + 1] = reserve(prefix, entry[1], entry[2], nowUs, nowMs, leaseMs)
  end
  return table.concat(replies, '\n')
end
