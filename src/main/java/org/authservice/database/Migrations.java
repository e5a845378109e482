package org.authservice.database;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the schema up to date with Flyway, from an empty database, from one that the Python
 * service made at its last revision (baseline 1), or from an older version of this service. A newer
 * schema than this version knows is left as it is.
 */
public final class Migrations {
  private static final Logger log = LoggerFactory.getLogger(Migrations.class);
  private static final String ROOT = "db/migration/";
  private static final int TRIES = 60;
  private static final long PAUSE_MILLIS = 500;

  /** The newest migration's version; a test holds it to the files. */
  static final String NEWEST = "33";

  /** Lock time-out and deadlock: other transactions were in the way. */
  private static final Set<String> LOCKED = Set.of("55P03", "40P01");

  private final DatabaseSettings settings;

  /** The migrations of the database that the settings name. */
  public Migrations(DatabaseSettings settings) {
    this.settings = settings;
  }

  /**
   * A migration that is still to come.
   *
   * @param sql what it will run
   * @param locks what it locks meanwhile
   */
  public record Pending(String version, String description, String sql, List<Locked> locks) {}

  /**
   * A table that a migration locks.
   *
   * @param lock of what kind; on SQLite the whole file is locked while migrations run
   * @param bytes its size now, with its indexes; on SQLite the file's
   * @param rows how many it has, about
   */
  public record Locked(TableLock lock, long bytes, long rows) {}

  /**
   * What a start does: migrates, or with {@code MIGRATE_ON_START=false} refuses while something is
   * pending.
   *
   * @throws StartFailure with the line that says what to do
   */
  public void atStart() {
    if (isUpToDate()) {
      return; // without the 0.4 s that Flyway needs to see it
    }
    if (settings.migrateOnStart()) {
      migrate();
      return;
    }
    List<Pending> pending = dryRun();
    if (!pending.isEmpty()) {
      throw new StartFailure(
          "MIGRATE_ON_START is false and migrations are pending (%s): run bin/auth migrate"
              .formatted(
                  String.join(", ", pending.stream().map(one -> "V" + one.version()).toList())),
          null);
    }
  }

  /**
   * Runs what is pending; one node at a time, however many start at once.
   *
   * @return how many migrations ran
   */
  public int migrate() {
    try (MigrationSession session = MigrationSession.open(settings.location())) {
      session.lock();
      Origin origin = Origin.of(session.connection(), session.dialect());
      int count = migrate(session, origin);
      if (origin == Origin.PYTHON) {
        log.info("took over the Python service's database at revision {}", Origin.LAST_REVISION);
        AddressPairs.warn(session.connection());
      }
      session.commit();
      log.info("ran {} migrations of the database's schema", count);
      return count;
    } catch (SQLException failure) {
      throw new StartFailure(
          "cannot migrate the database: " + Failures.firstLine(failure), failure);
    }
  }

  /** What {@link #migrate} would run, in order; changes nothing. */
  public List<Pending> dryRun() {
    try (MigrationSession session = MigrationSession.look(settings.location())) {
      Origin origin = Origin.of(session.connection(), session.dialect());
      return Arrays.stream(flyway(session, origin).info().pending())
          .filter(info -> origin != Origin.PYTHON || !"1".equals(info.getVersion().getVersion()))
          .map(info -> pending(info, session))
          .toList();
    } catch (SQLException failure) {
      throw new StartFailure(
          "cannot look at the database: " + Failures.firstLine(failure), failure);
    }
  }

  private boolean isUpToDate() {
    try (MigrationSession session = MigrationSession.look(settings.location())) {
      return Origin.isOurs(session.connection(), session.dialect())
          && hasNewest(session.connection());
    } catch (SQLException failure) {
      throw new StartFailure(
          "cannot look at the database: " + Failures.firstLine(failure), failure);
    }
  }

