-- db/db.h: one face over SQLite and PostgreSQL: values, transactions, groups of statements, schema, ids, bells.
local ffi = require "ffi"
local T = require "spec.support"
local B = require "spec.backends.backend"
ffi.cdef [[ struct pollfd { int fd; short events; short revents; }; int poll(struct pollfd *, unsigned long, int); ]]
local C = ffi.C

local function rings(fd, ms)
  local p = ffi.new("struct pollfd", fd, 1, 0)
  return C.poll(p, 1, ms) == 1
end

describe("a database address", function()
  it("must be one", function()
    local db, why, code = B.open "mysql://somewhere"
    assert.is_nil(db)
    assert.equal("database 'mysql://somewhere': not a database address", why)
    assert.equal(C.EAS_EURL, code)
    assert.equal(C.EAS_EURL, select(3, B.open "sqlite:"))
  end)

  it("must lead to a database, unless one is to be made", function()
    local path = T.tmpdir() .. "/none.db"
    local _, why, code = B.open("sqlite:" .. path, 0)
    assert.equal(C.EAS_ENOENT, code)
    assert.equal(("database '%s': there is none"):format(path), why)
    assert.equal(C.EAS_ECONNECT, select(3, B.open("postgresql://eas@/none?host=" .. T.tmpdir())))
    assert.equal(C.EAS_EURL, select(3, B.open "postgresql://eas@/none?no_such_option=1"))
  end)

  it("must not lead to a file of something else", function()
    local path = T.write(T.tmpdir() .. "/text.db", ("no database at all\n"):rep(200))
    local _, why, code = B.open("sqlite:" .. path)
    assert.equal(C.EAS_EFORMAT, code)
    assert.truthy(why:find("not a database", 1, true))
  end)
end)

