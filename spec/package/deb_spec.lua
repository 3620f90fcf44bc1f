-- The Debian packages and units of systemd: what can be seen of their sources, always; with EAS_LONG=1 they are made with
-- cpack, installed in a clean system, used, and removed.
local T = require "spec.support"
local long = os.getenv "EAS_LONG"
local UNITS = T.root .. "/packaging/systemd/"
local CHROOT = T.root .. "/spec/package/chroot.sh"

describe("the units of systemd", function()
  it("are understood by systemd, and start commands that there are", function()
    local overview = T.eas({ "--help" }).out
    for _, name in ipairs { "eas-control.service", "eas-worker@.service", "eas-web.service" } do
      local text = assert(T.read(UNITS .. name), name)
      for command in text:gmatch "/usr/bin/eas (%l+)" do
        assert.truthy(overview:find("\n  eas " .. command .. " ", 1, true), name .. ": eas " .. command)
      end
      assert.truthy(text:find "\nUser=eas\n" and text:find "\nNoNewPrivileges=yes\n" and text:find "\nProtectSystem=strict\n", name)
    end
    -- what would take its children's namespaces from them
    for _, key in ipairs { "RestrictNamespaces", "ProtectProc", "ProtectKernelTunables", "ProtectKernelLogs", "ProtectControlGroups", "SystemCallFilter",
      "MemoryDenyWriteExecute", "ProcSubset" } do
      assert.is_nil(T.read(UNITS .. "eas-worker@.service"):find("\n" .. key .. "="), key)
    end
  end)

  it("pass systemd-analyze", function()
    T.skip_unless(T.sh("command -v systemd-analyze").status == 0, "no systemd-analyze here")
    local function complaints(wrong)
      local dir, bad = T.tmpdir(), {}
      for _, name in ipairs { "eas-control.service", "eas-worker@.service", "eas-web.service" } do
        local text = T.read(UNITS .. name):gsub("/usr/bin/eas", T.build .. "/bin/eas"):gsub("Documentation=[^\n]*\n", "")
        text = text:gsub("User=eas", "User=daemon"):gsub("Group=eas", "Group=daemon") -- a user that is here
        T.write(dir .. "/" .. name, (text:gsub("ProtectSystem", wrong or "ProtectSystem")))
      end
      local got = T.sh(("systemd-analyze verify --man=no --recursive-errors=no %s/eas-control.service %s/eas-web.service %s/eas-worker@all.service"):format(dir, dir, dir))
      for line in (got.out .. got.err):gmatch "[^\n]+" do
        if line:find "eas%-" then bad[#bad + 1] = line end
      end
      return bad
    end
    assert.same({}, complaints())
    assert.equal(3, #complaints "ProtectSystm")
  end)
end)

describe("the packages", function()
  local dir, root, files = nil, nil, {}

  local function inside(command, user)
    return T.sh(("%s enter %s %s /bin/sh -c %s"):format(T.quote(CHROOT), root, user or "0:0", T.quote(command)))
  end

  lazy_setup(function()
    if not long then return end
    dir = T.tmpdir()
    root = dir .. "/root"
    local made = T.sh(("cd %s && cmake --preset package -B %s/build && cmake --build %s/build && cd %s/build && cpack"):format(T.quote(T.root), dir, dir, dir))
    assert.equal(0, made.status, made.out:sub(-3000) .. made.err)
    for file in T.sh(("ls %s/build/packages/*.deb"):format(dir)).out:gmatch "[^\n]+" do files[#files + 1] = file end
    assert.equal(2, #files)
    local got = T.sh(("%s new %s && cp %s/build/packages/*.deb %s/tmp"):format(T.quote(CHROOT), root, dir, root))
    assert.equal(0, got.status, got.err)
  end)
  lazy_teardown(function()
    if root then T.sh(("%s end %s"):format(T.quote(CHROOT), root)) end
  end)

  local function needed() T.skip_unless(long, "EAS_LONG=1 makes the packages and installs them in a chroot (a minute, root, debootstrap)") end

  it("install, with what they depend on", function()
    needed()
    local got = inside "export DEBIAN_FRONTEND=noninteractive; apt-get update -q && apt-get install -q -y --no-install-recommends /tmp/eas_*.deb"
    assert.equal(0, got.status, got.out:sub(-2000) .. got.err)
    assert.truthy(inside("getent passwd eas").out:find("/var/lib/eas", 1, true))
    assert.equal("eas eas 755\n", inside("stat -c '%U %G %a' /var/lib/eas").out)
    assert.equal("/etc/eas/eas.conf\n", inside("dpkg-query -W -f '${Conffiles}' eas | awk '{ print $1 }' | grep .").out)
    assert.equal("", inside("ldd /usr/bin/eas /usr/libexec/eas-zygote | grep 'not found'").out)
  end)

  it("work: a job of everybody's, by the user of the services", function()
    needed()
    local got = inside("cd /var/lib/eas && eas run /usr/share/doc/eas/examples/first_planets.json --no-progress && eas doctor --verbose", "eas:eas")
    assert.equal(0, got.status, got.out .. got.err)
    assert.truthy(got.out:find("0 failed", 1, true), got.out)
    assert.truthy(inside("man -w eas 2>/dev/null; ls /usr/share/man/man1/eas.1*").out:find("eas.1", 1, true))
  end)

  it("read /etc/eas/eas.conf, which an upgrade leaves as it is", function()
    needed()
    assert.equal(0, inside("echo 'slots: 3' >>/etc/eas/eas.conf").status)
    local shown = inside("eas doctor --verbose --data /tmp/d").out
    assert.truthy(shown:find("slots%s+3%s+%(/etc/eas/eas.conf"), shown)
    local got = inside "export DEBIAN_FRONTEND=noninteractive; dpkg --force-confold -i /tmp/eas_*.deb"
    assert.equal(0, got.status, got.err)
    assert.truthy(inside("cat /etc/eas/eas.conf").out:find("slots: 3", 1, true))
  end)

  it("of developers build a pack with a kernel", function()
    needed()
    local got = inside "export DEBIAN_FRONTEND=noninteractive; apt-get install -q -y --no-install-recommends /tmp/eas-dev_*.deb"
    assert.equal(0, got.status, got.out:sub(-2000) .. got.err)
    got = inside "cp -r /usr/share/doc/eas/examples/container /tmp/pack && make -C /tmp/pack && EAS_TASK_PATH=/tmp/pack eas run /tmp/pack/job.json --no-progress --data /tmp/d"
    assert.equal(0, got.status, got.out .. got.err)
    assert.equal(0, inside("test -e /usr/share/eas/lua/eas/types.d.lua").status)
  end)

  it("go without a trace but what is the user's", function()
    needed()
    assert.equal(0, inside("export DEBIAN_FRONTEND=noninteractive; apt-get purge -q -y eas eas-dev").status)
    assert.equal("", inside("ls -d /usr/bin/eas* /usr/share/eas /usr/lib/*/eas /etc/eas/eas.conf /usr/libexec/eas-zygote 2>/dev/null").out)
    assert.equal(0, inside("test -d /var/lib/eas/eas-data || test -d /var/lib/eas").status)
  end)
end)
