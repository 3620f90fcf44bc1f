-- store_backends.lua: the two kinds of store, for the specs that hold for both: a folder, and an S3 server that keeps the
-- objects while the same folder is its cache.
local ffi = require "ffi"
local T = require "spec.support"
local S3 = require "spec.s3.server"
T.cdef "engine/store/store.h"
ffi.cdef "int setenv(const char *, const char *, int);"
local C = ffi.C

local folder = { name = "a directory store" }
function folder.start() end
function folder.stop() end
function folder.skip_unless_there() end
function folder.open(_, path, err)
  local box = ffi.new "eas_store *[1]"
  assert(C.eas_store_open(box, path, err) == 0, ffi.string(err.text))
  return box[0]
end
function folder.bytes(_, path, hex) return ("%s/objects/%s/%s"):format(path, hex:sub(1, 2), hex) end

local s3 = { name = "an object store", remote = true }
function s3:start()
  self.n = 0
  self.why = select(2, S3.installed())
  if self.why then return end
  C.setenv("AWS_ACCESS_KEY_ID", S3.id, 1)
  C.setenv("AWS_SECRET_ACCESS_KEY", S3.secret, 1)
  self.server = S3.start(T.tmpdir())
end
function s3:stop()
  if self.server then self.server:stop() end
  self.server = nil
end
function s3:skip_unless_there()
  T.skip_unless(not self.why, self.why)
  self.n = self.n + 1
end
-- A new prefix for each test; path: of the cache.
function s3:open(path, err, limit)
  local box = ffi.new "eas_store *[1]"
  local set, texts = S3.settings(self.server.endpoint, path, limit)
  local rc = C.eas_store_open_with(box, ("s3://light/some/prefix%d/"):format(self.n), set, err)
  assert(rc == 0 and #texts > 0, ffi.string(err.text))
  return box[0]
end
function s3:bytes(_, hex) return self.server:file("some/prefix" .. self.n, hex) end

return { folder, s3, folder = folder, s3 = s3 }
