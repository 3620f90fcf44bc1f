-- html.lua: pages of the reference: their frame, their style, links from every known name to where it is described.
local html = { targets = {} } -- name -> page#anchor

local NAMES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

function html.escape(text) return (tostring(text):gsub('[&<>"]', NAMES)) end

function html.anchor(name) return (name:gsub("[^%w_.:-]", "_")) end

-- Known names within a text become links; what is between is escaped. A name never links to its own place.
function html.linked(text, own)
  local out, at = {}, 1
  while at <= #text do
    local first, last = text:find("[%a_][%w_]*[%w_.:]*", at)
    if not first then break end
    local word = text:sub(first, last)
    while not html.targets[word] and word:find "[.:]" do word = word:match "^(.*)[.:]" end
    local target = html.targets[word]
    out[#out + 1] = html.escape(text:sub(at, first - 1))
    if target and word ~= own and (word:find "[_.:]" or word == own) then
      out[#out + 1] = ('<a href="%s">%s</a>'):format(html.escape(target), html.escape(word))
    else
      out[#out + 1] = html.escape(word)
    end
    at = first + math.max(#word, 1)
  end
  out[#out + 1] = html.escape(text:sub(at))
  return table.concat(out)
end

-- Lines of a comment: paragraphs; what is indented keeps its lines.
function html.prose(lines, own)
  local out, kind, held = {}, nil, {}
  local function flush()
    if kind == "p" then out[#out + 1] = "<p>" .. html.linked(table.concat(held, " "), own) .. "</p>" end
    if kind == "pre" then out[#out + 1] = "<pre>" .. html.linked(table.concat(held, "\n"), own) .. "</pre>" end
    kind, held = nil, {}
  end
  for _, line in ipairs(lines) do
    local now = line ~= "" and (line:find "^ " and "pre" or "p") or nil
    if now ~= kind then flush() end
    kind = now
    if now then held[#held + 1] = now == "pre" and line:gsub("^  ?", "") or line end
  end
  flush()
  return table.concat(out, "\n")
end

html.style = [[
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#59636e;--line:#d5dae0;--paper:#fff;--well:#f3f5f8;--link:#1f5fa8;--mark:#fff3c4}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--dim:#a3adb8;--line:#37404a;--paper:#14181d;--well:#1d232a;--link:#7db4ea;--mark:#4a3f12}}
*{box-sizing:border-box}html{scroll-padding-top:3.5rem}
body{margin:0;font:16px/1.55 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;color:var(--ink);background:var(--paper)}
a{color:var(--link);text-decoration:none}a:hover,a:focus-visible{text-decoration:underline}
header{position:sticky;top:0;background:var(--paper);border-bottom:1px solid var(--line);z-index:1}
header nav{max-width:76rem;margin:auto;padding:.6rem 1rem;display:flex;gap:1.2rem;flex-wrap:wrap}
header b{margin-right:auto}
.page{max-width:76rem;margin:auto;padding:0 1rem 4rem;display:grid;grid-template-columns:15rem minmax(0,1fr);gap:2.5rem}
.page>.side{position:sticky;top:3.4rem;align-self:start;max-height:calc(100vh - 3.6rem);overflow:auto;padding:1.2rem 0;font-size:.86rem}
.side ul{list-style:none;margin:0 0 .8rem;padding:0}.side li{overflow-wrap:anywhere}.side li li{padding-left:.9rem}
.side .now{font-weight:600}
main{padding-top:.6rem}main.wide{grid-column:1/-1}
h1{font-size:1.7rem;line-height:1.25;margin:.9rem 0 .4rem}h2{font-size:1.3rem;margin:2.4rem 0 .5rem;padding-top:.8rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.7rem 0 .3rem;overflow-wrap:anywhere}code,pre{font:13.5px/1.5 ui-monospace,"DejaVu Sans Mono",Menlo,monospace}
h1 code,h2 code{font-size:inherit;font-weight:600}h3 code{font-size:.95rem}
pre{background:var(--well);padding:.7rem .9rem;border-radius:5px;overflow:auto;margin:.5rem 0}
p{margin:.4rem 0}.dim,.dim *{color:var(--dim)}
section:target>h2,section:target>h3,section:target>pre,:target>code{background:var(--mark)}
table{border-collapse:collapse;margin:.4rem 0}td,th{text-align:left;vertical-align:top;padding:.2rem .9rem .2rem 0;border-bottom:1px solid var(--line)}
td:first-child,th:first-child{white-space:nowrap;min-width:7rem}caption{text-align:left;font-weight:600;padding:.3rem 0}
dl.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:.3rem 2rem;margin:.4rem 0}
dl.cards div{padding:.25rem 0}dl.cards dt{font-weight:600}dl.cards dd{margin:0;color:var(--dim);font-size:.92rem}
input{font:inherit;padding:.4rem .6rem;width:100%;max-width:26rem;border:1px solid var(--line);border-radius:5px;background:var(--paper);color:var(--ink)}
ul.names{columns:3;column-gap:2rem;list-style:none;padding:0;font-size:.88rem}ul.names li{overflow-wrap:anywhere}
@media (max-width:760px){.page{display:block}.page>.side{position:static;max-height:none;border-bottom:1px solid var(--line)}
ul.names{columns:1}td:first-child,th:first-child{white-space:normal}}
@media print{header,.side{display:none}.page{display:block}}
]]

-- The list of names narrows while one types; without scripts it is whole.
html.filter = [[<script>
const field=document.getElementById("find");field.hidden=false;
field.addEventListener("input",()=>{const want=field.value.toLowerCase();
for(const item of document.querySelectorAll("ul.names li"))item.hidden=!item.textContent.toLowerCase().includes(want)});
</script>]]

-- page: { title, up (to the root), side (HTML) or nil, body }
function html.document(page)
  return ([[<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>%s</title><style>%s</style></head><body>
<header><nav aria-label="reference"><b><a href="index.html">EAS reference</a></b><a href="lua.html">scripts</a><a href="prompt.html">prompt</a>
<a href="bindings.html">kernels from Lua</a><a href="index.html#kernels">kernels in C</a><a href="index.html#engine">engine</a><a href="names.html">all names</a></nav></header>
<div class="page">%s<main%s>%s</main></div></body></html>
]]):format(html.escape(page.title), html.style,
    page.side and ('<nav class="side" aria-label="on this page">' .. page.side .. "</nav>") or "", page.side and "" or ' class="wide"', page.body)
end

return html
