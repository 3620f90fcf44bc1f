-- ingest_external_lcs: brings light curves of the input folder into the store, each with its checksum.
--   output    lightcurve: of the one file that input_path matches. Without it, each file gets a task of its own, which
--             makes a product of the file's name. manifest (optional): a text of checksum, bytes and name of each file
--   settings  input_path: a pattern inside the input folder (--input-path); lc_type: lcsg, fits, text, or auto;
--             allow_none: nothing found is no error; flux, quality, columns: as eas search has them
--   metadata  n_files; of a file also source, source_sha256, source_bytes, n_points, format
local eas = require "eas"
local ingest = require "lib.ingest"

local settings = {
  input_path = { "lightcurves_v2/csvs/bright/plato_bright*", "pattern inside the input folder" },
  lc_type    = { "auto", "what the files are", one_of = { "auto", "lcsg", "fits", "text" } },
  allow_none = { false, "pass where nothing matches" },
  flux       = { nil, "FITS: the column of the flux", type = "string" },
  quality    = { nil, "FITS: bits of QUALITY that are bad, or none", type = "string" },
  columns    = { nil, "columns of a text: time,flux,flux_err or 1,2,4", type = "string" },
}

return eas.task(function(task)
  local set = task:settings(settings)
  local files, outside = task:external_files()
  if outside > 0 then task:warn("%d files lead out of the input folder by links: left out", outside) end
  if #files == 0 and not set.allow_none then error(("nothing matches '%s' in the input folder"):format(set.input_path), 0) end
  task:set { n_files = #files, n_outside = outside }

  if task:wants "manifest" then
    local manifest = ingest.manifest(task, files)
    task:output("manifest", eas.text(manifest), { n_files = #files })
  end
  if not task:wants "lightcurve" then
    task:spawn(ingest.tasks(files, task.description))
  elseif #files == 1 then
    ingest.one(task, files[1], set)
  elseif #files > 1 then
    error(("'%s' matches %d files, such as '%s'; an output takes one"):format(set.input_path, #files, files[2].name), 0)
  end
end)