B.each(function(kind)
  local db
  before_each(function() db = B.fresh(kind) end)
  after_each(function() if db then db:close() end db = nil end)

  it("keeps values of every type", function()
    db:exec "CREATE TEMP TABLE v (i BIGINT, r DOUBLE PRECISION, t TEXT, b /*pg BYTEA*//*sqlite BLOB*/, n BIGINT)"
    local bytes = "\0\255it's \\ binary\0"
    db:exec("INSERT INTO v VALUES ($1, $2, $3, $4, $5)", 9007199254740993LL, { real = 0.1 }, "naïve ' \\ $1 {id}", { blob = bytes }, nil)
    local row = db:query("SELECT * FROM v")[1]
    assert.same({ i = 9007199254740992, r = 0.1, t = "naïve ' \\ $1 {id}", b = bytes }, row)
    assert.equal("9007199254740993", db:value "SELECT CAST(i AS TEXT) FROM v")
  end)

  it("takes parameters by number, in any order and twice", function()
    assert.same({ { a = 2, b = 1, c = 2 } },
      (function() local r = db:query("SELECT CAST($2 AS BIGINT) AS a, CAST($1 AS BIGINT) AS b, CAST($2 AS BIGINT) AS c", 1, 2) r.types = nil return r end)())
  end)

  it("refuses a statement whose parameters are not given", function()
    local rc, why, code = db:try("DELETE FROM word WHERE id = $2", 1)
    assert.is_nil(rc)
    assert.equal(C.EAS_EBUG, code)
    assert.truthy(why:find("$2 is used", 1, true))
  end)

  it("shows each back end its own part of a statement", function()
    assert.equal(kind == "sqlite" and "lite" or "pg", db:value "SELECT /*pg 'pg'*//*sqlite 'lite'*/ AS x")
    assert.equal("/*pg not a comment*/", db:value "SELECT '/*pg not a comment*/' AS x")
  end)

  it("knows sets of ids and of texts", function()
    for i, word in ipairs { "a", "b\"'", "c" } do db:exec("INSERT INTO word (id, text) VALUES ($1, $2)", 100 + i, word) end
    local list = kind == "sqlite" and "[101,103]" or "{101,103}"
    assert.equal(2, db:value("SELECT count(*) FROM word WHERE id /*pg = ANY (CAST($1 AS BIGINT[]))*//*sqlite IN (SELECT value FROM json_each($1))*/", list))
    assert.equal(1, db:value("SELECT count(*) FROM word WHERE text IN (SELECT /*pg json_array_elements_text(CAST($1 AS JSON)) *//*sqlite value FROM json_each($1) */)", [==[["b\"'","d"]]==]))
  end)

  it("counts rows changed", function()
    db:exec "INSERT INTO word (id, text) VALUES (1, 'a'), (2, 'b')"
    assert.equal(2, db:exec "UPDATE word SET text = text || 'x'")
    assert.equal(0, db:exec "UPDATE word SET text = 'q' WHERE id = 77")
    assert.equal(0, db:exec "SELECT 1")
  end)

  it("keeps a bounded number of statements prepared", function()
    for i = 1, 1200 do assert.equal(i, db:value(("SELECT CAST(%d AS BIGINT) AS x"):format(i))) end
    assert.is_true(C.eas_db_statement(db.c, 999) == nil)
    assert.equal(7, db:value "SELECT CAST(7 AS BIGINT) AS x")
  end)

  it("lets the clock tell UTC in microseconds", function()
    local now = db:value "SELECT eas_now() AS t"
    assert.is_true(math.abs(now / 1e6 - os.time()) < 5)
  end)

  describe("a transaction", function()
    it("is whole", function()
      db:begin()
      db:exec "INSERT INTO word (id, text) VALUES (1, 'a')"
      db:rollback()
      assert.equal(0, db:value "SELECT count(*) FROM word")
      db:rollback() -- harmless
      db:begin()
      db:exec "INSERT INTO word (id, text) VALUES (1, 'a')"
      assert.is_true(db:commit())
      assert.equal(1, db:value "SELECT count(*) FROM word")
    end)

    it("is poisoned by its first failure, and usable after the rollback", function()
      db:begin()
      db:exec "INSERT INTO word (id, text) VALUES (1, 'a')"
      local _, first, code = db:try "INSERT INTO word (id, text) VALUES (2, 'a')"
      assert.equal(C.EAS_EDB, code)
      local rc, second = db:try "INSERT INTO word (id, text) VALUES (3, 'c')"
      assert.is_nil(rc)
      assert.equal(first, second)
      assert.is_nil(db:commit())
      assert.equal(0, db:value "SELECT count(*) FROM word")
      db:begin()
      db:exec "INSERT INTO word (id, text) VALUES (3, 'c')"
      assert.is_true(db:commit())
    end)

    it("is made again when it met another on a server, some times", function()
      local tries, n = ffi.new "int[1]", 0
      while C.eas_db_again(db.c, C.EAS_EBUSY, tries) == 1 do n = n + 1 end
      assert.equal(kind == "postgresql" and 8 or 0, n)
      assert.equal(0, C.eas_db_again(db.c, C.EAS_EDB, ffi.new "int[1]"))
    end)

    it("does not nest", function()
      db:begin()
      assert.equal(C.EAS_EBUG, C.eas_db_begin(db.c, db.err))
      db:rollback()
      assert.equal(C.EAS_EBUG, select(3, db:commit()))
    end)

    it("shows a reader one moment", function()
      local other = db:again()
      db:must(C.eas_db_begin_read(db.c, db.err))
      assert.equal(0, db:value "SELECT count(*) FROM word")
      other:exec "INSERT INTO word (id, text) VALUES (1, 'a')"
      assert.equal(0, db:value "SELECT count(*) FROM word")
      assert.is_true(db:commit())
      assert.equal(1, db:value "SELECT count(*) FROM word")
      other:close()
    end)
  end)

  describe("statements sent together", function()
    it("run in order and cost one round trip", function()
      local rows
      local trips = db:cost(function()
        db:begin()
        for i = 1, 100 do assert(db:send("INSERT INTO word (id, text) VALUES ($1, $2)", i, "w" .. i)) end
        local ticket = db:send "SELECT count(*) AS n FROM word"
        local last = db:send "UPDATE word SET text = text || '!' WHERE id > 90"
        assert(db:flush())
        rows = db:result(ticket)
        assert.equal(10, C.eas_rows_changed(C.eas_db_result(db.c, last)))
        db:rollback()
      end)
      assert.equal(100, rows[1].n)
      if kind == "postgresql" then assert.equal(2, trips) end -- flush, rollback
    end)

    it("travel with the commit", function()
      local trips, commits = db:cost(function()
        db:begin()
        for i = 1, 50 do assert(db:send("INSERT INTO word (id, text) VALUES ($1, $2)", i, "w" .. i)) end
        assert(db:commit())
      end)
      assert.equal(1, commits)
      if kind == "postgresql" then assert.equal(1, trips) end
    end)

    it("fail with the words of the first that does", function()
      db:begin()
      db:send "INSERT INTO word (id, text) VALUES (1, 'a')"
      db:send "INSERT INTO word (id, text) VALUES (1, 'b')"
      db:send "SELECT * FROM nowhere"
      local ok, why = db:flush()
      assert.is_nil(ok)
      assert.truthy(why:lower():find("unique", 1, true))
      db:rollback()
      assert.equal(0, db:value "SELECT count(*) FROM word")
    end)

    it("may be more than any buffer holds", function()
      local long = ("x"):rep(20000)
      db:begin()
      local tickets = {}
      for i = 1, 500 do
        assert(db:send("INSERT INTO word (id, text) VALUES ($1, $2)", i, long .. i))
        tickets[i] = assert(db:send("SELECT text FROM word WHERE id = $1", i))
      end
      assert(db:flush())
      assert.equal(long .. 500, db:result(tickets[500])[1].text)
      db:rollback()
    end)
  end)

  describe("ids", function()
    it("are fresh, in a block, above what is there", function()
      db:exec "INSERT INTO word (id, text) VALUES (41, 'a')"
      if kind == "postgresql" then db:exec "SELECT setval('word_id_seq', 41)" end
      local out = ffi.new "int64_t[5]"
      db:must(C.eas_db_ids(db.c, "word", 5, out, db.err))
      for i = 0, 4 do assert.equal(42 + i, tonumber(out[i])) end
      local other = db:again()
      assert.equal(47, other:id "word")
      other:close()
    end)
  end)

  describe("the schema", function()
    it("is made once", function()
      local found, newest = ffi.new "int[1]", ffi.new "int[1]"
      db:must(C.eas_db_schema(db.c, found, newest, db.err))
      assert.equal(newest[0], found[0])
      assert.is_true(newest[0] >= 1)
      assert.is_true(db:migrate())
    end)

    it("is found missing in an empty database", function()
      local bare = assert(B.open(B.url(kind, true)))
      local found = ffi.new "int[1]"
      bare:must(C.eas_db_schema(bare.c, found, nil, bare.err))
      assert.equal(0, found[0])
      assert.is_true(bare:migrate())
      bare:close()
    end)

    it("is refused when it is newer than this program", function()
      db:exec "INSERT INTO eas_schema (version, name, at) VALUES (999, '0999_future.sql', 0)"
      local ok, why, code = db:migrate()
      assert.is_nil(ok)
      assert.equal(C.EAS_EFORMAT, code)
      assert.truthy(why:find("version 999", 1, true))
    end)

    it("is not mixed with tables of something else", function()
      local bare = assert(B.open(B.url(kind, true)))
      bare:exec "CREATE TABLE groceries (id BIGINT)"
      assert.equal(C.EAS_EFORMAT, select(3, bare:migrate()))
      bare:close()
    end)

    it("is brought up by whoever comes first", function()
      local url = B.url(kind, true)
      local a, b = assert(B.open(url)), assert(B.open(url))
      assert.is_true(a:migrate())
      assert.is_true(b:migrate())
      a:close()
      b:close()
    end)
  end)

  describe("a reader", function()
    it("sees commits, and writes nothing", function()
      local reader = db:again(C.EAS_DB_READ)
      db:exec "INSERT INTO word (id, text) VALUES (1, 'a')"
      assert.equal(1, reader:value "SELECT count(*) FROM word")
      assert.is_nil(reader:try "INSERT INTO word (id, text) VALUES (2, 'b')")
      db:begin()
      db:exec "INSERT INTO word (id, text) VALUES (3, 'c')"
      assert.equal(1, reader:value "SELECT count(*) FROM word")
      assert.is_true(db:commit())
      assert.equal(2, reader:value "SELECT count(*) FROM word")
      reader:close()
    end)
  end)

  describe("the bell", function()
    it("wakes others after the commit", function()
      local other = db:again()
      local fd = C.eas_db_bell_fd(other.c, other.err)
      assert.is_true(fd >= 0, other:message())
      C.eas_db_bell_clear(other.c)
      assert.is_false(rings(fd, 20))
      db:begin()
      db:must(C.eas_db_ring(db.c, db.err))
      assert.is_false(rings(fd, 20))
      assert.is_true(db:commit())
      assert.is_true(rings(fd, 2000))
      C.eas_db_bell_clear(other.c)
      assert.is_false(rings(fd, 20))
      db:must(C.eas_db_ring(db.c, db.err)) -- outside of a transaction: at once
      assert.is_true(rings(fd, 2000))
      other:close()
    end)

    it("is heard when it came with an answer", function()
      local other = db:again()
      local fd = C.eas_db_bell_fd(other.c, other.err)
      C.eas_db_bell_clear(other.c)
      db:must(C.eas_db_ring(db.c, db.err))
      T.sh "sleep 0.05"
      other:value "SELECT 1" -- reads the connection's socket
      assert.is_true(rings(fd, 1000))
      other:close()
    end)

    it("does not ring for what was rolled back", function()
      local other = db:again()
      local fd = C.eas_db_bell_fd(other.c, other.err)
      C.eas_db_bell_clear(other.c)
      db:begin()
      db:must(C.eas_db_ring(db.c, db.err))
      db:rollback()
      assert.is_false(rings(fd, 50))
      other:close()
    end)
  end)

  it("wakes the queue", function()
    T.cdef "engine/queue/queue.h"
    local other, q, m = db:again(), ffi.new "eas_queue *[1]", ffi.new "eas_message"
    assert.equal(C.EAS_EURL, C.eas_queue_open(q, "carrier:pigeon", other.c, other.err))
    other:must(C.eas_queue_open(q, "sql:", other.c, other.err))
    while C.eas_queue_take(q[0], m, other.err) == 1 do end
    local mine = ffi.new "eas_queue *[1]"
    db:must(C.eas_queue_open(mine, "sql:", db.c, db.err))
    C.eas_queue_publish(mine[0], "null", 7, db.err)
    assert.equal(0, C.eas_queue_take(q[0], m, other.err))
    db:must(C.eas_queue_flush(mine[0], db.err))
    assert.is_true(rings(C.eas_queue_fd(q[0]), 2000))
    m.attempt = 5
    assert.equal(1, C.eas_queue_take(q[0], m, other.err))
    assert.equal(0, tonumber(m.attempt))
    assert.equal(0, C.eas_queue_take(q[0], m, other.err))
    C.eas_queue_close(q[0])
    C.eas_queue_close(mine[0])
    other:close()
  end)

  if kind == "postgresql" then
    it("says that the connection is lost, once, and connects again", function()
      db:begin()
      db:exec "INSERT INTO word (id, text) VALUES (1, 'a')"
      local pid = db:value "SELECT pg_backend_pid() AS p"
      local other = db:again()
      other:exec("SELECT pg_terminate_backend(CAST($1 AS INTEGER))", pid)
      other:close()
      T.sh "sleep 0.1"
      assert.equal(C.EAS_ECONNECT, select(3, db:commit()))
      assert.equal(0, db:value "SELECT count(*) FROM word")
      db:exec "INSERT INTO word (id, text) VALUES (1, 'a')"
    end)
  else
    it("waits for a writer in another process, up to 5 s", function()
      local path = db.url:match "sqlite:(.*)"
      local script = ("(echo 'BEGIN IMMEDIATE; INSERT INTO word VALUES (1, $$a$$);'; sleep %s; echo 'COMMIT;') | sqlite3 %s")
      os.execute((script:format("0.5", path):gsub("%$%$", "\"'\"")) .. " 2>/dev/null &")
      T.sh "sleep 0.2"
      T.skip_unless(T.sh("command -v sqlite3").status == 0, "no sqlite3 program here")
      db:begin()
      assert.equal(1, db:value "SELECT count(*) FROM word")
      assert.is_true(db:commit())
    end)

    it("says who is in the way after that", function()
      local other = db:again()
      other:begin()
      local started = os.time()
      local rc = C.eas_db_begin(db.c, db.err)
      assert.equal(C.EAS_EBUSY, rc)
      assert.is_true(os.time() - started >= 4 and os.time() - started <= 8)
      assert.truthy(db:message():find("another process holds it", 1, true))
      other:rollback()
      other:close()
      db:begin()
      assert.is_true(db:commit())
    end)

    it("drops nobody when several processes write", function()
      T.skip_unless(T.sh("command -v sqlite3").status == 0, "no sqlite3 program here")
      local path, commands = db.url:match "sqlite:(.*)", {}
      for i = 1, 200 do commands[i] = ("INSERT INTO word (text) VALUES ('other%d');"):format(i) end
      local file = T.write(T.tmpdir() .. "/sql", table.concat(commands, "\n"))
      os.execute(("sqlite3 -cmd '.timeout 20000' %s <%s & echo $! >%s.pid"):format(path, file, file))
      for i = 1, 200 do
        db:begin()
        db:exec("INSERT INTO word (text) VALUES ($1)", "mine" .. i)
        assert.is_true(db:commit())
      end
      for _ = 1, 300 do
        if db:value "SELECT count(*) FROM word" == 400 then break end
        T.sh "sleep 0.05"
      end
      assert.equal(400, db:value "SELECT count(*) FROM word")
    end)
  end
end)
