package org.authservice.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.authservice.settings.StartFailure;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Locks by a session's advisory lock, which is gone when its connection is. It is asked for again
 * and again rather than waited for: a waiting statement would hold up CREATE INDEX CONCURRENTLY,
 * which waits for every statement that began before it, for ever.
 */
final class PostgresMigrationSession implements MigrationSession {
  private static final Logger log = LoggerFactory.getLogger(PostgresMigrationSession.class);
  private static final long LOCK = LockName.number("auth-service migrations");
  private static final long PAUSE_MILLIS = 100;
  private static final long LONGEST_WAIT_MINUTES = 30;

  private final PostgresServer server;
  private final Dialect dialect = new PostgresDialect();
  private final Connection connection;

  PostgresMigrationSession(PostgresServer server) {
    this.server = server;
    this.connection = server.connectForMigrations();
    try {
      server.checkVersion(connection.getMetaData().getDatabaseMajorVersion());
    } catch (SQLException failure) {
      throw server.unreachable(failure);
    }
  }

  @Override
  public void lock() {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(LONGEST_WAIT_MINUTES);
    boolean told = false;
    while (!tryLock()) {
      if (System.nanoTime() > deadline) {
        throw new StartFailure(
            "another node has been migrating the database for %d minutes; look at its log"
                .formatted(LONGEST_WAIT_MINUTES),
            null);
      }
      if (!told) {
        log.info("waiting for another node that migrates the database");
        told = true;
      }
      pause();
    }
  }

  @Override
  public Connection connection() {
    return connection;
  }

  @Override
  public DataSource dataSource() {
    return new ConnectionSource(server::connectForMigrations);
  }

  @Override
  public Dialect dialect() {
    return dialect;
  }

  @Override
  public String folder() {
    return "postgresql";
  }

  @Override
  public void commit() {
    // Each migration committed by itself.
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException failure) {
      log.debug("close failed", failure);
    }
  }

  private boolean tryLock() {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT pg_try_advisory_lock(?)")) {
      statement.setLong(1, LOCK);
      try (ResultSet results = statement.executeQuery()) {
        return results.next() && results.getBoolean(1);
      }
    } catch (SQLException failure) {
      throw new StartFailure(
          "cannot lock the database for migrations: " + Failures.firstLine(failure), failure);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StartFailure("interrupted while waiting to migrate the database", interrupted);
    }
  }
}
