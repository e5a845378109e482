package org.authservice.testing;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.authservice.database.Database;
import org.authservice.settings.DatabaseSettings;
import org.jspecify.annotations.Nullable;

/**
 * A database for one test; closing removes it.
 *
 * @param settings to open it with
 * @param url the same as {@code DATABASE_URL}
 * @param jdbcUrl to look behind the service's back
 * @param remover removes it
 */
public record TestDatabase(DatabaseSettings settings, String url, String jdbcUrl, Runnable remover)
    implements AutoCloseable {

  /** Opens it, without migrating. */
  public Database open() {
    return Database.open(settings, new SimpleMeterRegistry());
  }

  /** A plain connection. */
  public Connection connect() {
    try {
      return DriverManager.getConnection(jdbcUrl);
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  /** Runs statements, separated by semicolons at the end of a line. */
  public void execute(String script) {
    try (Connection connection = connect();
        java.sql.Statement statement = connection.createStatement()) {
      for (String sql : script.split(";\\s*\n", -1)) {
        if (!sql.isBlank()) {
          statement.execute(sql);
        }
      }
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  /** The first column of all rows as text. */
  public List<@Nullable String> column(String sql) {
    try (Connection connection = connect();
        java.sql.Statement statement = connection.createStatement();
        ResultSet results = statement.executeQuery(sql)) {
      List<@Nullable String> values = new ArrayList<>();
      while (results.next()) {
        values.add(results.getString(1));
      }
      return values;
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  @Override
  public void close() {
    remover.run();
  }
}
