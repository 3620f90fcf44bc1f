-- 0001_core: jobs, tasks, attempts, products. The state machine is in docs/state_machine.md.
-- {id} is a 64-bit primary key, {blob} bytes. Stamps are UTC microseconds. Words that a column may hold are
-- listed by OR: SQLite builds a table for IN at each change, which tripled the cost of ending an attempt.
-- Text that many rows share stands once, in word.

CREATE TABLE word (
  id   {id},
  text TEXT NOT NULL UNIQUE
);

CREATE TABLE task_type (
  id   {id},
  name TEXT NOT NULL UNIQUE
);

CREATE TABLE document (
  id     {id},
  digest {blob} NOT NULL UNIQUE,
  source TEXT NOT NULL,                -- file name as the user gave it
  body   TEXT NOT NULL                 -- JSON text, verbatim (of a Lua job: the table it returned)
);

CREATE TABLE job (
  id         {id},
  name       TEXT NOT NULL,
  document   BIGINT NOT NULL REFERENCES document,
  identity   {blob} NOT NULL,          -- digest of document, seed, overrides
  state      TEXT NOT NULL CHECK (state = 'active' OR state = 'paused' OR state = 'cancelled'),
  priority   BIGINT NOT NULL DEFAULT 0,
  seed       BIGINT NOT NULL,
  compat     BIGINT NOT NULL DEFAULT 0, -- 1: numbers in names as the prototype formats them
  overrides  TEXT,                     -- JSON object of --set, or NULL
  root       BIGINT,                   -- task
  created_at BIGINT NOT NULL,
  done_at    BIGINT                    -- its root is done
);
CREATE INDEX job_identity ON job (identity);
CREATE INDEX job_open ON job (priority, id) WHERE done_at IS NULL;

CREATE INDEX job_cancelled ON job (id) WHERE state = 'cancelled';

CREATE TABLE node (                    -- a place in a job's document
  id   {id},
  job  BIGINT NOT NULL REFERENCES job ON DELETE CASCADE,
  path TEXT NOT NULL,                  -- "$", "$.task_list[0].task_list[2]"
  UNIQUE (job, path)
);

CREATE TABLE task (
  id              {id},
  job             BIGINT NOT NULL REFERENCES job ON DELETE CASCADE,
  parent          BIGINT REFERENCES task ON DELETE CASCADE,
  ordinal         BIGINT NOT NULL,     -- among the siblings, from 0
  depth           BIGINT NOT NULL,     -- 0: the root
  type            BIGINT NOT NULL REFERENCES task_type,
  node            BIGINT NOT NULL,     -- no foreign key: nodes go with their job only
  name            BIGINT REFERENCES word,
  directory       BIGINT NOT NULL REFERENCES word, -- working directory, inherited
  label           BIGINT REFERENCES word,          -- job_name where a task overrides it
  state           TEXT NOT NULL CHECK (state = 'waiting' OR state = 'ready' OR state = 'passed' OR state = 'failed' OR state = 'skipped' OR state = 'cancelled'),
  pending         BIGINT NOT NULL CHECK (pending >= 0),
  attempts        BIGINT NOT NULL DEFAULT 0, -- attempts born so far
  accepted        BIGINT,              -- the attempt that passed
  open_children   BIGINT NOT NULL DEFAULT 0 CHECK (open_children >= 0),
  failed_children BIGINT NOT NULL DEFAULT 0 CHECK (failed_children >= 0),
  done            BIGINT NOT NULL DEFAULT 0 CHECK (done IN (0, 1)),
  spread          BIGINT NOT NULL DEFAULT 0, -- 1: control has to skip what hangs on it
  stale           BIGINT NOT NULL DEFAULT 0, -- 1: an input was made anew since
  cursor          BIGINT NOT NULL DEFAULT 0, -- flow control: children created so far
  turn            BIGINT NOT NULL DEFAULT 0, -- do-while: the iteration this task belongs to
  seed            BIGINT NOT NULL,     -- hash of the job's seed and the path to here
  metadata        TEXT,                -- JSON object of its own values (loop variables)
  UNIQUE (parent, ordinal),
  CHECK (state <> 'waiting' OR pending > 0),
  CHECK (state <> 'ready' OR pending = 0),
  CHECK (state <> 'passed' OR accepted IS NOT NULL),
  CHECK (done = 0 OR open_children = 0)
);
CREATE INDEX task_job ON task (job, id);
CREATE INDEX task_bad ON task (job, id) WHERE state IN ('failed', 'skipped');
CREATE INDEX task_cancelled ON task (job, id) WHERE state = 'cancelled';
CREATE INDEX task_spread ON task (id) WHERE spread = 1;

