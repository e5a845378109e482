-- Suspicious events on their way to the webhook; the payload is encrypted, and wiped when it is sent.
CREATE TABLE alarms (
  id varchar(32) PRIMARY KEY,
  payload ${bytes},
  state varchar(10) NOT NULL,
  reason varchar(200),
  attempts integer NOT NULL,
  due_at bigint NOT NULL,
  lease_until bigint NOT NULL,
  expires_at bigint NOT NULL,
  created_at bigint NOT NULL,
  finished_at bigint
) ${hot};
CREATE INDEX ix_alarms_due_at ON alarms (due_at) WHERE state = 'queued';
CREATE INDEX ix_alarms_expires_at ON alarms (expires_at);

-- From which networks an account has signed in, as codes.
CREATE TABLE known_networks (
  user_id integer NOT NULL,
  network varchar(32) NOT NULL,
  seen_at bigint NOT NULL,
  PRIMARY KEY (user_id, network)
);
CREATE INDEX ix_known_networks_seen_at ON known_networks (seen_at);
