-- When an operator last said that the database's time is right, whatever step its clock took.
ALTER TABLE installation ADD COLUMN clock_accepted_at bigint;
