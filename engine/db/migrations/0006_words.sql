-- 0006_words: words, types and semantic types are never deleted. On PostgreSQL each foreign key to them is a query and a lock
-- on one and the same row for every row that is born, which was half the cost of expanding a loop.
/*pg ALTER TABLE task DROP CONSTRAINT task_type_fkey, DROP CONSTRAINT task_name_fkey,
  DROP CONSTRAINT task_directory_fkey, DROP CONSTRAINT task_label_fkey;
ALTER TABLE product DROP CONSTRAINT product_kind_fkey, DROP CONSTRAINT product_directory_fkey;
ALTER TABLE task_input DROP CONSTRAINT task_input_kind_fkey;
ALTER TABLE task_need DROP CONSTRAINT task_need_name_fkey;
ALTER TABLE attempt_input DROP CONSTRAINT attempt_input_kind_fkey;*/
