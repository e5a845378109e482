package org.authservice.database;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** PostgreSQL's side. Times are cut to microseconds, which is what its columns hold. */
final class PostgresDialect implements Dialect {

  @Override
  public String sql(String text) {
    return text;
  }

  @Override
  public boolean changesInPassing() {
    return true;
  }

  @Override
  public String tableExists() {
    return "SELECT table_name FROM information_schema.tables"
        + " WHERE table_schema = current_schema() AND table_name = ?";
  }

  @Override
  public String standby() {
    return "pg_is_in_recovery()";
  }

  @Override
  public String epochMillis() {
    return "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)";
  }

  @Override
  public String tableSize(String table) {
    return "SELECT pg_total_relation_size(oid) AS bytes, greatest(reltuples, 0)::bigint AS row_count"
        + " FROM pg_class WHERE oid = to_regclass('%s')".formatted(table);
  }

  @Override
  public String skipUserIds(int count) {
    return "SELECT setval(pg_get_serial_sequence('users', 'id'), coalesce(max(id), 0) + %d)"
            .formatted(count)
        + " FROM users";
  }

  @Override
  public void bindTimestamp(PreparedStatement statement, int index, Instant value)
      throws SQLException {
    statement.setObject(
        index, OffsetDateTime.ofInstant(value.truncatedTo(ChronoUnit.MICROS), ZoneOffset.UTC));
  }

  @Override
  public void bindNaiveTimestamp(PreparedStatement statement, int index, Instant value)
      throws SQLException {
    statement.setObject(
        index, LocalDateTime.ofInstant(value.truncatedTo(ChronoUnit.MICROS), ZoneOffset.UTC));
  }

  @Override
  public @Nullable Instant readTimestamp(ResultSet results, String column) throws SQLException {
    OffsetDateTime value = results.getObject(column, OffsetDateTime.class);
    return value == null ? null : value.toInstant();
  }

  @Override
  public @Nullable Instant readNaiveTimestamp(ResultSet results, String column)
      throws SQLException {
    LocalDateTime value = results.getObject(column, LocalDateTime.class);
    return value == null ? null : value.toInstant(ZoneOffset.UTC);
  }
}
