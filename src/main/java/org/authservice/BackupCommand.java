package org.authservice;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.authservice.database.SqliteBackup;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code bin/auth backup}. */
@Command(
    name = "backup",
    description = "Copies the SQLite database, while the service runs, to a new file.",
    mixinStandardHelpOptions = true)
final class BackupCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "A file that does not exist yet.")
  private Path file = Path.of("");

  @Override
  public Integer call() {
    Map<String, Long> rows =
        new SqliteBackup(sqlite(Main.read().settings().database(), "use pg_dump"))
            .save(file.toAbsolutePath());
    return Operator.done(
        "saved %s: %s; it was read back and is whole. SECRET_KEY is not in it: keep that apart"
            .formatted(file, told(rows)));
  }

  /** The database's file, or a refusal that says what to do on PostgreSQL. */
  static DatabaseSettings.Sqlite sqlite(DatabaseSettings settings, String instead) {
    return switch (settings.location()) {
      case DatabaseSettings.Sqlite sqlite -> sqlite;
      case DatabaseSettings.Postgres _ ->
          throw new StartFailure(
              "this is for SQLite; on PostgreSQL %s as docs/production.md says".formatted(instead),
              null);
    };
  }

  static String told(Map<String, Long> rows) {
    return "%d users, %d sessions, %d rows in all"
        .formatted(
            rows.getOrDefault("users", 0L),
            rows.getOrDefault("sessions", 0L),
            rows.values().stream().mapToLong(Long::longValue).sum());
  }
}
