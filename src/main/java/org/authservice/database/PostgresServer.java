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
import org.postgresql.PGProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How connections to one PostgreSQL database are made: the driver's URL and properties. */
final class PostgresServer {
  private static final Logger log = LoggerFactory.getLogger(PostgresServer.class);
  private static final int OLDEST_VERSION = 13;

  /**
   * A prepared statement keeps the plan of its first runs, when a new installation's tables are
   * empty: then a scan is cheapest, and a login would go on reading whole tables until they are
   * next analysed. What has no index is scanned all the same, at a cost in name only, for which
   * nothing must be compiled.
   */
  private static final String BY_INDEX = " -c enable_seqscan=off -c jit=off";

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

  /**
   * For the pool: a statement ends after two seconds, a silent server is given up after three. The
   * locks of a node that froze in a transaction are freed after ten. Rows are found by index.
   */
  Properties forRequests() {
    return properties(
        "auth-service",
        "-c statement_timeout=2000 -c idle_in_transaction_session_timeout=10000" + BY_INDEX,
        3);
  }

  /**
   * For statements of many callers: they wait for a locked row only a moment, as one caller's row
   * holds up all. Rows are found by index, and one by one.
   */
  Properties forGathered() {
    return properties(
        "auth-service gathered",
        "-c statement_timeout=2000 -c lock_timeout=100 -c idle_in_transaction_session_timeout=10000"
            + " -c plan_cache_mode=force_generic_plan"
            + " -c enable_hashjoin=off -c enable_mergejoin=off"
            + BY_INDEX,
        3);
  }

  /** For reads that may be a moment behind, of whatever server there is. */
  Properties forReading() {
    return properties(
        "auth-service reads", "-c statement_timeout=1000 -c default_transaction_read_only=on", 2);
  }

  /** For the connection that listens: it waits for long, but not for answers. */
  Properties forListening() {
    return properties("auth-service listener", "-c statement_timeout=2000", 3);
  }

  /**
   * For migrations: statements may take long, but they wait for no lock longer than 0.3 s: whoever
   * writes queues behind a migration that waits.
   */
  Properties forMigrations() {
    return properties(
        "auth-service migration",
        "-c statement_timeout=0 -c lock_timeout=300 -c idle_in_transaction_session_timeout=0",
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
  void checkVersion(int version) {
    if (version < OLDEST_VERSION) {
      throw new StartFailure(
          "DATABASE_URL: the server at %s is PostgreSQL %d; version %d or newer is needed"
              .formatted(name(), version, OLDEST_VERSION),
          null);
    }
  }

  /** The one line for a server that cannot be connected to. */
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

  /** Tells of parameters that the driver would silently ignore, such as a misspelt sslmode. */
  void warnOfUnknownParameters() {
    location
        .parameters()
        .forEach((name, value) -> {
          if (PGProperty.forName(driver(name, value)) == null) {
            log.warn("DATABASE_URL: the parameter {} is unknown and has no effect", name);
          }
        });
  }

  /** The driver's name of a parameter. */
  private static String driver(String name, String value) {
    if (name.equals("ssl") && !value.equals("true") && !value.equals("false")) {
      return "sslmode"; // asyncpg's way to say it
    }
    return RENAMED.getOrDefault(name, name);
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
        .forEach((name, value) -> properties.setProperty(driver(name, value), value));
    // Conditional UPDATEs decide races; they count on seeing what others have committed.
    String ours = "-c default_transaction_isolation=read\\ committed " + options;
    properties.merge("options", ours, (given, added) -> given + " " + added);
    return properties;
  }
}
