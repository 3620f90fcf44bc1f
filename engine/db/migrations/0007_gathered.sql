-- Those that are done and not told yet are found among all that some wait for.
DROP INDEX task_gathered;
CREATE INDEX task_gathered ON task (done, id) WHERE gathered = 1;
