package org.authservice.database;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A lock that a statement of a migration takes on PostgreSQL ("Explicit Locking" in its
 * documentation), and who waits for it. Every migration waits for its locks only a moment, so "for
 * a moment" is also how long others queue behind it.
 *
 * @param table which existing table
 */
public record TableLock(String table, Mode mode) {
  private static final String NAME = "([a-z_]+)";
  private static final Pattern CREATE_TABLE = pattern("CREATE TABLE " + NAME + ".*");
  private static final Pattern REFERENCES = pattern("REFERENCES " + NAME);
  private static final Pattern ADD_COLUMN = pattern("ALTER TABLE " + NAME + " ADD COLUMN .*");
  private static final Pattern INDEX =
      pattern(
          "CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?\\w+ ON " + NAME + " .*");
  private static final Pattern NOTHING =
      pattern("(SET|RESET) .*|DROP INDEX CONCURRENTLY IF EXISTS \\w+");

  /** How strong it is. */
  public enum Mode {
    /** Adding a column without rewriting the table. */
    ACCESS_EXCLUSIVE("reads and writes wait for a moment"),
    /** A new table that refers to this one. */
    SHARE_ROW_EXCLUSIVE("writes wait for a moment"),
    /** An index built at once. */
    SHARE("writes wait until the index is built"),
    /** An index built concurrently. */
    SHARE_UPDATE_EXCLUSIVE("nobody waits while the index is built"),
    /** A statement that is none of these. */
    UNKNOWN("not known: read the statement");

    private final String effect;

    Mode(String effect) {
      this.effect = effect;
    }

    /** Who waits. */
    public String effect() {
      return effect;
    }

    @Override
    public String toString() {
      return name().replace('_', ' ');
    }
  }

  /** The locks that a migration's statements take on tables which were there before. */
  static List<TableLock> of(String sql) {
    List<TableLock> locks = new ArrayList<>();
    List<String> created = new ArrayList<>();
    for (String statement : statements(sql)) {
      Matcher table = CREATE_TABLE.matcher(statement);
      if (table.matches()) {
        created.add(table.group(1));
      }
      ofOne(statement).stream()
          .filter(lock -> !created.contains(lock.table()) && !locks.contains(lock))
          .forEach(locks::add);
    }
    return locks;
  }

  private static List<TableLock> ofOne(String statement) {
    if (NOTHING.matcher(statement).matches()) {
      return List.of();
    }
    if (CREATE_TABLE.matcher(statement).matches()) {
      return REFERENCES
          .matcher(statement)
          .results()
          .map(found -> new TableLock(found.group(1), Mode.SHARE_ROW_EXCLUSIVE))
          .toList();
    }
    Matcher column = ADD_COLUMN.matcher(statement);
    if (column.matches()) {
      return List.of(new TableLock(column.group(1), Mode.ACCESS_EXCLUSIVE));
    }
    Matcher index = INDEX.matcher(statement);
    if (index.matches()) {
      Mode mode = index.group(1) == null ? Mode.SHARE : Mode.SHARE_UPDATE_EXCLUSIVE;
      return List.of(new TableLock(index.group(2), mode));
    }
    return List.of(new TableLock("?", Mode.UNKNOWN));
  }

  private static List<String> statements(String sql) {
    List<String> statements = new ArrayList<>();
    for (String part : sql.replaceAll("--[^\n]*", " ").split(";", -1)) {
      String statement = Failures.oneLine(part);
      if (!statement.isEmpty()) {
        statements.add(statement.toLowerCase(Locale.ROOT));
      }
    }
    return statements;
  }

  private static Pattern pattern(String text) {
    return Pattern.compile(text, Pattern.CASE_INSENSITIVE);
  }
}
