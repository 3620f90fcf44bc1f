-- base/hash.h: SHA-256, digests as text, the mixer.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/base/hash.h"
local C = ffi.C

local ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" -- FIPS 180-2, B.1
local EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

local function hex(digest)
  local out = ffi.new "char[65]"
  C.eas_digest_hex(digest, out)
  return ffi.string(out)
end

local function parse(text)
  local digest = ffi.new "eas_digest"
  return C.eas_digest_parse(text, digest), digest
end

describe("eas_hash", function()
  it("gives the published digests", function()
    local digest = ffi.new "eas_digest"
    C.eas_hash("abc", 3, digest)
    assert.equal(ABC, hex(digest))
    C.eas_hash("", 0, digest)
    assert.equal(EMPTY, hex(digest))
  end)

  it("does not depend on how the bytes are cut", function()
    local digest, h = ffi.new "eas_digest", C.eas_hasher_new()
    C.eas_hasher_add(h, "a", 1)
    C.eas_hasher_add(h, "bc", 2)
    C.eas_hasher_end(h, digest)
    assert.equal(ABC, hex(digest))
  end)

  it("keeps strings apart that would run together", function()
    local function of(a, b)
      local digest, h = ffi.new "eas_digest", C.eas_hasher_new()
      C.eas_hasher_add_str(h, a)
      C.eas_hasher_add_str(h, b)
      C.eas_hasher_end(h, digest)
      return hex(digest)
    end
    assert.not_equal(of("ab", "c"), of("a", "bc"))
    assert.not_equal(of("", nil), of(nil, ""))
    assert.not_equal(of(nil, nil), of("", ""))
  end)
end)

describe("eas_hash_file", function()
  it("hashes and measures a file of several reads", function()
    local path, size = T.tmpdir() .. "/big", ffi.new "int64_t[1]"
    T.write(path, ("x"):rep(700000))
    local digest, direct = ffi.new "eas_digest", ffi.new "eas_digest"
    assert.equal(0, C.eas_hash_file(path, digest, size, nil))
    C.eas_hash(("x"):rep(700000), 700000, direct)
    assert.equal(1, C.eas_digest_equal(digest, direct))
    assert.equal(700000, tonumber(size[0]))
  end)

  it("names a file that is not there, and leaves the digest alone", function()
    local err, digest = ffi.new "eas_err", ffi.new "eas_digest"
    digest.b[0] = 7
    assert.equal(ffi.C.EAS_EIO, C.eas_hash_file("/no/such", digest, nil, err))
    assert.matches("open '/no/such': No such file", ffi.string(err.text), 1, true)
    assert.equal(7, digest.b[0])
  end)

  it("refuses a folder", function()
    assert.equal(ffi.C.EAS_EIO, C.eas_hash_file("/tmp", ffi.new "eas_digest", nil, nil))
  end)
end)

describe("eas_digest_parse", function()
  it("reads back what eas_digest_hex writes", function()
    local rc, digest = parse(ABC)
    assert.equal(0, rc)
    assert.equal(ABC, hex(digest))
  end)

  it("refuses what is no digest", function()
    for _, bad in ipairs { "", "ba", ABC .. "0", ABC:sub(1, 63), ABC:upper(), "g" .. ABC:sub(2), ABC:sub(1, 63) .. " " } do
      assert.equal(ffi.C.EAS_EFORMAT, (parse(bad)), bad)
    end
  end)
end)

describe("eas_mix64", function()
  it("is SplitMix64: the first outputs of seed 0", function()
    assert.equal(0xe220a8397b1dcdafULL, C.eas_mix64(0, 0))
    assert.equal(0x6e789e6aa1b965f4ULL, C.eas_mix64(0, 1))
    assert.equal(0x06c45d188009454fULL, C.eas_mix64(0, 2))
  end)
end)

describe("eas_random_bytes", function()
  it("does not repeat itself", function()
    local a, b = ffi.new "uint8_t[16]", ffi.new "uint8_t[16]"
    C.eas_random_bytes(a, 16)
    C.eas_random_bytes(b, 16)
    assert.not_equal(ffi.string(a, 16), ffi.string(b, 16))
  end)
end)
