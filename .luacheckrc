-- luacheck: warnings are errors in ./run-tests.
std = "luajit"
max_line_length = 140
unused_args = false -- handlers are called with more than they need
ignore = {
  "241", -- a table that only keeps what C points to from being collected
  "581", "582", -- not (x > y) is meant where x may be NaN
}

files["cmake/reference"] = { max_line_length = 220 } -- HTML and CSS among the code
files["spec"] = { std = "luajit+busted", max_line_length = 200 }
files["spec/host/start.lua"] = { globals = { "eas_spec_host", "arg", "os.exit" } }

-- Scripts get no more than this: what the engine gives them, less io, os and ffi.
local script = {
  "assert", "error", "ipairs", "math", "next", "pairs", "pcall", "print", "require", "select", "setmetatable", "getmetatable",
  "string", "table", "tonumber", "tostring", "type", "unpack", "xpcall", "bit", "rawget", "rawset", "rawequal",
}
stds.script = { read_globals = script }
files["tasks_lua"] = { std = "script" }
files["qc_lua"] = { std = "script" }

-- What help() reads of the prompt are its globals.
files["bindings/lua/eas/repl/types.d.lua"] = { ignore = { "111", "131", "211", "241" } }
-- Run at the prompt, whose db it reads.
files["diag"] = { read_globals = { "db" } }
