-- 0011_usage: memory and CPU time of an attempt over its time, of those that ran for more than a second.
-- points: {"ms": [since its start], "cpu_ms": [so far], "rss_kb": [most since the point before]}, at most 120 of each.
CREATE TABLE attempt_usage (
  attempt BIGINT PRIMARY KEY REFERENCES attempt ON DELETE CASCADE,
  points  TEXT NOT NULL
);
