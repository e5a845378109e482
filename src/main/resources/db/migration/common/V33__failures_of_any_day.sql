-- How often something failed in the day that ends now, in nine pieces of three hours: day_0 to day_8,
-- of which the piece that is the n-th since 1970 uses the one at n modulo nine; day_piece is the newest
-- in use. They take the place of day_failures and failures, which older versions use: while both run,
-- each counts for itself. day_started_at stays, for clean-up.
ALTER TABLE throttles ADD COLUMN day_piece bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN day_0 integer NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN day_1 integer NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN day_2 integer NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN day_3 integer NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN day_4 integer NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN day_5 integer NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN day_6 integer NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN day_7 integer NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN day_8 integer NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_piece bigint NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_0 integer NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_1 integer NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_2 integer NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_3 integer NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_4 integer NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_5 integer NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_6 integer NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_7 integer NOT NULL DEFAULT 0;
ALTER TABLE code_failures ADD COLUMN day_8 integer NOT NULL DEFAULT 0;
-- When the owner was last mailed about wrong codes.
ALTER TABLE code_failures ADD COLUMN warned_at bigint NOT NULL DEFAULT 0;
