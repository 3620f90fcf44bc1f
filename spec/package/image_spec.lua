-- The Dockerfiles: that they say what is there, always; that their steps work in clean systems, with EAS_LONG=1.
local T = require "spec.support"
local D = require "spec.package.dockerfile"
local cjson = require "cjson"

local CORE, PACK = T.root .. "/Dockerfile", T.root .. "/examples/container/Dockerfile"
local VERSION = T.read(T.root .. "/CMakeLists.txt"):match "VERSION (%d+%.%d+%.%d+)"

local function steps(file, word)
  local list = {}
  for _, stage in ipairs(file.stages) do
    for _, step in ipairs(stage.steps) do
      if step.word == word then list[#list + 1] = { stage = stage, line = step.line, text = step.text } end
    end
  end
  return list
end

describe("the Dockerfiles", function()
  local core, pack = D.read(CORE), D.read(PACK)

  it("use instructions that the long form of this spec carries out", function()
    for _, file in ipairs { core, pack } do
      for _, stage in ipairs(file.stages) do
        for _, step in ipairs(stage.steps) do assert.truthy(step.word == "COPY" or D.known[step.word], step.line .. ": " .. step.word) end
      end
    end
  end)

  it("copy what is there, from stages that are", function()
    local n = 0
    for _, case in ipairs { { core, T.root }, { pack, T.root .. "/examples/container" } } do
      local before = {}
      for _, stage in ipairs(case[1].stages) do
        for _, step in ipairs(stage.steps) do
          if step.word == "COPY" then
            local sources, _, from = D.copy(step.text)
            if from then assert.truthy(before[from], step.line .. ": stage " .. from) end
            for _, source in ipairs(from and {} or sources) do
              assert.equal(0, T.sh(("ls -d %s/%s"):format(case[2], source)).status, step.line .. ": " .. source)
              n = n + 1
            end
          end
        end
        before[stage.name or #before] = true
      end
    end
    assert.truthy(n >= 4)
  end)

  it("name Debian packages by the lists that the build uses, and no others", function()
    local runs = steps(core, "RUN")
    assert.truthy(runs[1].text:find('packages_install "${packages_build[@]}" dpkg-dev file', 1, true))
    for _, run in ipairs(runs) do
      for list in run.text:gmatch "apt%-get install (.-) &?&?" do
        for word in list:gmatch "%S+" do
          assert.truthy(word:match "^%-" or word:match "^/tmp/packages/", run.line .. ": " .. word)
        end
      end
    end
  end)

  it("make an image that runs as nobody special, says what it is and whether it is well", function()
    local last = core.stages[#core.stages]
    local by = {}
    for _, step in ipairs(last.steps) do by[step.word] = (by[step.word] or "") .. step.text end
    assert.equal("10001:10001", by.USER)
    assert.equal('["eas", "worker"]', by.ENTRYPOINT)
    assert.truthy(by.HEALTHCHECK:find('["/usr/libexec/eas/healthcheck"]', 1, true))
    for _, label in ipairs { "title", "description", "version", "licenses" } do
      assert.truthy(by.LABEL:find("org.opencontainers.image." .. label, 1, true), label)
    end
    assert.equal("VERSION=" .. VERSION, by.ARG)
    assert.equal("core", last.from)
    assert.equal("debian:bookworm-slim", core.stages[2].from)
    assert.equal("eas:" .. VERSION, pack.args.EAS)
    assert.equal("eas-dev:" .. VERSION, pack.args.EAS_DEV)
  end)
end)

describe("the list of packages", function()
  it("is CycloneDX, a component for each package", function()
    T.skip_unless(T.sh("command -v dpkg-query").status == 0, "no dpkg here")
    local list = cjson.decode(T.sh(T.root .. "/packaging/container/sbom").out)
    assert.equal("CycloneDX", list.bomFormat)
    local n = tonumber(T.sh("dpkg-query -W -f '${db:Status-Abbrev}\n' | grep -c '^ii'").out)
    assert.equal(n, #list.components)
    assert.truthy(list.components[1].purl:find("^pkg:deb/debian/"))
  end)
end)

describe("the pack of examples/container", function()
  it("builds with what eas-dev has, is a container of its own, and its job passes", function()
    local dir = T.tmpdir()
    T.sh(("cp -r %s/examples/container %s/pack"):format(T.quote(T.root), dir))
    local built = T.sh(("make -C %s/pack EAS_CDEF=%s/cmake/eas-cdef EAS_INCLUDE=%s/tasks_native"):format(dir, T.quote(T.root), T.quote(T.root)))
    assert.equal(0, built.status, built.out .. built.err)
    local env = { EAS_TASK_PATH = dir .. "/pack", EAS_DATA = dir .. "/data", EAS_LOG_LEVEL = "warn" }
    local got = T.eas({ "run", dir .. "/pack/job.json", "--no-progress" }, { env = env })
    assert.equal(0, got.status, got.out .. got.err)
    local rows = T.eas({ "status", "--needed", "--json" }, { env = env }).out
    assert.truthy(rows:find('"eas_worker_crossings"', 1, true), rows)
  end)
end)

-- --- in clean systems ---

local long = os.getenv "EAS_LONG"

describe("the images, made in clean systems", function()
  local dir, made, derived

  lazy_setup(function()
    if not long then return end
    dir = T.tmpdir()
    made = D.build(CORE, T.root, dir)
    made["eas:" .. VERSION], made["eas-dev:" .. VERSION] = made.final, made.dev
    derived = D.build(PACK, T.root .. "/examples/container", T.tmpdir(), made).final
  end)
  lazy_teardown(D.clean_up)

  local function needed() T.skip_unless(long, "EAS_LONG=1 builds the images in chroots (some minutes, root, debootstrap)") end

  it("hold the program and what it runs with, and no compiler", function()
    needed()
    local image = made.final
    assert.equal(0, D.run(image, "eas version && eas registry check && test -x /usr/libexec/eas-zygote").status)
    for _, name in ipairs { "gcc", "cmake", "git", "make", "eas-cdef" } do
      assert.truthy(D.run(image, "command -v " .. name).status ~= 0, name .. " is in the image")
    end
    assert.equal("", D.run(image, "ldd /usr/bin/eas | grep 'not found'").out)
    local list = cjson.decode(D.run(image, "cat /usr/share/doc/eas/sbom.cdx.json").out)
    local found = {}
    for _, c in ipairs(list.components) do found[c.name] = c.version end
    assert.equal(VERSION, found.eas)
    assert.truthy(found["libluajit-5.1-2"] or found["libluajit2-5.1-2"])
    assert.equal(VERSION, image.labels["org.opencontainers.image.version"])
    print(("   image: %d packages, %s"):format(#list.components, D.run(image, "du -xsh / --exclude=/proc --exclude=/sys --exclude=/dev", { user = "0:0" }).out:match "%S+"))
  end)

  it("run a job as the image's user, in the isolation of a plain pod", function()
    needed()
    local got = D.run(made.final, "eas run /usr/share/doc/eas/examples/first_planets.json --no-progress")
    assert.equal(0, got.status, got.out .. got.err)
    local doctor = cjson.decode(D.run(made.final, "eas doctor --json").out)
    local on = {}
    for _, layer in ipairs(doctor.isolation) do on[layer.name] = layer.on end
    assert.same({ true, true, true, false }, { on.rlimits, on.no_new_privs, on.seccomp, on.user_ns }) -- EPERM in a chroot, as in a pod
    assert.is_true(doctor.ok)
  end)

  it("start the worker, which is healthy, and drains on the stop signal", function()
    needed()
    local image = made.final
    D.run(image, "eas init")
    local entry = table.concat(image.entry, " ")
    local got = D.run(image, entry .. " 2>worker.log & pid=$!; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; "
      .. table.concat(image.health, " ") .. " && break; done; echo health $?; kill -TERM $pid; wait $pid; echo ended $?; cat worker.log")
    assert.truthy(got.out:find("health 0", 1, true), got.out .. got.err)
    assert.truthy(got.out:find("ended 0", 1, true), got.out)
    assert.equal(1, D.run(image, table.concat(image.health, " ")).status) -- nothing answers now
  end)

  it("derived from the core run the task type that they add", function()
    needed()
    assert.equal("/opt/eas/crossings", derived.env.EAS_TASK_PATH)
    assert.equal("10001:10001", derived.user)
    assert.truthy(D.run(derived, "command -v gcc; ls /opt/eas/crossings/native/*.c").status ~= 0)
    T.write(derived.root .. "/tmp/job.json", T.read(T.root .. "/examples/container/job.json"))
    local got = D.run(derived, "EAS_CONTAINER= eas run /tmp/job.json --no-progress && eas results --json")
    assert.equal(0, got.status, got.out .. got.err)
  end)
end)
