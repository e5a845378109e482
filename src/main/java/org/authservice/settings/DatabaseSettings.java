package org.authservice.settings;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * Where the data is.
 *
 * @param location {@code DATABASE_URL}
 * @param poolSize {@code DATABASE_POOL_SIZE}, connections to PostgreSQL
 * @param migrateOnStart {@code MIGRATE_ON_START}
 * @param replica {@code DATABASE_READ_URL}, for reads that may be a moment behind
 */
public record DatabaseSettings(
    Location location, int poolSize, boolean migrateOnStart, Optional<Postgres> replica) {

  /** Without a replica. */
  public DatabaseSettings(Location location, int poolSize, boolean migrateOnStart) {
    this(location, poolSize, migrateOnStart, Optional.empty());
  }

  /** One of the two engines. */
  public sealed interface Location {}

  /**
   * A SQLite file.
   *
   * @param file its absolute path
   * @param temporary whether it is gone at exit ({@code sqlite://})
   */
  public record Sqlite(Path file, boolean temporary) implements Location {}

  /**
   * A PostgreSQL database.
   *
   * @param parameters the URL's query parameters, such as {@code sslmode}
   */
  public record Postgres(
      String host,
      int port,
      String database,
      String user,
      Secret password,
      Map<String, String> parameters)
      implements Location {}
}