CREATE TABLE worker (
  id          {id},
  host        BIGINT NOT NULL REFERENCES word,
  pid         BIGINT NOT NULL,
  container   BIGINT REFERENCES word,
  slots       BIGINT NOT NULL,
  version     TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state = 'active' OR state = 'ended' OR state = 'lost'),
  started_at  BIGINT NOT NULL,
  beat_at     BIGINT NOT NULL,
  lease_until BIGINT NOT NULL
);
CREATE INDEX worker_lease ON worker (lease_until) WHERE state = 'active';

CREATE TABLE attempt (
  id         {id},
  task       BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  job        BIGINT NOT NULL,
  type       BIGINT NOT NULL,
  number     BIGINT NOT NULL,          -- 1, 2, ... within the task
  state      TEXT NOT NULL CHECK (state = 'queued' OR state = 'running' OR state = 'ended'),
  ending     TEXT CHECK (ending = 'ok' OR ending = 'error' OR ending = 'crashed' OR ending = 'timeout' OR ending = 'cpu' OR ending = 'memory' OR ending = 'disk' OR ending = 'processes' OR ending = 'lost' OR ending = 'cancelled' OR ending = 'reused'),
  verdict    TEXT CHECK (verdict IN ('pass', 'fail')),
  token      BIGINT NOT NULL DEFAULT 0, -- fencing token: + 1 at each claim and each loss
  worker     BIGINT,                   -- no foreign key: a claim looks whether it is alive
  slot       BIGINT,
  not_before BIGINT NOT NULL DEFAULT 0,
  queued_at  BIGINT NOT NULL,
  started_at BIGINT,
  ended_at   BIGINT,
  wall_us    BIGINT,
  cpu_us     BIGINT,
  peak_kb    BIGINT,
  layers     BIGINT,                   -- isolation it had, bits of sandbox.h
  reused     BIGINT,                   -- ending reused: the attempt whose results these are
  prov_key   {blob},                   -- provenance key; NULL: never reused
  metadata   TEXT,                     -- JSON object, written once
  UNIQUE (task, number),
  CHECK ((state = 'ended') = (ending IS NOT NULL)),
  CHECK (state <> 'ended' OR verdict IS NOT NULL),
  CHECK (verdict IS NULL OR verdict = 'fail' OR ending IN ('ok', 'reused')),
  CHECK (state <> 'running' OR (worker IS NOT NULL AND started_at IS NOT NULL))
);
CREATE INDEX attempt_queue ON attempt (type, job, id) WHERE state = 'queued';
CREATE INDEX attempt_running ON attempt (worker, id) WHERE state = 'running';
CREATE UNIQUE INDEX attempt_open ON attempt (task) WHERE state <> 'ended';
CREATE INDEX attempt_key ON attempt (prov_key) WHERE prov_key IS NOT NULL AND verdict = 'pass';

CREATE TABLE attempt_note (            -- only attempts that have something to tell
  attempt     BIGINT PRIMARY KEY REFERENCES attempt ON DELETE CASCADE,
  reason      TEXT,                    -- why the verdict is fail, one line
  error       TEXT,                    -- one line
  cause       TEXT,                    -- error with numbers taken out: what failures are grouped by
  trace       TEXT,                    -- Lua traceback, native backtrace
  checks      TEXT,                    -- JSON list of {name, value, limit, verdict}
  description TEXT,                    -- JSON: the evaluated job entry
  provenance  TEXT                     -- JSON: what the key was made of
);

