-- around.lua: a fresh world for every test of a back end; after it the counters equal a count and the state machine holds.
local busted = require "busted"
local B = require "spec.backends.backend"
local new_world = require "spec.backends.world"

-- set(db, w) takes them before each test and makes what the tests need.
return function(kind, set)
  local db, w
  busted.before_each(function()
    db = B.emptied(kind)
    w = new_world(db)
    set(db, w)
  end)
  busted.after_each(function()
    if db then
      w:check()
      db:close()
    end
    db = nil
  end)
end
