package org.authservice.database;

import java.sql.SQLException;
import java.util.List;

/**
 * Runs the transactions that wait for SQLite's writer with one commit between them, as the wait for
 * the disk is what they cost. Each is a savepoint: the failure of one undoes its own part only.
 * When the whole cannot be kept, each is run again by itself.
 */
final class SharedCommit {
  static final int MOST_TOGETHER = 64;

  private SharedCommit() {}

  /** Runs them in their order; each learns its own outcome once it is durable. */
  static void run(SqliteConnection connection, List<SqliteTask<?>> tasks) {
    List<SqliteTask<?>> begun = tasks.stream().filter(SqliteTask::begin).toList();
    if (begun.size() > 1 && together(connection, begun)) {
      begun.forEach(SqliteTask::finish);
      return;
    }
    for (SqliteTask<?> task : begun) {
      alone(connection, task);
      task.finish();
    }
  }

  private static boolean together(SqliteConnection connection, List<SqliteTask<?>> tasks) {
    try {
      connection.begin();
      for (SqliteTask<?> task : tasks) {
        connection.beginPart();
        if (task.attempt(connection)) {
          connection.keepPart();
        } else {
          connection.undoPart();
        }
      }
      connection.commit();
      return true;
    } catch (SQLException | RuntimeException failure) {
      connection.rollBack();
      return false;
    }
  }

  private static void alone(SqliteConnection connection, SqliteTask<?> task) {
    String sql = "BEGIN IMMEDIATE";
    try {
      connection.begin();
      if (!task.attempt(connection)) {
        connection.rollBack();
        return;
      }
      sql = "COMMIT";
      connection.commit();
    } catch (SQLException failure) {
      connection.rollBack();
      task.fail(SqliteFailures.translate(sql, failure));
    } catch (RuntimeException failure) { // no new connection
      task.fail(failure);
    }
  }
}
