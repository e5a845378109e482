package org.authservice.database;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;

/** How connections to one PostgreSQL database are made: the driver's URL and properties. */
final class PostgresServer {
  private static final int OLDEST_VERSION = 13;

  /** libpq's names, which are common in URLs, and the driver's. */
  private static final Map<String, String> RENAMED =
      Map.of(
          "application_name", "ApplicationName",
          "channel_binding", "channelBinding",
          "connect_timeout", "connectTimeout",
          "target_session_attrs", "targetServerType");

  private final DatabaseSettings.Postgres location;

  PostgresServer(DatabaseSettings.Postgres location) {
    this.location = location;
  }

  String url() {
    String host = location.host();
    return "jdbc:postgresql://%s:%d/%s"
        .formatted(
            host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host,
            location.port(),
            URLEncoder.encode(location.database(), StandardCharsets.UTF_8).replace("+", "%20"));
  }

  /** For the pool: a statement ends after two seconds, a silent server is given up after three. */
  Properties forRequests() {
    return properties("auth-service", "-c statement_timeout=2000", 3);
  }

  /** For migrations: statements may take long, but they wait for no lock longer than 5 s. */
  Properties forMigrations() {
    return properties(
        "auth-service migration",
        "-c statement_timeout=0 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=0",
        0);
  }

  /** A single connection outside the pool, with the properties for migrations. */
  Connection connectForMigrations() {
    try {
      return DriverManager.getConnection(url(), forMigrations());
    } catch (SQLException failure) {
      throw unreachable(failure);
    }
  }

  /** Refuses servers that are too old. */
  void checkVersion(Connection connection) throws SQLException {
    int version = connection.getMetaData().getDatabaseMajorVersion();
    if (version < OLDEST_VERSION) {
      throw new StartFailure(
          "DATABASE_URL: the server at %s is PostgreSQL %d; version %d or newer is needed"
              .formatted(name(), version, OLDEST_VERSION),
          null);
    }
  }

  StartFailure unreachable(Throwable failure) {
    return new StartFailure(
        "DATABASE_URL: cannot connect to PostgreSQL at %s as %s: %s"
            .formatted(name(), location.user(), Failures.firstLine(failure)),
        failure);
  }

  /** Host, port and database, for messages. */
  String name() {
    return "%s:%d/%s".formatted(location.host(), location.port(), location.database());
  }

  private Properties properties(String application, String options, int socketTimeoutSeconds) {
    Properties properties = new Properties();
    properties.setProperty("user", location.user());
    properties.setProperty("password", location.password().reveal());
    properties.setProperty("ApplicationName", application);
    properties.setProperty("connectTimeout", "3");
    properties.setProperty("loginTimeout", "3");
    properties.setProperty("socketTimeout", Integer.toString(socketTimeoutSeconds));
    properties.setProperty("tcpKeepAlive", "true");
    properties.setProperty("logServerErrorDetail", "false"); // the detail quotes rows
    location
        .parameters()
        .forEach((name, value) -> properties.setProperty(RENAMED.getOrDefault(name, name), value));
    // Conditional UPDATEs decide races; they count on seeing what others have committed.
    String ours = "-c default_transaction_isolation=read\\ committed " + options;
    properties.merge("options", ours, (given, added) -> given + " " + added);
    return properties;
  }
}
