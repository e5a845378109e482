-- The moments of a subject's last ten failures, newest first: ten within any quarter of an hour can
-- be told exactly. They take the place of failures and window_started_at, which older versions use.
ALTER TABLE throttles ADD COLUMN failed_1 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN failed_2 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN failed_3 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN failed_4 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN failed_5 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN failed_6 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN failed_7 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN failed_8 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN failed_9 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN failed_10 bigint NOT NULL DEFAULT 0;
-- When the owner was last mailed about them.
ALTER TABLE throttles ADD COLUMN warned_at bigint NOT NULL DEFAULT 0;
-- The ends of the leases of checks under way, newest first. They take the place of in_flight.
ALTER TABLE throttles ADD COLUMN lease_1 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN lease_2 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN lease_3 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN lease_4 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN lease_5 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN lease_6 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN lease_7 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN lease_8 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN lease_9 bigint NOT NULL DEFAULT 0;
ALTER TABLE throttles ADD COLUMN lease_10 bigint NOT NULL DEFAULT 0;
