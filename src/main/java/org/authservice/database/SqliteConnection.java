package org.authservice.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConnection;

/**
 * A connection that one thread owns, with its prepared statements. A connection left in an unknown
 * state is replaced by a new one at its next use.
 */
final class SqliteConnection implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SqliteConnection.class);
  private static final int CACHED_STATEMENTS = 200;

  private final Supplier<Connection> opener;
  private final Dialect dialect;
  private final LinkedHashMap<String, PreparedStatement> prepared =
      new LinkedHashMap<>(CACHED_STATEMENTS, 0.75f, true);
  private volatile Connection connection;
  private boolean broken;

  SqliteConnection(Supplier<Connection> opener, Dialect dialect) {
    this.opener = opener;
    this.dialect = dialect;
    this.connection = opener.get();
  }

  /** Runs a statement, inside the open transaction if there is one. */
  <T> T run(Statement<T> statement) throws SQLException {
    PreparedStatement ready = prepare(statement.sql());
    try {
      return Execution.run(ready, statement, dialect);
    } finally {
      ready.clearParameters(); // no password hash stays behind in the cache
    }
  }

  /** Takes the write lock; waits for other processes as long as the busy time-out allows. */
  void begin() throws SQLException {
    prepare("BEGIN IMMEDIATE").execute();
  }

  /** Makes the transaction durable. */
  void commit() throws SQLException {
    prepare("COMMIT").execute();
  }

  /** Undoes the transaction. */
  void rollBack() {
    try {
      prepare("ROLLBACK").execute();
    } catch (SQLException failure) {
      // After an I/O error SQLite has rolled back by itself; a fresh connection is certain.
      log.debug("rollback failed, connecting anew", failure);
      broken = true;
    }
  }

  /** Stops the statement that runs; callable from any thread. */
  void interrupt() {
    try {
      connection.unwrap(SQLiteConnection.class).getDatabase().interrupt();
    } catch (SQLException closed) {
      log.debug("nothing to interrupt", closed);
    }
  }

  @Override
  public void close() {
    for (Map.Entry<String, PreparedStatement> entry : prepared.entrySet()) {
      closeQuietly(entry.getValue());
    }
    prepared.clear();
    closeQuietly(connection);
  }

  private PreparedStatement prepare(String sql) throws SQLException {
    if (broken) {
      close();
      connection = opener.get();
      broken = false;
    }
    PreparedStatement known = prepared.get(sql);
    if (known != null) {
      return known;
    }
    PreparedStatement made = connection.prepareStatement(dialect.sql(sql));
    prepared.put(sql, made);
    if (prepared.size() > CACHED_STATEMENTS) {
      var eldest = prepared.entrySet().iterator();
      closeQuietly(eldest.next().getValue());
      eldest.remove();
    }
    return made;
  }

  private static void closeQuietly(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception failure) {
      log.debug("close failed", failure);
    }
  }
}
