-- events: a stream that says when something has changed.
local page = {
  summary = "server-sent events: change (with counters) and beat",
  query = { { "job", "string", "of this job (j3)" }, { "attempt", "string", "of this attempt (a533)" } },
}

function page.raw(query)
  local topic = query.attempt and query.attempt:match "^a%d+$" or query.job and query.job:match "^j%d+$" or "all"
  return 200, { type = "text/event-stream", topic = topic }, "retry: 3000\nevent: beat\ndata: {}\n\n"
end

return page
