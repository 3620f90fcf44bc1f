-- docs/debugging.md, line by line.
local T = require "spec.support"
local Transcript = require "spec.docs.transcript"

it("docs/debugging.md shows what happens", function()
  assert.equal(11, Transcript.run(T.root .. "/docs/debugging.md", { folder = T.tmpdir() }))
end)
