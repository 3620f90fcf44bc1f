-- lib.ingest: how files of the input folder become products.
local ingest = {}

local FORMATS = { lcsg = { lcsg = true }, fits = { fits = true }, text = { text = true, prototype = true } }

-- Makes the output lightcurve of a file, whose metadata tell where it came from.
function ingest.one(task, file, set)
  local lc = task:read_external(file, { flux = set.flux, quality = set.quality, columns = set.columns })
  local allowed, format = FORMATS[set.lc_type], lc.metadata.format or "fits" -- FITS of the engine's own says nothing
  if allowed and not allowed[format] then error(("%s is %s, not %s"):format(file.name, format, set.lc_type), 0) end
  local sum, bytes = task:checksum(file.path)
  lc.metadata.source, lc.metadata.source_sha256, lc.metadata.source_bytes = file.name, sum, bytes
  task:output("lightcurve", lc)
  task:set { source = file.name, source_sha256 = sum, source_bytes = bytes, n_points = lc.n, n_good = lc:clean().n,
             format = format }
end

-- Lines of checksum, bytes and name, as sha256sum's but for the bytes.
function ingest.manifest(task, files)
  local lines = { "# sha256  bytes  name" }
  for i, file in ipairs(files) do
    local sum, bytes = task:checksum(file.path)
    lines[i + 1] = ("%s  %d  %s"):format(sum, bytes, file.name)
    task:progress(i, #files)
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Each character that a pattern gives a meaning stands for itself; and no name begins like an expression.
local function literal(name)
  return (name:gsub("[%*%?%[%]\\]", "[%0]"):gsub("^['\"(]", "[%0]"))
end

local function base(name) return name:match "[^/]*$" end

-- A task for each file. Names keep their folders where two files have the same.
function ingest.tasks(files, description)
  local seen, list = {}, {}
  for _, file in ipairs(files) do seen[base(file.name)] = (seen[base(file.name)] or 0) + 1 end
  for i, file in ipairs(files) do
    local name = seen[base(file.name)] > 1 and file.name:gsub("/", "_") or base(file.name)
    local entry = { task = "ingest_external_lcs", name = ("lightcurve_%05d"):format(i - 1), input_path = literal(file.name),
                    outputs = { lightcurve = literal(name) == name and name or ("'%s'"):format(name:gsub("['\\]", "\\%0")) } }
    for _, key in ipairs { "lc_type", "flux", "quality", "columns" } do entry[key] = description[key] end
    list[i] = entry
  end
  return list
end

return ingest
