package org.authservice.database;

import java.sql.Connection;
import javax.sql.DataSource;
import org.authservice.settings.DatabaseSettings;

/** One look at, or change of, a database's schema, by one node at a time once locked. */
interface MigrationSession extends AutoCloseable {

  /** A session that may change the schema, once it is locked. */
  static MigrationSession open(DatabaseSettings.Location location) {
    return switch (location) {
      case DatabaseSettings.Postgres postgres ->
          new PostgresMigrationSession(new PostgresServer(postgres));
      case DatabaseSettings.Sqlite sqlite -> SqliteMigrationSession.open(new SqliteFile(sqlite));
    };
  }

  /** A session that only looks. */
  static MigrationSession look(DatabaseSettings.Location location) {
    return switch (location) {
      case DatabaseSettings.Postgres postgres ->
          new PostgresMigrationSession(new PostgresServer(postgres));
      case DatabaseSettings.Sqlite sqlite -> SqliteMigrationSession.look(new SqliteFile(sqlite));
    };
  }

  /** Waits until no other node migrates, and keeps others from it until the session closes. */
  void lock();

  /** The connection to look with. */
  Connection connection();

  /** Where Flyway gets its connections. */
  DataSource dataSource();

  /** The engine's differences. */
  Dialect dialect();

  /** The engine's folder of migrations. */
  String folder();

  /** Makes what was done durable, where it is not already. */
  void commit();

  @Override
  void close();
}
