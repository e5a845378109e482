INSERT INTO alembic_version (version_num) VALUES ('1f85d57b8e52');

INSERT INTO users (email, hashed_password, google_id, is_active, is_verified, full_name, created_at, updated_at) VALUES
  ('ada@example.com', '$2b$12$DHg6sjaMWyGApAuf3NIWl.Ig0wQVILO./41FZ28zJw3vLl5cibRLW', NULL, true, true, 'Ada', '2025-06-12 10:15:30.123456', '2025-06-13 08:00:00'),
  ('grace@example.com', '$2b$12$PFWYGmFOA5fvlJYm5e5u8O5iKNq7ADK1n19fwdqH/pI28m2NN2mLW', NULL, true, false, NULL, '2025-06-12 10:15:31', NULL),
  ('long@example.com', '$2b$12$/fpAMavsxfQN7rggqmmAa.5BvgkPLPY.GFu124xFgm1AP5PId7ZrO', NULL, true, true, NULL, '2025-06-12 10:15:32', NULL),
  ('oauth@example.com', NULL, '108765432109876543210', true, true, 'O Auth', '2025-06-12 10:15:33.500000', NULL);

INSERT INTO invalidated_tokens (jti, user_id, expires_at, invalidated_at) VALUES
  ('00000000000000000000000000000001', 1, '2025-06-19 10:15:30.123456', NULL),
  ('00000000000000000000000000000002', 1, '2025-06-20 10:15:30', '2025-06-13 10:15:30.500000');
