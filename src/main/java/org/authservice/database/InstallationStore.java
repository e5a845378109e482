package org.authservice.database;

import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;

/** The table {@code installation} with its only row. */
final class InstallationStore {
  private final Dialect dialect;

  InstallationStore(Dialect dialect) {
    this.dialect = dialect;
  }

  Statement<Optional<Installation>> find() {
    return Statement.row(
        "SELECT salt, adopted, created_at, legacy_token_seen_at FROM installation WHERE id = 1",
        _ -> {},
        row ->
            new Installation(
                HexFormat.of().parseHex(row.text("salt")),
                row.flag("adopted"),
                row.millis("created_at"),
                row.optionalNumber("legacy_token_seen_at").map(Instant::ofEpochMilli)));
  }

  Statement<Optional<String>> alembicVersion() {
    return Statement.row(
        dialect.tableExists(),
        parameters -> parameters.text("alembic_version"),
        row -> row.text("table_name"));
  }

  /** The first node's values stay. */
  Statement<Integer> make(byte[] salt, boolean adopted, Instant now) {
    return Statement.count(
        """
        INSERT INTO installation (id, salt, adopted, created_at) VALUES (1, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING
        """,
        parameters -> parameters.text(HexFormat.of().formatHex(salt)).flag(adopted).millis(now));
  }

  Statement<Integer> legacyTokenSeen(Instant now, Instant before) {
    return Statement.count(
        """
        UPDATE installation SET legacy_token_seen_at = ?
        WHERE id = 1 AND (legacy_token_seen_at IS NULL OR legacy_token_seen_at < ?)
        """,
        parameters -> parameters.millis(now).millis(before));
  }
}
