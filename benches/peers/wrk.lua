-- The cheapest scripted peer: a request function and a response callback that compares the status, as punk's script does.
-- ROW=operations walks over 500 paths.
local paths, i, failed = {}, 0, 0
if os.getenv("ROW") == "operations" then
  for n = 0, 499 do paths[#paths + 1] = "/op/" .. n end
else
  paths[1] = os.getenv("URL_PATH") or "/"
end
local count = #paths

function request()
  i = i % count + 1
  return wrk.format("GET", paths[i])
end

function response(status, headers, body)
  if status ~= 200 then failed = failed + 1 end
end
