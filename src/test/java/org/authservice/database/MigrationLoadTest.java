package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.authservice.testing.Databases;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Migrations while the database is in use: by the Python service, whose statements are sent as its
 * SQLAlchemy does, and by this service.
 */
class MigrationLoadTest {
  /** What took long: of requests and statements, the kind and how many milliseconds. */
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();

  private final AtomicLong longestLockWait = new AtomicLong();
  private final AtomicBoolean goOn = new AtomicBoolean(true);
  private final List<Integer> statuses = Collections.synchronizedList(new ArrayList<>());

  @Test
  void nobodyWaitsForAMigration() throws Exception {
    migrateUnderLoad(20_000);
  }

  @Test
  @Tag("soak")
  void nobodyWaitsForAMigrationOfAMillionUsers() throws Exception {
    migrateUnderLoad(Boolean.getBoolean("soak.short") ? 100_000 : 1_000_000);
  }

  private void migrateUnderLoad(int users) throws Exception {
    try (TestDatabase database = Databases.POSTGRES.leftByPython();
        ExecutorService clients = Executors.newCachedThreadPool()) {
      fill(database, users);
      List<Future<?>> load = new ArrayList<>();
      load.add(clients.submit(() -> watchLocks(database)));
      for (int i = 0; i < 3; i++) {
        int number = i;
        load.add(clients.submit(() -> writeAsPython(database, number)));
      }
      assertThat(new Migrations(database.settings()).migrate())
          .isEqualTo(MigrationsTest.ALL.size() - 1);
      try (TestService service = TestService.with(database).realTime().start()) {
        String token = service.verified("new@example.com").text("refresh_token");
        load.add(clients.submit(() -> useService(service, token)));
        for (int round = 0; round < 2; round++) {
          forgetNewest(database);
          awaitRequests(10);
          assertThat(new Migrations(database.settings()).migrate()).isEqualTo(2);
        }
        awaitRequests(10);
        goOn.set(false);
        for (Future<?> one : load) {
          one.get();
        }
      }
    }
    assertThat(failures).isEmpty();
    assertThat(statuses).hasSizeGreaterThan(10).containsOnly(200, 201);
    assertThat(Duration.ofMillis(longestLockWait.get())).isLessThan(Duration.ofSeconds(1));
  }

  private void awaitRequests(int more) {
    int before = statuses.size();
    long deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    while (statuses.size() < before + more && System.nanoTime() < deadline) {
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  /** As a database of a version before is: what a running service does not miss is gone. */
  private static void forgetNewest(TestDatabase database) {
    database.execute(
        """
        DELETE FROM flyway_schema_history WHERE version IN ('12', '13');
        DROP INDEX CONCURRENTLY ix_invalidated_tokens_expires_at;
        DROP INDEX ix_mail_suppressions_until_at;
        DROP TABLE leases, node_settings;
        """);
  }

  private static void fill(TestDatabase database, int users) {
    database.execute(
        """
        INSERT INTO users (email, is_active, is_verified, full_name)
          SELECT 'user' || i || '@example.com', true, true, 'User ' || i
          FROM generate_series(1, COUNT) i;
        INSERT INTO invalidated_tokens (jti, user_id, expires_at, invalidated_at)
          SELECT md5(i::text), i, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
          FROM generate_series(1, COUNT / 2) i;
        ANALYZE;
        """
            .replace("COUNT", Integer.toString(users)));
  }

  /** Registers, asks for a code, verifies it, changes the profile, logs out; in transactions. */
  private void writeAsPython(TestDatabase database, int number) {
    try (Connection connection = database.connect()) {
      connection.setAutoCommit(false);
      for (int i = 0; goOn.get(); i++) {
        String email = "python" + number + "-" + i + "@example.com";
        run(
            connection,
            "INSERT INTO users (email, hashed_password, google_id, is_active, is_verified,"
                + " full_name, updated_at) VALUES (?, 'x', NULL, true, false, NULL, NULL)"
                + " RETURNING users.id, users.created_at",
            email);
        connection.commit();
        run(
            connection,
            "INSERT INTO otps (user_id, email, otp_code, purpose, expires_at) SELECT users.id,"
                + " users.email, '$2b$', 'verification', now() + interval '10 minutes' FROM users"
                + " WHERE users.email = ? RETURNING otps.id, otps.created_at",
            email);
        run(
            connection,
            "UPDATE users SET is_verified=true, updated_at=now() WHERE users.email = ?",
            email);
        run(connection, "DELETE FROM otps WHERE otps.email = ?", email);
        connection.commit();
        run(
            connection,
            "INSERT INTO invalidated_tokens (jti, user_id, expires_at, invalidated_at) VALUES"
                + " (md5(?), 1, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')",
            email);
        connection.commit();
      }
    } catch (SQLException failure) {
      failures.add("Python service: " + failure);
    }
  }

  private static void run(Connection connection, String sql, String email) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, email);
      statement.execute();
    }
  }

  private void useService(TestService service, String firstToken) {
    String token = firstToken;
    for (int i = 0; goOn.get(); i++) {
      statuses.add(service.register("load" + i + "@example.com").status());
      var refreshed = service.refresh(token);
      statuses.add(refreshed.status());
      statuses.add(service.ask("user" + i + "@example.com", "login").status());
      if (refreshed.status() == 200) {
        token = refreshed.text("refresh_token");
        statuses.add(service.profile(refreshed.text("access_token")).status());
      }
    }
  }

  /** How long anybody but the migration waits for a lock. */
  private void watchLocks(TestDatabase database) {
    String waits =
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart) * 1000), 0)"
            + " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
            + " WHERE NOT l.granted AND a.datname = current_database()"
            + " AND a.application_name <> 'auth-service migration'";
    try (Connection connection = database.connect();
        PreparedStatement statement = connection.prepareStatement(waits)) {
      while (goOn.get()) {
        try (var wait = statement.executeQuery()) {
          wait.next();
          longestLockWait.accumulateAndGet(wait.getLong(1), Math::max);
        }
        LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
      }
    } catch (SQLException failure) {
      failures.add("watching: " + failure);
    }
  }
}
