-- Attacks from within a child, in each mode of isolation: denied, unless the mode cannot (then that is written here).
local T = require "spec.support"

local HOST = T.build .. "/bin/eas-zygote-host"

-- What a mode does not stop: the other layers exist for these.
local KNOWN = {
  full = {},
  userns = {},
  -- one user for all, no namespaces: Landlock has no right for chmod, and System V memory is everybody's
  basic = { chmod_outside = true, shared_segment = true },
  -- layers left out on purpose: what the remaining ones hold alone
  ["full-mount_ns"] = {},
  ["full-landlock"] = { -- the store's objects are in sight; who knows their hash may read them
    read_foreign = true, list_store = true, list_root = true, list_data = true },
  ["full-seccomp"] = { -- the other user and the namespaces alone
    tcp = true, udp = true, unix_socket = true, netlink = true, datagram_pair = true, io_uring = true, memfd_secret = true,
    keyctl = true, userfaultfd = true, perf_event_open = true, clone3 = true, unshare = true, clone_user_ns = true,
    mount = true, chroot = true },
}

local function answers(mode)
  local got = T.sh(("timeout 60 %s %s questions"):format(T.quote(HOST), mode))
  if got.status == 3 then return nil, got.err:gsub("\n", " ") end
  assert.equal(0, got.status, got.err)
  local list = {}
  for name, answer, code in got.out:gmatch "(%S+) (%S+) (%S+)\n" do
    list[#list + 1] = { name = name, went_through = answer == "through", code = code }
  end
  assert.is_true(#list > 40, "only " .. #list .. " answers: " .. got.out .. got.err)
  return list
end

for _, mode in ipairs { "full", "userns", "basic", "full-mount_ns", "full-landlock", "full-seccomp" } do
  describe("a child in mode " .. mode, function()
    it("is denied what it must not, and allowed what it needs", function()
      local list, why = answers(mode)
      T.skip_unless(list, why)
      local wrong = {}
      for _, one in ipairs(list) do
        local must = one.name:match "^ok_" ~= nil
        if one.went_through ~= must and not KNOWN[mode][one.name] then
          wrong[#wrong + 1] = ("%s %s (%s)"):format(one.name, one.went_through and "went through" or "was denied", one.code)
        end
      end
      assert.equal("", table.concat(wrong, ", "))
    end)
  end)
end

describe("without isolation", function()
  it("the same attacks go through, so that the tests above mean something", function()
    T.skip_unless(T.sh("id -u").out == "0\n", "not root")
    local through = {}
    for _, one in ipairs(assert(answers "control")) do through[one.name] = one.went_through end
    for _, name in ipairs { "write_outside", "create_outside", "read_secret", "read_foreign", "rename_out", "tcp", "udp", "unix_socket",
      "kill_supervisor", "link_secret", "chmod_outside", "shared_segment", "execute_own" } do
      assert.is_true(through[name], name)
    end
  end)
end)
