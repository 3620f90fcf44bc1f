-- 0005_control: a job that was made from another; tasks that wait until another is done, with all below it.

ALTER TABLE job ADD COLUMN origin BIGINT;                          -- the job that `eas rerun` changed
ALTER TABLE task ADD COLUMN gathered BIGINT NOT NULL DEFAULT 0;    -- 1: some wait until it is done, and control has to tell them
CREATE INDEX task_gathered ON task (id) WHERE gathered = 1;

CREATE TABLE task_gather (              -- an edge: task waits until another is done
  task    BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  name    BIGINT NOT NULL REFERENCES word, -- as the job file calls it
  needed  BIGINT NOT NULL REFERENCES task ON DELETE CASCADE,
  least   BIGINT NOT NULL CHECK (least BETWEEN 0 AND 1000000), -- millionths of its children that must have passed
  met     BIGINT NOT NULL CHECK (met IN (0, 1)),
  outcome TEXT,                         -- JSON, once it was done: {"children", "passed", "missing": [...]}
  PRIMARY KEY (task, name)
);
CREATE INDEX task_gather_needed ON task_gather (needed);
