-- Sends prepared requests with wrk, each of them once, or over and over.
--   wrk -t1 ... -s wrk.lua http://host:port -- FILE STATUS once|cycle check|fast
-- FILE is what requests.mjs writes: the length of a request in decimal, a line end, its bytes, and so on.
-- check: every answer must have STATUS exactly. fast: wrk itself counts answers of 400 and above, which costs next to nothing.
-- One thread only: two would send the same requests.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

-- What follows is seen by the thread alone; `done` asks for it by name.
sent = 0
bad = 0
first_bad = ''
ran_out = false

local file, wanted, cycle

function init(args)
  file = assert(io.open(args[1], 'rb'))
  file:setvbuf('full', 1048576)
  wanted = tonumber(args[2])
  cycle = args[3] == 'cycle'
  if args[4] == 'check' then
    response = check
  end
end

function request()
  local length = file:read('*l')
  if length == nil and cycle then
    file:seek('set', 0)
    length = file:read('*l')
  end
  if length == nil then
    -- None is sent twice. The run is thrown away, and what still goes out is harmless.
    ran_out = true
    wrk.thread:stop()
    return wrk.format('GET', '/ping')
  end
  sent = sent + 1
  return file:read(tonumber(length))
end

function check(status, headers, body)
  if status ~= wanted then
    bad = bad + 1
    if bad == 1 then
      first_bad = status .. ' ' .. string.sub(body, 1, 300)
    end
  end
end

local function quote(text)
  return '"' .. string.gsub(text, '[%c"\\]', ' ') .. '"'
end

function done(summary, latency, requests)
  local thread = threads[1]
  local errors = summary.errors
  local ms = function(microseconds)
    if microseconds ~= microseconds then return 'null' end
    return string.format('%.3f', microseconds / 1000)
  end
  io.write('\nRESULT {',
    '"requests":', summary.requests,
    ',"elapsedSeconds":', string.format('%.6f', summary.duration / 1e6),
    ',"p50Ms":', ms(latency:percentile(50)),
    ',"p99Ms":', ms(latency:percentile(99)),
    ',"maxMs":', ms(latency.max),
    ',"refused":', errors.status,
    ',"bad":', thread:get('bad'),
    ',"firstBad":', quote(thread:get('first_bad')),
    ',"timeouts":', errors.timeout,
    ',"broken":', errors.connect + errors.read + errors.write,
    ',"ranOut":', tostring(thread:get('ran_out')),
    ',"cpuSeconds":', string.format('%.3f', os.clock()), '}\n')
end
