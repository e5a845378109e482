package org.authservice.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.authservice.settings.StartFailure;

/** Who made the tables that a database holds. */
enum Origin {
  /** Nobody: there are none. */
  FRESH,
  /** The Python service, at its last revision. */
  PYTHON,
  /** This service: Flyway's history says which version. */
  OURS;

  /** The Python service's last Alembic revision, which is our V1. */
  static final String LAST_REVISION = "1f85d57b8e52";

  /**
   * Looks at a database.
   *
   * @throws StartFailure when the Python service left it in a state that cannot be taken over
   */
  static Origin of(Connection connection, Dialect dialect) throws SQLException {
    if (isOurs(connection, dialect)) {
      return OURS;
    }
    List<String> tables = new ArrayList<>();
    for (String table : List.of("users", "otps", "invalidated_tokens")) {
      if (exists(connection, dialect, table)) {
        tables.add(table);
      }
    }
    if (exists(connection, dialect, "alembic_version")) {
      checkRevision(connection, tables);
      return PYTHON;
    }
    if (tables.isEmpty()) {
      return FRESH;
    }
    throw new StartFailure(
        ("the database holds the table %s but no alembic_version, so what made it is unknown:"
                + " point DATABASE_URL at another database, or bring it to Alembic revision %s")
            .formatted(String.join(", ", tables), LAST_REVISION),
        null);
  }

  /** Whether this service has migrated the database before. */
  static boolean isOurs(Connection connection, Dialect dialect) throws SQLException {
    return exists(connection, dialect, "flyway_schema_history");
  }

  private static void checkRevision(Connection connection, List<String> tables)
      throws SQLException {
    List<String> revisions = new ArrayList<>();
    try (PreparedStatement statement =
            connection.prepareStatement("SELECT version_num FROM alembic_version ORDER BY 1");
        ResultSet results = statement.executeQuery()) {
      while (results.next()) {
        revisions.add(results.getString(1));
      }
    }
    if (!revisions.equals(List.of(LAST_REVISION))) {
      throw new StartFailure(
          ("the database is at Alembic revision %s; run 'alembic upgrade %s' with the Python"
                  + " service first, then start again")
              .formatted(
                  revisions.isEmpty() ? "(none)" : String.join(", ", revisions), LAST_REVISION),
          null);
    }
    if (tables.size() < 3) {
      throw new StartFailure(
          ("the database is at Alembic revision %s but holds only the tables %s of users, otps,"
                  + " invalidated_tokens: restore it from a backup")
              .formatted(LAST_REVISION, tables),
          null);
    }
  }

  /** Whether there is a table of that name. */
  static boolean exists(Connection connection, Dialect dialect, String table) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(dialect.tableExists())) {
      statement.setString(1, table);
      try (ResultSet results = statement.executeQuery()) {
        return results.next();
      }
    }
  }
}
