package org.authservice.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.UUID;
import org.authservice.database.Migrations;
import org.authservice.secret.Secret;
import org.authservice.settings.DatabaseSettings;

/**
 * A real PostgreSQL. Tests share one; a test that stops or harms its server {@linkplain #start()
 * starts} its own.
 */
public final class PostgresServers implements AutoCloseable {
  private static final String TEMPLATE = "migrated_template";

  private final EmbeddedPostgres postgres;
  private boolean templateMade;

  private PostgresServers(EmbeddedPostgres postgres) {
    this.postgres = postgres;
  }

  /** The server that tests share. */
  public static PostgresServers shared() {
    return Shared.SERVER;
  }

  /** A server for one test. It does not sync its files, so that tests are quick. */
  public static PostgresServers start() {
    try {
      return new PostgresServers(
          EmbeddedPostgres.builder()
              .setServerConfig("fsync", "off")
              .setServerConfig("full_page_writes", "off")
              .setServerConfig("max_connections", "400")
              .setServerConfig("shared_buffers", "64MB")
              .start());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** The port on localhost. */
  public int port() {
    return postgres.getPort();
  }

  /** A new database without tables. */
  public TestDatabase empty() {
    return create("template1");
  }

  /** A new database with the newest schema. */
  public TestDatabase migrated() {
    makeTemplate();
    return create(TEMPLATE);
  }

  /** A database of this server as seen through another port, such as a proxy's. */
  public static TestDatabase throughPort(TestDatabase database, int port) {
    DatabaseSettings.Postgres direct = (DatabaseSettings.Postgres) database.settings().location();
    return at(port, direct.database(), database.remover());
  }

  @Override
  public void close() {
    try {
      postgres.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private TestDatabase create(String template) {
    String name = "test_" + UUID.randomUUID().toString().replace("-", "");
    execute("CREATE DATABASE " + name + " TEMPLATE " + template);
    return at(port(), name, () -> execute("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"));
  }

  private synchronized void makeTemplate() {
    if (templateMade) {
      return;
    }
    execute("CREATE DATABASE " + TEMPLATE);
    new Migrations(at(port(), TEMPLATE, () -> {}).settings()).migrate();
    templateMade = true;
  }

  private static TestDatabase at(int port, String name, Runnable remover) {
    String place = "localhost:" + port + "/" + name;
    return new TestDatabase(
        new DatabaseSettings(
            new DatabaseSettings.Postgres(
                "localhost", port, name, "postgres", Secret.of("postgres"), Map.of()),
            10,
            true),
        "postgresql://postgres:postgres@" + place,
        "jdbc:postgresql://" + place + "?user=postgres&password=postgres",
        remover);
  }

  private void execute(String sql) {
    String url = postgres.getJdbcUrl("postgres", "postgres");
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  /** Started at its first use; ends with the JVM. */
  private static final class Shared {
    static final PostgresServers SERVER = start();
  }
}
