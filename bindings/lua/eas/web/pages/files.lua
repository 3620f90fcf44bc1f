-- files: working directories of a job, and the files in one.
local ask = require "eas.web.ask"
local context = require "eas.web.context"
local format = require "eas.web.format"
local h = require "eas.web.html"
local json = require "eas.json"
local parts = require "eas.web.parts"

local page = {
  summary = "working directories of a job; with directory: the files in it",
  query = { { "job", "string", "j3; default the newest" }, { "directory", "string", "a working directory" },
    { "kind", "string", "semantic type, as lightcurve" },
    { "from", "string", "the name where the page before ended" }, { "limit", "integer", "at most so many (100)" } },
}

function page.data(query)
  local job = context.job(query)
  if not job then return { items = json.list() } end
  local list
  if query.directory then
    list = ask.of("files", { job = job.job, directory = query.directory, kind = query.kind, from = query.from, limit = query.limit })
  else
    list = ask.of("folders", { job = job.job, from = query.from, limit = query.limit })
    if #list.items == 1 and not query.from then -- the only one: its files
      query.directory = list.items[1].directory
      list = ask.of("files", { job = job.job, directory = query.directory, kind = query.kind, limit = query.limit })
    end
  end
  list.job, list.directory = job, query.directory
  return list
end

local function folders(data, query)
  local rows = {}
  for i, f in ipairs(data.items) do
    rows[i] = { h.a { href = h.url("/files", { job = query.job, directory = f.directory }), f.directory == "" and "(top)" or f.directory },
      f.files > 10000 and "over 10 000" or format.count(f.files) }
  end
  return parts.table({ "directory", { "files", n = true } }, rows, "No product here yet.", { label = "directories" })
end

local function files(data)
  local rows = {}
  for i, f in ipairs(data.items) do
    rows[i] = { parts.link(f.version or f.product, f.filename), f.kind, f.verdict
      and parts.state(f.verdict == "pass" and "passed" or "failed", "QC") or "not made yet",
      f.size and format.size(f.size), f.versions, parts.stamp(f.created_at), parts.link(f.task),
      f.version and h.a { href = "/files/" .. f.version .. "/download", download = true, "download" } or "" }
  end
  return parts.table({ "name", "type", "QC", { "size", n = true }, { "versions", n = true }, "made", "by", "" }, rows,
    "No product here yet.", { label = "files" })
end

function page.page(data, query)
  local job = data.job
  if not job then return context.no_jobs "Files" end
  local directory = data.directory
  return { title = "Files of " .. job.job, heading = "Files", job = job, topic = job.job, body = {
    directory and { h.p { class = "crumbs", h.a { href = h.url("/files", { job = job.job }), "directories" }, " / ", directory == ""
      and "(top)" or directory },
      parts.form("/files", { job = job.job, directory = directory },
        { parts.field("kind", "Type", query.kind, { placeholder = "lightcurve" }),
        parts.field("from", "Names after", query.from) }) },
    directory and files(data) or folders(data, query), parts.pager("/files", query, "from", data.next) } }
end

return page
