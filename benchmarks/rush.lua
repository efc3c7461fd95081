-- wrk: one line of the file LINES is one request, in order: method, path, cookies. Ends after the last one.
local lines = {}
for line in io.lines(os.getenv("LINES_FILE")) do lines[#lines + 1] = line end
local again = os.getenv("AGAIN") == "1"
local token = string.rep("a", 32)
-- wrk asks for one request beforehand, to see what it will be like, and does not send it: the first one is asked for twice.
local at = -1

function request()
  at = at + 1
  if at > #lines then
    if again then at = 1 else wrk.thread:stop(); at = #lines end
  end
  local method, path, session = lines[math.max(at, 1)]:match("^(%S+) (%S+) ?(%S*)")
  local headers = { ["Cookie"] = "csrftoken=" .. token .. (session ~= "" and "; sessionid=" .. session or "") }
  if method == "POST" then
    headers["X-CSRFToken"] = token
    headers["Content-Type"] = "application/x-www-form-urlencoded"
  end
  return wrk.format(method, path, headers, method == "POST" and "" or nil)
end

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    "RESULT requests=%d seconds=%.4f p50=%.3f p99=%.3f refused=%d failed=%d", summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
