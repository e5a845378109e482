package org.authservice.database;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Where PostgreSQL and SQLite truly differ. */
public interface Dialect {
  /** The statement's text for this engine. */
  String sql(String text);

  /**
   * Whether one statement can both change rows and read others, each as it was decided ({@code WITH
   * … AS (UPDATE …)}), and so save a round trip.
   */
  boolean changesInPassing();

  /** A query for the bytes and, about, the rows of a table. */
  String tableSize(String table);

  /** A query that gives a row when there is a table of the name given as its only parameter. */
  String tableExists();

  /** An expression that is true on a server which only repeats what another one has committed. */
  String standby();

  /** An expression for the database's time, in epoch milliseconds. */
  String epochMillis();

  /** A statement after which so many user ids that would come next are never given. */
  String skipUserIds(int count);

  /** Binds a {@code timestamptz} of the Python service's tables. */
  void bindTimestamp(PreparedStatement statement, int index, Instant value) throws SQLException;

  /** Binds a naive {@code timestamp}. */
  void bindNaiveTimestamp(PreparedStatement statement, int index, Instant value)
      throws SQLException;

  /** Reads a {@code timestamptz}. */
  @Nullable Instant readTimestamp(ResultSet results, String column) throws SQLException;

  /** Reads a naive {@code timestamp}. */
  @Nullable Instant readNaiveTimestamp(ResultSet results, String column) throws SQLException;
}
