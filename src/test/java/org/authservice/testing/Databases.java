package org.authservice.testing;

/**
 * Where tests get databases from: real ones of both engines, each call a new one.
 *
 * <pre>{@code
 * @ParameterizedTest
 * @EnumSource
 * void aRowIsKept(Databases engine) {
 *   try (TestDatabase test = engine.migrated(); Database database = test.open()) { … }
 * }
 * }</pre>
 */
public enum Databases {
  /** Files in the folder for temporary files. */
  SQLITE,
  /** Databases of one server, which starts at the first call and ends with the JVM. */
  POSTGRES;

  /** A database with the newest schema and without rows. */
  public TestDatabase migrated() {
    return switch (this) {
      case SQLITE -> SqliteFiles.migrated();
      case POSTGRES -> PostgresServers.shared().migrated();
    };
  }

  /** A database without tables. */
  public TestDatabase empty() {
    return switch (this) {
      case SQLITE -> SqliteFiles.empty();
      case POSTGRES -> PostgresServers.shared().empty();
    };
  }

  /**
   * A database as the Python service leaves it at its last revision: its tables, its sample rows
   * (see {@link PythonService}), {@code alembic_version}.
   */
  public TestDatabase leftByPython() {
    TestDatabase database = empty();
    PythonService.fill(database, this);
    return database;
  }
}
