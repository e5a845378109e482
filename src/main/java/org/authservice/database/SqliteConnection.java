package org.authservice.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.authservice.settings.StartFailure;
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
    return use(
        statement.sql(),
        ready -> {
          T value = Execution.run(ready, statement, dialect);
          ready.clearParameters(); // no password hash stays behind
          return value;
        });
  }

  /** Takes the write lock; waits for other processes as long as the busy time-out allows. */
  void begin() throws SQLException {
    execute("BEGIN IMMEDIATE");
  }

  /** Begins a part of the transaction that can be undone by itself. */
  void beginPart() throws SQLException {
    execute("SAVEPOINT part");
  }

  /** Keeps the part. */
  void keepPart() throws SQLException {
    execute("RELEASE part");
  }

  /** Undoes the part; fails when SQLite has undone the whole transaction already. */
  void undoPart() throws SQLException {
    execute("ROLLBACK TO part");
    execute("RELEASE part");
  }

  /** Makes the transaction durable. */
  void commit() throws SQLException {
    execute("COMMIT");
  }

  /** Undoes the transaction. */
  void rollBack() {
    try {
      execute("ROLLBACK");
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

  private boolean execute(String sql) throws SQLException {
    return use(sql, PreparedStatement::execute);
  }

  private interface Use<T> {
    T of(PreparedStatement ready) throws SQLException;
  }

  /** Uses a cached statement. One that failed is not used again: the driver has closed it. */
  private <T> T use(String sql, Use<T> use) throws SQLException {
    PreparedStatement ready = prepare(sql);
    boolean good = false;
    try {
      T value = use.of(ready);
      good = true;
      return value;
    } finally {
      if (!good) {
        prepared.remove(sql);
        closeQuietly(ready);
      }
    }
  }

  private PreparedStatement prepare(String sql) throws SQLException {
    if (broken) {
      reconnect();
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

  private void reconnect() {
    close();
    try {
      connection = opener.get();
      broken = false;
    } catch (StartFailure failure) {
      throw Failures.unavailable("SQLite: " + Failures.firstLine(failure), failure);
    }
  }

  private static void closeQuietly(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception failure) {
      log.debug("close failed", failure);
    }
  }
}
