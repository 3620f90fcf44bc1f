-- 0009_chores: what control does now and then, one control at a time.

CREATE TABLE chore (
  name   TEXT PRIMARY KEY,
  due_at BIGINT NOT NULL,              -- who moves it on has taken it; 0: nobody has looked yet
  place  TEXT NOT NULL,                -- where the next turn goes on; empty: at the start
  mark   TEXT NOT NULL                 -- names this database among those that use the same store
);
INSERT INTO chore (name, due_at, place, mark) VALUES
  ('gc', 0, '', /*pg CAST(gen_random_uuid() AS TEXT)*//*sqlite lower(hex(randomblob(16)))*/);
