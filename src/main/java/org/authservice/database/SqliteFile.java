package org.authservice.database;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.Set;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** One SQLite file: who may read it, how it is opened, how a temporary one goes away. */
final class SqliteFile {
  private static final Logger log = LoggerFactory.getLogger(SqliteFile.class);

  /** How long to wait for another process that writes. */
  private static final int BUSY_MILLIS = 5_000;

  private static final int OPEN_TRIES = 100;
  private static final long OPEN_PAUSE_MILLIS = 50;

  private final Path file;
  private final boolean temporary;

  SqliteFile(DatabaseSettings.Sqlite location) {
    this.file = location.file();
    this.temporary = location.temporary();
  }

  Path path() {
    return file;
  }

  String url() {
    return "jdbc:sqlite:" + file;
  }

  /**
   * Makes the file for the owner alone before SQLite, which would let everybody read it, opens it;
   * SQLite gives its -wal and -shm files the same mode. Rule F1 of the security rules.
   */
  void create() {
    try {
      if (hasModes()) {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      } else {
        Files.createFile(file);
      }
    } catch (FileAlreadyExistsException exists) {
      log.debug("{} is there already", file);
    } catch (NoSuchFileException missing) {
      throw new StartFailure(
          "DATABASE_URL: the folder of %s does not exist; make it first".formatted(file), missing);
    } catch (IOException failure) {
      throw new StartFailure(
          "DATABASE_URL: cannot make the file %s: %s"
              .formatted(file, failure.getClass().getSimpleName()),
          failure);
    }
  }

  /** Tells the operator when others than the owner may use the file. */
  void warnOfWideMode() {
    if (!hasModes() || !Files.exists(file)) {
      return;
    }
    try {
      Set<PosixFilePermission> wide = EnumSet.copyOf(Files.getPosixFilePermissions(file));
      wide.removeAll(PosixFilePermissions.fromString("rwx------"));
      if (!wide.isEmpty()) {
        log.warn("others may read or write the database {}: chmod 600 it, -wal and -shm too", file);
      }
    } catch (IOException failure) {
      log.warn("cannot see the mode of {}: {}", file, failure.toString());
    }
  }

  private boolean hasModes() {
    return file.getFileSystem().supportedFileAttributeViews().contains("posix");
  }

  /** What every connection has in common. */
  SQLiteConfig config() {
    SQLiteConfig config = new SQLiteConfig();
    config.setBusyTimeout(BUSY_MILLIS);
    config.enforceForeignKeys(true);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setGetGeneratedKeys(false);
    return config;
  }

  /** A connection to look at the file without making one. */
  Connection connectToLook() {
    return open(config(), Files.exists(file) ? url() : "jdbc:sqlite::memory:");
  }

  /** A connection that may write. It switches the file to write-ahead logging. */
  Connection connect() {
    SQLiteConfig config = config();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    return open(config, url());
  }

  /** A connection that cannot write. */
  Connection connectReadOnly() {
    Connection connection = open(config(), url());
    try (java.sql.Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA query_only = ON");
      return connection;
    } catch (SQLException failure) {
      throw refused(failure);
    }
  }

  /** Removes a temporary file. */
  void removeTemporary() {
    if (!temporary) {
      return;
    }
    for (String suffix : new String[] {"-shm", "-wal", "-journal", ""}) {
      try {
        Files.deleteIfExists(Path.of(file + suffix));
      } catch (IOException failure) {
        log.warn("cannot remove {}{}: {}", file, suffix, failure.toString());
      }
    }
  }

  /** Switching to write-ahead logging does not wait for other processes by itself. */
  private Connection open(SQLiteConfig config, String url) {
    for (int attempt = 1; ; attempt++) {
      try {
        return config.createConnection(url);
      } catch (SQLException failure) {
        boolean busy =
            failure instanceof SQLiteException sqlite
                && (sqlite.getResultCode().code & 0xff) == SQLiteErrorCode.SQLITE_BUSY.code;
        if (!busy || attempt == OPEN_TRIES) {
          throw refused(failure);
        }
        pause(failure);
      }
    }
  }

  private void pause(SQLException failure) {
    try {
      Thread.sleep(OPEN_PAUSE_MILLIS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw refused(failure);
    }
  }

  private StartFailure refused(SQLException failure) {
    return new StartFailure(
        "DATABASE_URL: cannot open the SQLite file %s: %s"
            .formatted(file, Failures.firstLine(failure)),
        failure);
  }
}