CREATE TABLE product (
  id        {id},
  job       BIGINT NOT NULL REFERENCES job ON DELETE CASCADE,
  task      BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  kind      BIGINT NOT NULL REFERENCES word, -- semantic type
  directory BIGINT NOT NULL REFERENCES word,
  filename  TEXT NOT NULL,
  passed    BIGINT,                    -- newest version that passed
  UNIQUE (job, directory, filename),
  UNIQUE (task, kind)
);
CREATE INDEX product_file ON product (filename, directory, id) WHERE passed IS NOT NULL;

CREATE TABLE version (
  id         {id},
  product    BIGINT NOT NULL REFERENCES product ON DELETE CASCADE,
  attempt    BIGINT NOT NULL REFERENCES attempt ON DELETE CASCADE,
  digest     {blob} NOT NULL,
  size       BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  verdict    TEXT NOT NULL CHECK (verdict IN ('pass', 'fail')),
  reason     TEXT,
  metadata   TEXT,
  UNIQUE (product, attempt)
);
CREATE INDEX version_attempt ON version (attempt);
CREATE INDEX version_digest ON version (digest);

CREATE TABLE task_input (              -- an edge: task needs product
  task    BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  kind    BIGINT NOT NULL REFERENCES word,
  product BIGINT NOT NULL REFERENCES product ON DELETE CASCADE,
  met     BIGINT NOT NULL CHECK (met IN (0, 1)),
  PRIMARY KEY (task, kind)
);
CREATE INDEX task_input_product ON task_input (product);

CREATE TABLE task_need (               -- an edge: task needs the metadata of another
  task   BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  name   BIGINT NOT NULL REFERENCES word, -- as the job file calls it
  needed BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  met    BIGINT NOT NULL CHECK (met IN (0, 1)),
  PRIMARY KEY (task, name)
);
CREATE INDEX task_need_needed ON task_need (needed);

CREATE TABLE attempt_input (           -- which version an attempt really read
  attempt BIGINT NOT NULL REFERENCES attempt ON DELETE CASCADE,
  kind    BIGINT NOT NULL REFERENCES word,
  version BIGINT NOT NULL REFERENCES version ON DELETE CASCADE,
  PRIMARY KEY (attempt, kind)
);
CREATE INDEX attempt_input_version ON attempt_input (version);

CREATE TABLE log_line (
  attempt BIGINT NOT NULL REFERENCES attempt ON DELETE CASCADE,
  seq     BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  level   BIGINT NOT NULL,             -- 10 debug, 20 info, 30 warn, 40 error
  text    TEXT NOT NULL,
  PRIMARY KEY (attempt, seq)
);

CREATE TABLE progress (                -- of running attempts
  attempt BIGINT PRIMARY KEY REFERENCES attempt ON DELETE CASCADE,
  at      BIGINT NOT NULL,
  done    BIGINT NOT NULL,
  total   BIGINT NOT NULL
);

CREATE TABLE job_type (                -- counters: tasks by state, per job and type
  job       BIGINT NOT NULL REFERENCES job ON DELETE CASCADE,
  type      BIGINT NOT NULL REFERENCES task_type,
  waiting   BIGINT NOT NULL DEFAULT 0,
  queued    BIGINT NOT NULL DEFAULT 0, -- ready, attempt queued
  running   BIGINT NOT NULL DEFAULT 0, -- ready, attempt running
  passed    BIGINT NOT NULL DEFAULT 0, -- reused ones not counted here
  reused    BIGINT NOT NULL DEFAULT 0,
  failed    BIGINT NOT NULL DEFAULT 0,
  skipped   BIGINT NOT NULL DEFAULT 0,
  cancelled BIGINT NOT NULL DEFAULT 0,
  wall_us   BIGINT NOT NULL DEFAULT 0, -- of ended attempts
  ended     BIGINT NOT NULL DEFAULT 0, -- attempts ended
  PRIMARY KEY (job, type)
);
CREATE INDEX job_type_queued ON job_type (type, job) WHERE queued > 0;
