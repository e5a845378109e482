package org.authservice.database;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * SQLite's side. Times of the Python service's tables are text as SQLAlchemy writes it, {@code
 * 2025-06-12 10:15:30.123456} in UTC, the fraction only when it is not zero.
 */
final class SqliteDialect implements Dialect {
  /** The writer is alone, so there is nothing to lock. */
  private static final Pattern LOCKING =
      Pattern.compile(
          "\\s+FOR\\s+(NO\\s+KEY\\s+UPDATE|UPDATE|KEY\\s+SHARE|SHARE)(\\s+(SKIP\\s+LOCKED|NOWAIT))?\\b",
          Pattern.CASE_INSENSITIVE);

  /** Where rows were found, as both say it; the parentheses that this opens are closed alike. */
  private static final String FOUND_IN = "ctid = ANY (ARRAY(SELECT ctid";

  private static final String FOUND_HERE = "rowid IN (SELECT found FROM (SELECT rowid AS found";

  private static final DateTimeFormatter WHOLE =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT);
  private static final DateTimeFormatter FRACTION =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSSSSS", Locale.ROOT);
  private static final DateTimeFormatter ANY =
      new DateTimeFormatterBuilder()
          .appendPattern("uuuu-MM-dd HH:mm:ss")
          .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
          .toFormatter(Locale.ROOT);

  @Override
  public String sql(String text) {
    return LOCKING.matcher(text).replaceAll("").replace(FOUND_IN, FOUND_HERE);
  }

  @Override
  public boolean changesInPassing() {
    return false;
  }

  @Override
  public String tableExists() {
    return "SELECT name AS table_name FROM sqlite_master WHERE type = 'table' AND name = ?";
  }

  @Override
  public String standby() {
    return "false";
  }

  @Override
  public String epochMillis() {
    return "CAST(unixepoch('now', 'subsec') * 1000 AS integer)";
  }

  /** The bytes are those of the whole file, which is what a migration locks. */
  @Override
  public String tableSize(String table) {
    return "SELECT page_count * page_size AS bytes, (SELECT count(*) FROM %s) AS row_count"
            .formatted(table)
        + " FROM pragma_page_count, pragma_page_size";
  }

  /** By a row like an erased account's: the Python service's table has no sequence. */
  @Override
  public String skipUserIds(int count) {
    return """
    INSERT INTO users (id, email, is_active, is_verified)
    SELECT coalesce(max(id), 0) + %d, 'deleted-' || lower(hex(randomblob(16))) || '@invalid',
      false, false FROM users
    """
        .formatted(count);
  }

  @Override
  public void bindTimestamp(PreparedStatement statement, int index, Instant value)
      throws SQLException {
    statement.setString(index, text(value));
  }

  @Override
  public void bindNaiveTimestamp(PreparedStatement statement, int index, Instant value)
      throws SQLException {
    statement.setString(index, text(value));
  }

  @Override
  public @Nullable Instant readTimestamp(ResultSet results, String column) throws SQLException {
    String text = results.getString(column);
    return text == null ? null : instant(text);
  }

  @Override
  public @Nullable Instant readNaiveTimestamp(ResultSet results, String column)
      throws SQLException {
    return readTimestamp(results, column);
  }

  /** SQLAlchemy's form of a time. */
  static String text(Instant value) {
    Instant micros = value.truncatedTo(ChronoUnit.MICROS);
    boolean whole = micros.equals(micros.truncatedTo(ChronoUnit.SECONDS));
    DateTimeFormatter form = whole ? WHOLE : FRACTION;
    return form.format(LocalDateTime.ofInstant(micros, ZoneOffset.UTC));
  }

  /** A time in SQLAlchemy's form, with or without a fraction. */
  static Instant instant(String text) {
    return LocalDateTime.parse(text, ANY).toInstant(ZoneOffset.UTC);
  }
}
