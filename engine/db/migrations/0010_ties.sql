-- 0010_ties: what hangs on a task, so that a claim and a commit ask for nothing that is not there: bits of model/settle.h, 1 inputs,
-- 2 outputs, 4 metadata or tasks that it waits for, 8 a name by which others may wait for its metadata. NULL: not known.
ALTER TABLE task ADD COLUMN ties BIGINT;
-- On PostgreSQL an index that looks at done is written for every task that passes: a column of its own for those that are to be told.
/*pg DROP INDEX task_gathered;
ALTER TABLE task ADD COLUMN tell BIGINT GENERATED ALWAYS AS (CASE WHEN gathered = 1 AND done = 1 THEN 1 ELSE 0 END) STORED;
CREATE INDEX task_gathered ON task (id) WHERE tell = 1;*/