  private static boolean hasNewest(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT 1 FROM flyway_schema_history WHERE version = ? AND success")) {
      statement.setString(1, NEWEST);
      try (ResultSet results = statement.executeQuery()) {
        return results.next();
      }
    }
  }

  private static int migrate(MigrationSession session, Origin origin) throws SQLException {
    Flyway flyway = flyway(session, origin);
    for (int attempt = 1; ; attempt++) {
      forgetFailures(session);
      try {
        return flyway.migrate().migrationsExecuted;
      } catch (FlywayException failure) {
        SQLException cause = sqlCause(failure);
        boolean locked = cause != null && LOCKED.contains(String.valueOf(cause.getSQLState()));
        if (!locked || attempt == TRIES) {
          throw new StartFailure(
              "a migration failed: "
                  + Failures.firstLine(cause == null ? failure : cause)
                  + (locked ? "; a long transaction holds the table, try again after it" : ""),
              failure);
        }
        log.warn("a migration waits for a lock that another transaction holds; trying again");
        pause();
      }
    }
  }

  /** Whoever queued behind the failed try gets its turn first. */
  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartFailure("interrupted while migrating the database", interrupted);
    }
  }

  /**
   * A migration outside a transaction that failed is noted as such, and Flyway refuses to go on.
   * Ours are written to be run again, so the note can go.
   */
  private static void forgetFailures(MigrationSession session) throws SQLException {
    if (!Origin.isOurs(session.connection(), session.dialect())) {
      return;
    }
    try (PreparedStatement statement =
        session
            .connection()
            .prepareStatement("DELETE FROM flyway_schema_history WHERE NOT success")) {
      statement.executeUpdate();
    }
  }

  private static Flyway flyway(MigrationSession session, Origin origin) {
    return Flyway.configure()
        .configuration(Map.of("flyway.postgresql.transactional.lock", "false"))
        .dataSource(session.dataSource())
        .locations("classpath:" + ROOT + "common", "classpath:" + ROOT + session.folder())
        .placeholders(placeholders(session.folder()))
        .outOfOrder(true) // a failed index is built again, also when newer migrations have run
        .baselineOnMigrate(true)
        .baselineVersion(origin == Origin.PYTHON ? "1" : "0")
        .baselineDescription(origin == Origin.PYTHON ? "the Python service" : "before")
        .loggers("slf4j")
        .load();
  }

  private static Map<String, String> placeholders(String folder) {
    return switch (folder) {
      case "postgresql" -> Map.of("hot", "WITH (fillfactor = 80)", "bytes", "bytea");
      default -> Map.of("hot", "", "bytes", "blob");
    };
  }

  private static Pending pending(MigrationInfo info, MigrationSession session) {
    String folder = session.folder();
    String sql = text(info.getScript(), folder);
    for (Map.Entry<String, String> placeholder : placeholders(folder).entrySet()) {
      sql = sql.replace("${" + placeholder.getKey() + "}", placeholder.getValue());
    }
    List<Locked> locks = new ArrayList<>();
    for (TableLock lock : TableLock.of(sql)) {
      locked(lock, session).ifPresent(locks::add);
    }
    return new Pending(info.getVersion().getVersion(), info.getDescription(), sql, locks);
  }

  /** Empty for a table that an earlier pending migration will make. */
  private static Optional<Locked> locked(TableLock lock, MigrationSession session) {
    Connection connection = session.connection();
    try {
      if (lock.mode() == TableLock.Mode.UNKNOWN) {
        return Optional.of(new Locked(lock, 0, 0));
      }
      if (!Origin.exists(connection, session.dialect(), lock.table())) {
        return Optional.empty();
      }
      try (PreparedStatement statement =
              connection.prepareStatement(session.dialect().tableSize(lock.table()));
          ResultSet size = statement.executeQuery()) {
        size.next();
        return Optional.of(new Locked(lock, size.getLong("bytes"), size.getLong("row_count")));
      }
    } catch (SQLException failure) {
      throw new StartFailure(
          "cannot look at the database: " + Failures.firstLine(failure), failure);
    }
  }

  private static String text(String script, String folder) {
    ClassLoader loader = Migrations.class.getClassLoader();
    for (String place : List.of("common/", folder + "/")) {
      try (InputStream stream = loader.getResourceAsStream(ROOT + place + script)) {
        if (stream != null) {
          return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
      } catch (IOException failure) {
        throw new IllegalStateException(failure);
      }
    }
    throw new IllegalStateException(script);
  }

  private static @Nullable SQLException sqlCause(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql) {
        return sql;
      }
    }
    return null;
  }
}
