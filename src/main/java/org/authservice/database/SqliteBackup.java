package org.authservice.database;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.DatabaseSettings.Sqlite;
import org.authservice.settings.StartFailure;
import org.sqlite.SQLiteConnection;

/**
 * A SQLite database copied to another file while it is in use, and brought back. A copy is of one
 * moment; it is there under its name only once it was found whole and has as many rows as its
 * original had in that moment.
 */
public final class SqliteBackup {
  private static final int ALL_PAGES = -1;
  private static final int BUSY_TRIES = 100;
  private static final int BUSY_PAUSE_MILLIS = 50;

  private final Sqlite location;

  /** Backups of that database. */
  public SqliteBackup(Sqlite location) {
    this.location = location;
  }

  /**
   * What restoring did.
   *
   * @param rows how many rows each table had in the backup
   * @param replaced where the database is kept that was there before
   */
  public record Restored(Map<String, Long> rows, Optional<Path> replaced) {}

  /**
   * Copies the database, which may be in use.
   *
   * @param target a file that does not exist yet; only its owner will be able to read it
   * @return how many rows of each table it holds
   * @throws StartFailure when it cannot; then there is no such file
   */
  public Map<String, Long> save(Path target) {
    if (!Files.exists(location.file())) {
      throw new StartFailure("there is no database %s".formatted(location.file()), null);
    }
    if (Files.exists(target)) {
      throw new StartFailure("%s exists already: name a new file".formatted(target), null);
    }
    Path partial = beside(target, ".partial");
    try {
      Map<String, Long> rows = copy(location.file(), partial);
      Files.move(partial, target);
      return rows;
    } catch (IOException failure) {
      throw failed("cannot write " + target, failure);
    } finally {
      removeQuietly(partial);
    }
  }

  /**
   * Puts a backup in the database's place, brought up to date and {@linkplain Restoration made safe
   * to start on}. What was there is kept beside it.
   *
   * @param force does not make sure that nobody uses the database, for one that is damaged
   * @throws StartFailure when it cannot; then nothing has changed
   */
  public Restored restore(Path backup, boolean force) {
    if (!Files.exists(backup)) {
      throw new StartFailure("there is no file %s".formatted(backup), null);
    }
    Path partial = beside(location.file(), ".restoring");
    try {
      Map<String, Long> rows = copy(backup, partial);
      var restored = new DatabaseSettings(new Sqlite(partial, false), 1, true);
      new Restoration(restored).finish();
      requireWhole(partial);
      Optional<Path> replaced = setAside(force);
      Files.move(partial, location.file(), StandardCopyOption.ATOMIC_MOVE);
      return new Restored(rows, replaced);
    } catch (IOException failure) {
      throw failed("cannot write beside " + location.file(), failure);
    } finally {
      removeQuietly(partial);
    }
  }

  private static Map<String, Long> copy(Path from, Path partial) throws IOException {
    removeQuietly(partial);
    new SqliteFile(new Sqlite(partial, false)).create();
    Map<String, Long> rows;
    try (Connection source = new SqliteFile(new Sqlite(from, false)).connectReadOnly()) {
      execute(source, "BEGIN"); // what is counted and what is copied are of one moment
      rows = rows(source);
      source
          .unwrap(SQLiteConnection.class)
          .getDatabase()
          .backup("main", partial.toString(), null, BUSY_PAUSE_MILLIS, BUSY_TRIES, ALL_PAGES);
      execute(source, "ROLLBACK");
    } catch (SQLException failure) {
      throw failed("cannot copy " + from, failure);
    }
    if (!rows.equals(requireWhole(partial))) {
      throw new StartFailure("the copy of %s lacks rows".formatted(from), null);
    }
    try (FileChannel file = FileChannel.open(partial, StandardOpenOption.WRITE)) {
      file.force(true);
    }
    return rows;
  }

  /** Finds a file whole, and leaves it without companions; returns its rows. */
  private static Map<String, Long> requireWhole(Path file) {
    try (Connection connection = new SqliteFile(new Sqlite(file, false)).connectToLook()) {
      execute(connection, "PRAGMA journal_mode = DELETE");
      String found = text(connection, "PRAGMA integrity_check").orElse("nothing");
      if (!found.equals("ok")) {
        throw new StartFailure("%s is damaged: %s".formatted(file, found), null);
      }
      if (!Origin.isOurs(connection, new SqliteDialect())) {
        throw new StartFailure("%s holds no database of this service".formatted(file), null);
      }
      return rows(connection);
    } catch (SQLException failure) {
      throw failed(file + " cannot be read", failure);
    }
  }

  /** Nobody else has the file open if and only if it can leave write-ahead logging. */
  private Optional<Path> setAside(boolean force) throws IOException {
    Path file = location.file();
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    if (!force) {
      try (Connection connection = new SqliteFile(location).connectToLook()) {
        execute(connection, "PRAGMA journal_mode = DELETE");
      } catch (SQLException inUse) {
        throw new StartFailure(
            "%s is in use or damaged: stop the service first, or say --force (%s)"
                .formatted(file, Failures.firstLine(inUse)),
            inUse);
      }
    }
    Path kept = free(file);
    for (String companion : new String[] {"-wal", "-shm", ""}) {
      if (Files.exists(Path.of(file + companion))) {
        Files.move(Path.of(file + companion), Path.of(kept + companion));
      }
    }
    return Optional.of(kept);
  }

  private static Path free(Path file) {
    int number = 1;
    while (Files.exists(beside(file, ".replaced-" + number))) {
      number++;
    }
    return beside(file, ".replaced-" + number);
  }

  private static Map<String, Long> rows(Connection connection) throws SQLException {
    Map<String, Long> rows = new TreeMap<>();
    try (java.sql.Statement statement = connection.createStatement();
        ResultSet tables =
            statement.executeQuery(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%'"
                    + " ESCAPE '!'")) {
      while (tables.next()) {
        rows.put(tables.getString(1), 0L);
      }
    }
    for (Map.Entry<String, Long> table : rows.entrySet()) {
      String name = table.getKey().replace("\"", "\"\"");
      String count = text(connection, "SELECT count(*) FROM \"" + name + "\"").orElseThrow();
      table.setValue(Long.valueOf(count));
    }
    return rows;
  }

  private static Optional<String> text(Connection connection, String sql) throws SQLException {
    try (java.sql.Statement statement = connection.createStatement();
        ResultSet results = statement.executeQuery(sql)) {
      return results.next() ? Optional.ofNullable(results.getString(1)) : Optional.empty();
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (java.sql.Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static Path beside(Path file, String suffix) {
    return Path.of(file + suffix);
  }

  private static void removeQuietly(Path partial) {
    new SqliteFile(new Sqlite(partial, true)).removeTemporary();
  }

  private static StartFailure failed(String what, Exception failure) {
    return new StartFailure("%s: %s".formatted(what, Failures.firstLine(failure)), failure);
  }
}
