-- A database as the program of schema 6 saved it: a loop half done when its worker was killed.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE eas_schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL);
INSERT INTO eas_schema VALUES(1,'0001_core.sql',1795383404132850);
INSERT INTO eas_schema VALUES(2,'0002_log.sql',1795383404137723);
INSERT INTO eas_schema VALUES(3,'0003_open.sql',1795383404138581);
INSERT INTO eas_schema VALUES(4,'0004_hot.sql',1795383404139082);
INSERT INTO eas_schema VALUES(5,'0005_control.sql',1795383404145372);
INSERT INTO eas_schema VALUES(6,'0006_words.sql',1795383404148023);
CREATE TABLE next_id (name TEXT PRIMARY KEY, next BIGINT NOT NULL) WITHOUT ROWID;
INSERT INTO next_id VALUES('attempt',22);
INSERT INTO next_id VALUES('document',2);
INSERT INTO next_id VALUES('job',2);
INSERT INTO next_id VALUES('node',8);
INSERT INTO next_id VALUES('task',34);
INSERT INTO next_id VALUES('task_type',7);
INSERT INTO next_id VALUES('word',5);
INSERT INTO next_id VALUES('worker',3);
CREATE TABLE word (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);
INSERT INTO word VALUES(1,'');
INSERT INTO word VALUES(2,'host');
INSERT INTO word VALUES(3,'bad');
INSERT INTO word VALUES(4,'a');
CREATE TABLE task_type (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
INSERT INTO task_type VALUES(1,'execution_chain');
INSERT INTO task_type VALUES(2,'execution_for_loop');
INSERT INTO task_type VALUES(3,'execution_do_while_loop');
INSERT INTO task_type VALUES(4,'execution_conditional');
INSERT INTO task_type VALUES(5,'error');
INSERT INTO task_type VALUES(6,'null');
CREATE TABLE document (
  id     INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  source TEXT NOT NULL,                -- file name as the user gave it
  body   TEXT NOT NULL                 -- JSON text, verbatim (of a Lua job: the table it returned)
);
INSERT INTO document VALUES(1,X'7bb782e8d7ee5a14c65344bff9e5a4a6c56cea008df6fcd6d3d92b165724e479','job.json',replace('{"job_name": "grid", "task_list": [\n  {"task": "execution_for_loop", "parameter": "k", "values": [1, 2, 3, 4, 5, 6], "task_list": [\n    {"task": "null", "duration": 0.2, "name": "a"}, {"task": "null", "duration": 0, "requires_metadata_from": ["a"]}]},\n  {"task": "error", "name": "bad"},\n  {"task": "null", "duration": 0, "requires_metadata_from": ["bad"]}]}\n','\n',char(10)));
CREATE TABLE job (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  document   BIGINT NOT NULL REFERENCES document,
  identity   BLOB NOT NULL,          -- digest of document, seed, overrides
  state      TEXT NOT NULL CHECK (state = 'active' OR state = 'paused' OR state = 'cancelled'),
  priority   BIGINT NOT NULL DEFAULT 0,
  seed       BIGINT NOT NULL,
  compat     BIGINT NOT NULL DEFAULT 0, -- 1: numbers in names as the prototype formats them
  overrides  TEXT,                     -- JSON object of --set, or NULL
  root       BIGINT,                   -- task
  created_at BIGINT NOT NULL,
  done_at    BIGINT                    -- its root is done
, origin BIGINT);
INSERT INTO job VALUES(1,'grid',1,X'111af30f565c9b4879d148d4ab6a98c4631f997ebbef8939f8af02d2bb7298c5','active',0,1,0,NULL,1,1795383404214156,NULL,NULL);
CREATE TABLE node (                    -- a place in a job's document
  id   INTEGER PRIMARY KEY,
  job  BIGINT NOT NULL REFERENCES job ON DELETE CASCADE,
  path TEXT NOT NULL,                  -- "$", "$.task_list[0].task_list[2]"
  UNIQUE (job, path)
);
INSERT INTO node VALUES(1,1,'$');
INSERT INTO node VALUES(2,1,'$.task_list[1]');
INSERT INTO node VALUES(3,1,'$.task_list[2]');
INSERT INTO node VALUES(4,1,'$.task_list[0]');
INSERT INTO node VALUES(5,1,'$.task_list[0].task_list');
INSERT INTO node VALUES(6,1,'$.task_list[0].task_list[0]');
INSERT INTO node VALUES(7,1,'$.task_list[0].task_list[1]');
CREATE TABLE task (
  id              INTEGER PRIMARY KEY,
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
  metadata        TEXT, gathered BIGINT NOT NULL DEFAULT 0,                -- JSON object of its own values (loop variables)
  UNIQUE (parent, ordinal),
  CHECK (state <> 'waiting' OR pending > 0),
  CHECK (state <> 'ready' OR pending = 0),
  CHECK (state <> 'passed' OR accepted IS NOT NULL),
  CHECK (done = 0 OR open_children = 0)
);
INSERT INTO task VALUES(1,1,NULL,0,0,1,1,NULL,1,NULL,'passed',0,1,1,2,1,0,0,0,3,0,-7995527694508729151,NULL,0);
INSERT INTO task VALUES(2,1,1,0,1,2,4,NULL,1,NULL,'passed',0,1,2,6,0,0,0,0,6,0,6791897765849424158,NULL,0);
INSERT INTO task VALUES(3,1,1,1,1,5,2,3,1,NULL,'failed',0,1,NULL,0,0,1,1,0,0,0,-1041056189838986770,NULL,0);
INSERT INTO task VALUES(4,1,1,2,1,6,3,NULL,1,NULL,'waiting',1,0,NULL,0,0,0,0,0,0,0,834844254806117752,NULL,0);
INSERT INTO task VALUES(5,1,2,0,2,1,5,NULL,1,NULL,'passed',0,1,4,1,0,0,0,0,2,0,2865472681921393599,'{"k":1,"k_index":0}',0);
INSERT INTO task VALUES(6,1,2,1,2,1,5,NULL,1,NULL,'passed',0,1,5,1,0,0,0,0,2,0,-7515678418631321451,'{"k":2,"k_index":1}',0);
INSERT INTO task VALUES(7,1,2,2,2,1,5,NULL,1,NULL,'passed',0,1,6,1,0,0,0,0,2,0,7288202516706721811,'{"k":3,"k_index":2}',0);
INSERT INTO task VALUES(8,1,2,3,2,1,5,NULL,1,NULL,'passed',0,1,7,1,0,0,0,0,2,0,-853410898164369825,'{"k":4,"k_index":3}',0);
INSERT INTO task VALUES(9,1,2,4,2,1,5,NULL,1,NULL,'passed',0,1,8,2,0,0,0,0,2,0,-9071054322938028980,'{"k":5,"k_index":4}',0);
INSERT INTO task VALUES(10,1,2,5,2,1,5,NULL,1,NULL,'passed',0,1,9,2,0,0,0,0,2,0,-2191401846400637888,'{"k":6,"k_index":5}',0);
INSERT INTO task VALUES(11,1,5,0,3,6,6,4,1,NULL,'passed',0,1,10,0,0,1,0,0,0,0,8462557332888453786,NULL,0);
INSERT INTO task VALUES(12,1,5,1,3,6,7,NULL,1,NULL,'ready',0,1,NULL,0,0,0,0,0,0,0,-5161868613901195314,NULL,0);
INSERT INTO task VALUES(13,1,6,0,3,6,6,4,1,NULL,'passed',0,1,11,0,0,1,0,0,0,0,3074028453565944490,NULL,0);
INSERT INTO task VALUES(14,1,6,1,3,6,7,NULL,1,NULL,'ready',0,1,NULL,0,0,0,0,0,0,0,2998324741817725642,NULL,0);
INSERT INTO task VALUES(15,1,7,0,3,6,6,4,1,NULL,'passed',0,1,12,0,0,1,0,0,0,0,4902625346439476754,NULL,0);
INSERT INTO task VALUES(16,1,7,1,3,6,7,NULL,1,NULL,'ready',0,1,NULL,0,0,0,0,0,0,0,-7279736149673979572,NULL,0);
INSERT INTO task VALUES(17,1,8,0,3,6,6,4,1,NULL,'passed',0,1,13,0,0,1,0,0,0,0,7744908245331200666,NULL,0);
INSERT INTO task VALUES(18,1,8,1,3,6,7,NULL,1,NULL,'ready',0,1,NULL,0,0,0,0,0,0,0,-4669670609033915514,NULL,0);
INSERT INTO task VALUES(19,1,9,0,3,6,6,4,1,NULL,'ready',0,1,NULL,0,0,0,0,0,0,0,-3241465635897970045,NULL,0);
INSERT INTO task VALUES(20,1,9,1,3,6,7,NULL,1,NULL,'waiting',1,0,NULL,0,0,0,0,0,0,0,7138537755282793755,NULL,0);
INSERT INTO task VALUES(21,1,10,0,3,6,6,4,1,NULL,'ready',0,1,NULL,0,0,0,0,0,0,0,-229727564661489507,NULL,0);
INSERT INTO task VALUES(22,1,10,1,3,6,7,NULL,1,NULL,'waiting',1,0,NULL,0,0,0,0,0,0,0,937777330555605557,NULL,0);
CREATE TABLE worker (
  id          INTEGER PRIMARY KEY,
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
INSERT INTO worker VALUES(1,2,28647,NULL,0,'0.1.0','ended',1795383404328410,1795383404541278,1795383404541280);
INSERT INTO worker VALUES(2,2,28709,NULL,1,'0.1.0','active',1795383404652271,1795383405785285,1795383408785285);
CREATE TABLE attempt (
  id         INTEGER PRIMARY KEY,
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
  prov_key   BLOB,                   -- provenance key; NULL: never reused
  metadata   TEXT,                     -- JSON object, written once
  UNIQUE (task, number),
  CHECK ((state = 'ended') = (ending IS NOT NULL)),
  CHECK (state <> 'ended' OR verdict IS NOT NULL),
  CHECK (verdict IS NULL OR verdict = 'fail' OR ending IN ('ok', 'reused')),
  CHECK (state <> 'running' OR (worker IS NOT NULL AND started_at IS NOT NULL))
);
INSERT INTO attempt VALUES(1,1,1,1,1,'ended','ok','pass',1,1,NULL,0,1795383404214744,1795383404369281,1795383404369355,73,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(2,2,1,2,1,'ended','ok','pass',1,1,NULL,0,1795383404368126,1795383404368126,1795383404368215,89,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(3,3,1,5,1,'ended','error','fail',1,2,NULL,0,1795383404368126,1795383404785990,1795383404820904,22987,4224,3208,8159,NULL,NULL,NULL);
INSERT INTO attempt VALUES(4,5,1,1,1,'ended','ok','pass',1,1,NULL,0,1795383404368126,1795383404368126,1795383404368157,31,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(5,6,1,1,1,'ended','ok','pass',1,1,NULL,0,1795383404368126,1795383404368126,1795383404368136,10,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(6,7,1,1,1,'ended','ok','pass',1,1,NULL,0,1795383404368126,1795383404368126,1795383404368134,8,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(7,8,1,1,1,'ended','ok','pass',1,1,NULL,0,1795383404368126,1795383404368126,1795383404368144,18,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(8,9,1,1,1,'ended','ok','pass',1,1,NULL,0,1795383404368126,1795383404368126,1795383404368134,8,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(9,10,1,1,1,'ended','ok','pass',1,1,NULL,0,1795383404368126,1795383404368126,1795383404368133,7,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(10,11,1,6,1,'ended','ok','pass',1,2,NULL,0,1795383404368126,1795383404829525,1795383405098370,207975,2033,2268,8159,NULL,NULL,NULL);
INSERT INTO attempt VALUES(11,13,1,6,1,'ended','ok','pass',1,2,NULL,0,1795383404368126,1795383404829548,1795383405292742,201086,1809,2268,8159,NULL,NULL,NULL);
INSERT INTO attempt VALUES(12,15,1,6,1,'ended','ok','pass',1,2,NULL,0,1795383404368126,1795383405295935,1795383405533867,215999,2005,2268,8159,NULL,NULL,NULL);
INSERT INTO attempt VALUES(13,17,1,6,1,'ended','ok','pass',1,2,NULL,0,1795383404368126,1795383405535931,1795383405752544,200837,1706,2268,8159,NULL,NULL,NULL);
INSERT INTO attempt VALUES(14,19,1,6,1,'running',NULL,NULL,1,2,NULL,0,1795383404368126,1795383405755949,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(15,21,1,6,1,'queued',NULL,NULL,0,NULL,NULL,0,1795383404368126,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(18,12,1,6,1,'queued',NULL,NULL,0,NULL,NULL,0,1795383405099334,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(19,14,1,6,1,'queued',NULL,NULL,0,NULL,NULL,0,1795383405292938,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(20,16,1,6,1,'queued',NULL,NULL,0,NULL,NULL,0,1795383405534035,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO attempt VALUES(21,18,1,6,1,'queued',NULL,NULL,0,NULL,NULL,0,1795383405752701,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO attempt_note VALUES(3,'tasks_lua/error.lua:6: this task fails by design','tasks_lua/error.lua:6: this task fails by design','tasks_lua/error.lua:N: this task fails by design',replace('tasks_lua/error.lua:6: in handler\n     6 |   assert(false, "this task fails by design")','\n',char(10)),NULL,NULL,NULL);
CREATE TABLE product (
  id        INTEGER PRIMARY KEY,
  job       BIGINT NOT NULL REFERENCES job ON DELETE CASCADE,
  task      BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  kind      BIGINT NOT NULL REFERENCES word, -- semantic type
  directory BIGINT NOT NULL REFERENCES word,
  filename  TEXT NOT NULL,
  passed    BIGINT,                    -- newest version that passed
  UNIQUE (job, directory, filename),
  UNIQUE (task, kind)
);
CREATE TABLE version (
  id         INTEGER PRIMARY KEY,
  product    BIGINT NOT NULL REFERENCES product ON DELETE CASCADE,
  attempt    BIGINT NOT NULL REFERENCES attempt ON DELETE CASCADE,
  digest     BLOB NOT NULL,
  size       BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  verdict    TEXT NOT NULL CHECK (verdict IN ('pass', 'fail')),
  reason     TEXT,
  metadata   TEXT,
  UNIQUE (product, attempt)
);
CREATE TABLE task_input (              -- an edge: task needs product
  task    BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  kind    BIGINT NOT NULL REFERENCES word,
  product BIGINT NOT NULL REFERENCES product ON DELETE CASCADE,
  met     BIGINT NOT NULL CHECK (met IN (0, 1)),
  PRIMARY KEY (task, kind)
);
CREATE TABLE task_need (               -- an edge: task needs the metadata of another
  task   BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  name   BIGINT NOT NULL REFERENCES word, -- as the job file calls it
  needed BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  met    BIGINT NOT NULL CHECK (met IN (0, 1)),
  PRIMARY KEY (task, name)
);
INSERT INTO task_need VALUES(4,3,3,0);
INSERT INTO task_need VALUES(12,4,11,1);
INSERT INTO task_need VALUES(14,4,13,1);
INSERT INTO task_need VALUES(16,4,15,1);
INSERT INTO task_need VALUES(18,4,17,1);
INSERT INTO task_need VALUES(20,4,19,0);
INSERT INTO task_need VALUES(22,4,21,0);
CREATE TABLE attempt_input (           -- which version an attempt really read
  attempt BIGINT NOT NULL REFERENCES attempt ON DELETE CASCADE,
  kind    BIGINT NOT NULL REFERENCES word,
  version BIGINT NOT NULL REFERENCES version ON DELETE CASCADE,
  PRIMARY KEY (attempt, kind)
);
CREATE TABLE log_line (
  attempt BIGINT NOT NULL REFERENCES attempt ON DELETE CASCADE,
  seq     BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  level   BIGINT NOT NULL,             -- 10 debug, 20 info, 30 warn, 40 error
  text    TEXT NOT NULL,
  PRIMARY KEY (attempt, seq)
);
INSERT INTO log_line VALUES(3,0,1795383404814812,40,'tasks_lua/error.lua:6: this task fails by design');
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
INSERT INTO job_type VALUES(1,1,0,0,0,7,0,0,0,0,155,7);
INSERT INTO job_type VALUES(1,2,0,0,0,1,0,0,0,0,89,1);
INSERT INTO job_type VALUES(1,5,0,0,0,0,0,1,0,0,22987,1);
INSERT INTO job_type VALUES(1,6,3,5,1,4,0,0,0,0,825897,4);
CREATE TABLE attempt_log (
  attempt  BIGINT PRIMARY KEY REFERENCES attempt ON DELETE CASCADE,
  digest   BLOB NOT NULL,            -- of the object in the store: lines of text, zstd
  size     BIGINT NOT NULL,            -- bytes of the object
  bytes    BIGINT NOT NULL,            -- bytes of the text
  lines    BIGINT NOT NULL,
  left_out BIGINT NOT NULL             -- lines that came when it was full
);
CREATE TABLE task_gather (              -- an edge: task waits until another is done
  task    BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  name    BIGINT NOT NULL REFERENCES word, -- as the job file calls it
  needed  BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  least   BIGINT NOT NULL CHECK (least BETWEEN 0 AND 1000000), -- millionths of its children that must have passed
  met     BIGINT NOT NULL CHECK (met IN (0, 1)),
  outcome TEXT,                         -- JSON, once it was done: {"children", "passed", "missing": [...]}
  PRIMARY KEY (task, name)
);
CREATE INDEX job_identity ON job (identity);
CREATE INDEX job_open ON job (priority, id) WHERE done_at IS NULL;
CREATE INDEX job_cancelled ON job (id) WHERE state = 'cancelled';
CREATE INDEX task_job ON task (job, id);
CREATE INDEX task_bad ON task (job, id) WHERE state IN ('failed', 'skipped');
CREATE INDEX task_cancelled ON task (job, id) WHERE state = 'cancelled';
CREATE INDEX task_spread ON task (id) WHERE spread = 1;
CREATE INDEX worker_lease ON worker (lease_until) WHERE state = 'active';
CREATE INDEX attempt_queue ON attempt (type, job, id) WHERE state = 'queued';
CREATE INDEX attempt_running ON attempt (worker, id) WHERE state = 'running';
CREATE INDEX attempt_key ON attempt (prov_key) WHERE prov_key IS NOT NULL AND verdict = 'pass';
CREATE INDEX product_file ON product (filename, directory, id) WHERE passed IS NOT NULL;
CREATE INDEX version_attempt ON version (attempt);
CREATE INDEX version_digest ON version (digest);
CREATE INDEX task_input_product ON task_input (product);
CREATE INDEX task_need_needed ON task_need (needed);
CREATE INDEX attempt_input_version ON attempt_input (version);
CREATE INDEX job_type_queued ON job_type (type, job) WHERE queued > 0;
CREATE INDEX attempt_log_digest ON attempt_log (digest);
CREATE UNIQUE INDEX attempt_open ON attempt (task) WHERE ending IS NULL;
CREATE INDEX task_gathered ON task (id) WHERE gathered = 1;
CREATE INDEX task_gather_needed ON task_gather (needed);
COMMIT;
