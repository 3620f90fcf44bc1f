-- 0002_log: where the whole log of an attempt is, if log_line has only its first and its last lines.

CREATE TABLE attempt_log (
  attempt  BIGINT PRIMARY KEY REFERENCES attempt ON DELETE CASCADE,
  digest   {blob} NOT NULL,            -- of the object in the store: lines of text, zstd
  size     BIGINT NOT NULL,            -- bytes of the object
  bytes    BIGINT NOT NULL,            -- bytes of the text
  lines    BIGINT NOT NULL,
  left_out BIGINT NOT NULL             -- lines that came when it was full
);
CREATE INDEX attempt_log_digest ON attempt_log (digest);
