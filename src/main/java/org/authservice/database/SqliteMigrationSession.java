package org.authservice.database;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.authservice.settings.StartFailure;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConnection;

/**
 * Locks by a write transaction around everything, as Flyway takes no lock on SQLite: other nodes
 * wait for its end, and a crash in the middle leaves nothing behind.
 */
final class SqliteMigrationSession implements MigrationSession {
  private static final Logger log = LoggerFactory.getLogger(SqliteMigrationSession.class);
  private static final int LONGEST_WAIT_MILLIS = 600_000;

  private final Dialect dialect = new SqliteDialect();
  private final Connection connection;

  private SqliteMigrationSession(Connection connection) {
    this.connection = connection;
  }

  /** To migrate a file, which is made if there is none. */
  static SqliteMigrationSession open(SqliteFile file) {
    file.create();
    return new SqliteMigrationSession(file.connect());
  }

  /** To look only. */
  static SqliteMigrationSession look(SqliteFile file) {
    return new SqliteMigrationSession(file.connectToLook());
  }

  @Override
  public void lock() {
    try {
      connection.unwrap(SQLiteConnection.class).setBusyTimeout(LONGEST_WAIT_MILLIS);
    } catch (SQLException failure) {
      throw SqliteFailures.translate("PRAGMA busy_timeout", failure);
    }
    execute("BEGIN IMMEDIATE");
  }

  @Override
  public Connection connection() {
    return connection;
  }

  @Override
  public DataSource dataSource() {
    Connection lent = lend();
    return new ConnectionSource(() -> lent);
  }

  @Override
  public Dialect dialect() {
    return dialect;
  }

  @Override
  public String folder() {
    return "sqlite";
  }

  @Override
  public void commit() {
    execute("COMMIT");
  }

  @Override
  public void close() {
    try {
      connection.close(); // what was not committed is undone
    } catch (SQLException failure) {
      log.debug("close failed", failure);
    }
  }

  /** The connection without the means to end its transaction: Flyway's steps become one. */
  private Connection lend() {
    return (Connection)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Connection.class},
            (_, method, arguments) ->
                switch (method.getName()) {
                  case "close", "commit", "rollback", "setAutoCommit" -> null;
                  default -> call(method, arguments);
                });
  }

  private @Nullable Object call(Method method, Object @Nullable [] arguments) throws Throwable {
    try {
      return method.invoke(connection, arguments);
    } catch (InvocationTargetException failure) {
      throw failure.getTargetException();
    }
  }

  private void execute(String sql) {
    try (java.sql.Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException failure) {
      throw new StartFailure(
          "cannot migrate the SQLite file: " + Failures.firstLine(failure), failure);
    }
  }
}
