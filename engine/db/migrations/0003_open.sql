-- 0003_open: the index of open attempts looks at the ending, which a claim does not touch: a claim then leaves it as it is.
DROP INDEX attempt_open;
CREATE UNIQUE INDEX attempt_open ON attempt (task) WHERE ending IS NULL;
