-- eas.view.page: pieces of HTML pages: escaped text, tables that say what they are, times; the style of a page that stands alone.
--
--   page.escape(text)                      see eas.plot.svg
--   page.tag(name, attributes, inner)      inner is HTML already
--   page.say(format, ...)                  string.format whose text arguments are escaped
--   page.table { caption =, columns = { { "name", right = bool } or "name" }, rows = { { "cell", 1.5, { html = } } }, sortable = }
--   page.duration(us) page.stamp(us) page.bytes(n) page.number(x)
--   page.document { title =, body =, script = }   a whole page, with page.css
local svg = require "eas.plot.svg"
local page = { escape = svg.escape, number = svg.number }
local concat, format = table.concat, string.format

function page.tag(name, attributes, inner)
  local keys, parts = {}, { "<", name }
  for key in pairs(attributes or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local v = attributes[key]
    if v == true then parts[#parts + 1] = " " .. key else parts[#parts + 1] = format(' %s="%s"', key, svg.escape(v)) end
  end
  return concat(parts) .. ">" .. (inner or "") .. "</" .. name .. ">"
end

function page.say(words, ...)
  local list = { ... }
  for i = 1, select("#", ...) do if type(list[i]) ~= "number" then list[i] = svg.escape(list[i]) end end
  return (words:format(unpack(list, 1, select("#", ...))))
end

function page.duration(us)
  local s = (us or 0) / 1e6
  if s < 1 then return format("%.0f ms", s * 1000) end
  if s < 60 then return format("%.1f s", s) end
  if s < 3600 then return format("%d:%02d", math.floor(s / 60), math.floor(s % 60)) end
  return format("%d:%02d:%02d", math.floor(s / 3600), math.floor(s / 60) % 60, math.floor(s % 60))
end

function page.stamp(us)
  return us and us > 0 and os.date("!%Y-%m-%d %H:%M:%S UTC", math.floor(us / 1e6)) or "-"
end

function page.bytes(n)
  for _, unit in ipairs { "B", "KB", "MB", "GB" } do
    if n < 1000 or unit == "GB" then return format(n < 10 and unit ~= "B" and "%.1f %s" or "%.0f %s", n, unit) end
    n = n / 1024
  end
end

local function cell(v, right)
  if type(v) == "table" then
    return format("<td%s%s>%s</td>", right and ' class="r"' or "", v.sort and format(' data-v="%s"', svg.escape(v.sort)) or "", v.html)
  end
  if type(v) == "number" then return format('<td class="r" data-v="%.17g">%s</td>', v, svg.number(v)) end
  if type(v) == "boolean" then return v and '<td class="yes">yes</td>' or '<td class="no">no</td>' end
  return format("<td%s>%s</td>", right and ' class="r"' or "", v == nil and "-" or svg.escape(v))
end

function page.table(t)
  local head, rows, right = {}, {}, {}
  for i, c in ipairs(t.columns) do
    local name = type(c) == "table" and c[1] or c
    right[i] = type(c) == "table" and c.right
    local inner = t.sortable and format('<button type="button">%s</button>', svg.escape(name)) or svg.escape(name)
    head[i] = format('<th scope="col"%s>%s</th>', right[i] and ' class="r"' or "", inner)
  end
  for i, row in ipairs(t.rows) do
    local cells = {}
    for k = 1, #t.columns do
      if k == 1 and t.row_heads then
        cells[k] = format('<th scope="row">%s</th>', svg.escape(row[k]))
      else
        cells[k] = cell(row[k], right[k])
      end
    end
    rows[i] = "<tr>" .. concat(cells) .. "</tr>"
  end
  return format('<div class="scroll" tabindex="0" role="group" aria-label="%s"><table%s><caption>%s</caption>'
    .. "<thead><tr>%s</tr></thead><tbody>%s</tbody></table></div>",
    svg.escape(t.caption), t.sortable and ' class="sortable"' or "", svg.escape(t.caption), concat(head), concat(rows, "\n"))
end

page.css = svg.light .. svg.dark .. [[
:root{--tint:#f5f7f9;--good:#116329;--bad:#b3261e;--warn:#7a4d00;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--tint:#1c2229;--good:#6fd08c;--bad:#ff9d94;--warn:#e5b567}.line{color:#f0904e!important}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 20px}header{padding-top:28px}
footer{padding-bottom:40px;color:var(--dim)}
h1{font-size:26px;line-height:1.2;margin:0 0 6px}
h2{font-size:19px;margin:38px 0 10px;padding-bottom:4px;border-bottom:1px solid var(--line)}
h3{font-size:15px;margin:18px 0 6px}p{margin:6px 0 10px;max-width:80ch}.dim{color:var(--dim)}.yes,.good{color:var(--good)}
.no,.bad{color:var(--bad)}
.warn{color:var(--warn)}.lead{font-size:17px}a{color:var(--mark)}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 16px;padding:0;margin:12px 0}
.scroll{overflow-x:auto;margin:8px 0}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--dim);padding:2px 0 6px}
th,td{padding:3px 12px 3px 0;text-align:left;vertical-align:top;white-space:nowrap}
thead th{border-bottom:1px solid var(--line);font-weight:600}tbody tr:nth-child(even){background:var(--tint)}
.r{text-align:right}
th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;text-decoration:underline dotted}
.figures{display:flex;flex-wrap:wrap;gap:18px 26px;align-items:flex-start}figure{margin:0;max-width:100%}
figcaption{max-width:60ch;color:var(--dim)}
figure .save{font:inherit;font-size:13px;color:var(--mark);background:none;border:0;padding:0;cursor:pointer;text-decoration:underline}

pre{background:var(--tint);border:1px solid var(--line);border-radius:6px;padding:10px 12px;overflow-x:auto;
font-size:13px;line-height:1.45;max-height:32em}

code{font-size:.94em}.wrap td:last-child{white-space:normal}.line{color:#b84a08}summary{cursor:pointer}details{margin:6px 0}
:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
.key{display:flex;flex-wrap:wrap;gap:4px 18px;color:var(--dim);font-size:14px;margin:4px 0 10px}
@media print{:root{--ink:#000;--dim:#444;--line:#aaa;--mark:#1f5fa8;--paper:#fff;--tint:#f5f5f5;--good:#116329;--bad:#b3261e}
nav,.save{display:none}h2{break-after:avoid}figure,tr,pre{break-inside:avoid}main,header,footer{max-width:none}
pre{max-height:none;white-space:pre-wrap}
.scroll{overflow:visible}*{print-color-adjust:exact;
-webkit-print-color-adjust:exact}}
]] .. svg.css

function page.document(p)
  -- nothing is fetched, whatever a name or a message may hold
  local policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
  return concat { '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n',
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n',
    '<meta http-equiv="Content-Security-Policy" content="', policy, '">\n',
    "<title>", svg.escape(p.title), "</title>\n<style>", page.css, "</style></head>\n<body>\n", p.body,
    p.script and "\n<script>" .. p.script .. "</script>" or "", "\n</body></html>\n" }
end

return page
