package org.authservice.database;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Gathers the parameters of many callers: the first of each into one array, and so on. */
final class ArrayParameters implements Parameters {
  private final int callers;
  private final List<Column> columns = new ArrayList<>();
  private int caller = -1;
  private int index;

  /** One parameter of every caller, with PostgreSQL's name of its type. */
  private record Column(String type, @Nullable Object[] values) {}

  ArrayParameters(int callers) {
    this.callers = callers;
  }

  /** What is bound from now on belongs to the next caller. */
  void nextCaller() {
    caller++;
    index = 0;
  }

  /**
   * Binds the arrays.
   *
   * @param bound how many parameters of the statement are bound already
   * @return how many are now
   */
  int bind(PreparedStatement statement, int bound) throws SQLException {
    int count = bound;
    for (Column column : columns) {
      statement.setArray(
          ++count, statement.getConnection().createArrayOf(column.type(), column.values()));
    }
    return count;
  }

  @Override
  public Parameters text(@Nullable String value) {
    return put("text", value);
  }

  @Override
  public Parameters number(long value) {
    return put("bigint", value);
  }

  @Override
  public Parameters number(Optional<Long> value) {
    return put("bigint", value.orElse(null));
  }

  @Override
  public Parameters flag(boolean value) {
    return put("boolean", value);
  }

  @Override
  public Parameters bytes(byte @Nullable [] value) {
    return put("bytea", value);
  }

  @Override
  public Parameters timestamp(Instant value) {
    throw new IllegalStateException("gathered statements take times in milliseconds only");
  }

  @Override
  public Parameters naiveTimestamp(Instant value) {
    throw new IllegalStateException("gathered statements take times in milliseconds only");
  }

  private Parameters put(String type, @Nullable Object value) {
    if (index == columns.size()) {
      columns.add(new Column(type, array(type)));
    }
    columns.get(index++).values()[caller] = value;
    return this;
  }

  /** Typed, as the driver writes arrays of these types in binary. */
  private @Nullable Object[] array(String type) {
    return switch (type) {
      case "text" -> new @Nullable String[callers];
      case "bigint" -> new @Nullable Long[callers];
      case "bytea" -> new byte @Nullable [callers][];
      default -> new @Nullable Boolean[callers];
    };
  }
}
