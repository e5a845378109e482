package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.authservice.http.ErrorCode;
import org.authservice.http.Unavailable;
import org.authservice.secret.Secret;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;
import org.authservice.testing.Databases;
import org.authservice.testing.LogLines;
import org.authservice.testing.PostgresServers;
import org.authservice.testing.TcpProxy;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.api.Test;

class PostgresDatabaseTest {

  private static Statement<Optional<String>> text(String sql) {
    return Statement.row(sql, _ -> {}, row -> row.text("value"));
  }

  @Test
  void aConnectionSaysWhoItIsAndLimitsItsStatements() {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open()) {
      assertThat(database.read(text("SELECT current_setting('application_name') AS value")))
          .contains("auth-service");
      assertThat(database.read(text("SELECT current_setting('statement_timeout') AS value")))
          .contains("2s");
      assertThat(database.read(text("SELECT current_setting('transaction_isolation') AS value")))
          .contains("read committed");
    }
  }

  /** A prepared statement keeps its plan for long after the first login of a new installation. */
  @Test
  void rowsAreFoundByIndexHoweverSmallTheirTableWas() {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open()) {
      test.execute("ANALYZE devices");
      Statement<List<String>> plan =
          Statement.rows(
              "EXPLAIN SELECT id FROM devices WHERE user_id = 1",
              _ -> {},
              row -> row.text("QUERY PLAN"));
      assertThat(database.read(plan).getFirst()).contains("ix_devices_user_id");
      assertThat(database.transaction(tx -> tx.run(plan)).getFirst())
          .contains("ix_devices_user_id");
      assertThat(database.read(text("SELECT current_setting('jit') AS value"))).contains("off");
    }
  }

  @Test
  void theParametersOfTheUrlReachTheDriver() {
    try (TestDatabase test = Databases.POSTGRES.migrated()) {
      DatabaseSettings settings =
          with(
              test,
              Map.of(
                  "application_name", "mine",
                  "sslmode", "disable",
                  "options", "-c work_mem=5MB"));
      try (Database database = Database.open(settings, new SimpleMeterRegistry())) {
        assertThat(database.read(text("SELECT current_setting('application_name') AS value")))
            .contains("mine");
        assertThat(database.read(text("SELECT current_setting('work_mem') AS value")))
            .contains("5MB");
      }
      assertThatThrownBy(() ->
              Database.open(with(test, Map.of("sslmode", "require")), new SimpleMeterRegistry()))
          .isInstanceOf(StartFailure.class)
          .hasMessageContaining("SSL");
    }
  }

  @Test
  void aParameterThatTheDriverDoesNotKnowIsWarnedAbout() {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        LogLines log = new LogLines(PostgresServer.class.getName(), Level.WARN)) {
      Map<String, String> parameters = Map.of("sslmodee", "require", "ssl", "prefer");
      Database.open(with(test, parameters), new SimpleMeterRegistry()).close();
      assertThat(log.lines())
          .containsExactly(
              "WARN DATABASE_URL: the parameter sslmodee is unknown and has no effect");
    }
  }

  @Test
  void closingWaitsForATransactionThatRuns() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      Database database = test.open();
      CountDownLatch holds = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      Future<Integer> request =
          requests.submit(() ->
              database.transaction(tx -> {
                int added = tx.run(Counters.add("a"));
                holds.countDown();
                DatabaseTest.awaitQuietly(go);
                return added;
              }));
      holds.await();
      Thread closing = Thread.ofPlatform().start(database::close);
      while (closing.getState() != Thread.State.TIMED_WAITING) {
        Thread.onSpinWait();
      }
      go.countDown();
      assertThat(request.get()).isEqualTo(1);
      closing.join();
      assertThat(test.column("SELECT subject FROM throttles")).containsExactly("a");
    }
  }

  @Test
  void aStatementIsPreparedOnceOnTheServerAndReused() {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = Database.open(poolOfOne(test), new SimpleMeterRegistry())) {
      for (int i = 0; i < 20; i++) {
        database.commit(Counters.increment("none"));
      }
      assertThat(
              database.read(
                  Statement.rows(
                      "SELECT generic_plans + custom_plans AS runs FROM pg_prepared_statements"
                          + " WHERE statement LIKE 'UPDATE throttles%'",
                      _ -> {}, row -> row.integer("runs") > 10)))
          .containsExactly(true);
    }
  }

  @Test
  void aStatementThatTakesTooLongIsAnOutage() {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open()) {
      assertOutage(() -> database.read(text("SELECT pg_sleep(10)::text AS value")));
      assertThat(database.read(text("SELECT 'on' AS value"))).contains("on");
    }
  }

  @Test
  void waitingTooLongForALockIsAnOutage() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open();
        var other = test.connect()) {
      database.commit(Counters.add("a"));
      other.setAutoCommit(false);
      other.createStatement().execute("UPDATE throttles SET failures = 3");
      assertOutage(() -> database.commit(Counters.increment("a")));
      other.rollback();
      assertThat(database.commit(Counters.increment("a"))).contains(1);
    }
  }

  @Test
  void anExhaustedPoolIsAnOutageAfterAWhile() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = Database.open(poolOfOne(test), new SimpleMeterRegistry());
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch holds = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      Future<Integer> holder =
          requests.submit(() ->
              database.transaction(tx -> {
                holds.countDown();
                DatabaseTest.awaitQuietly(go);
                return tx.run(Counters.add("a"));
              }));
      holds.await();
      long start = System.nanoTime();
      assertOutage(() -> database.read(Counters.names()));
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
      assertThat(database.reachable()).isFalse();
      go.countDown();
      assertThat(holder.get()).isEqualTo(1);
      assertThat(database.reachable()).isTrue();
    }
  }

  @Test
  void transactionsThatMeetInADeadlockAllSucceed() throws Exception {
    try (TestDatabase test = quickToSeeDeadlocks();
        Database database = test.open();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      database.commit(Counters.add("a"));
      database.commit(Counters.add("b"));
      CyclicBarrier bothHoldOne = new CyclicBarrier(2);
      AtomicInteger runs = new AtomicInteger();
      AtomicInteger told = new AtomicInteger();
      CountDownLatch anyCommit = new CountDownLatch(1);
      Future<Optional<Integer>> one =
          requests.submit(() -> cross(database, "a", "b", bothHoldOne, runs, told, anyCommit));
      Future<Optional<Integer>> two =
          requests.submit(() -> cross(database, "b", "a", bothHoldOne, runs, told, anyCommit));
      one.get();
      two.get();
      assertThat(runs.get()).isEqualTo(3);
      assertThat(told.get()).isEqualTo(2);
      assertThat(database.commit(Counters.increment("a"))).contains(3);
      assertThat(database.commit(Counters.increment("b"))).contains(3);
    }
  }

  /** Usually the server looks for a deadlock after a second, half of what a statement may take. */
  private static TestDatabase quickToSeeDeadlocks() throws SQLException {
    TestDatabase test = Databases.POSTGRES.migrated();
    try (var connection = test.connect();
        var statement = connection.createStatement()) {
      statement.execute(
          "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 100',"
              + " current_database()); END $$");
    }
    return test;
  }

  /** The victim's second run waits for the other: it could take its row again and meet it again. */
  private static Optional<Integer> cross(
      Database database,
      String first,
      String second,
      CyclicBarrier bothHoldOne,
      AtomicInteger runs,
      AtomicInteger told,
      CountDownLatch anyCommit) {
    return database.transaction(tx -> {
      if (runs.get() == 2) {
        DatabaseTest.awaitQuietly(anyCommit);
      }
      tx.afterCommit(told::incrementAndGet);
      tx.afterCommit(anyCommit::countDown);
      tx.run(Counters.increment(first));
      if (runs.incrementAndGet() <= 2) {
        meet(bothHoldOne);
      }
      return tx.run(Counters.increment(second));
    });
  }

  private static void meet(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (Exception failure) {
      throw new IllegalStateException(failure);
    }
  }

  @Test
  void aReadOnlyServerIsAnOutage() {
    try (TestDatabase test = Databases.POSTGRES.migrated()) {
      DatabaseSettings settings =
          with(test, Map.of("options", "-c default_transaction_read_only=on"));
      try (Database database = Database.open(settings, new SimpleMeterRegistry())) {
        assertOutage(() -> database.commit(Counters.add("a")));
        assertOutage(() -> database.<Integer>transaction(tx -> tx.run(Counters.add("a"))));
        assertThat(database.read(Counters.names())).isEmpty();
      }
    }
  }

  @Test
  void aTerminatedConnectionIsAnOutageAndTheNextOneWorks() {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = Database.open(poolOfOne(test), new SimpleMeterRegistry())) {
      assertOutage(() ->
          database.<Integer>transaction(tx -> {
            int added = tx.run(Counters.add("a"));
            test.column(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    + " WHERE application_name = 'auth-service'"
                    + " AND datname = current_database()");
            return added + tx.run(Counters.add("b"));
          }));
      assertThat(database.read(Counters.names())).isEmpty();
    }
  }

  @Test
  void aServerThatIsCutOffIsAnOutageUntilItIsBack() {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        TcpProxy proxy = new TcpProxy(PostgresServers.shared().port());
        Database database = PostgresServers.throughPort(test, proxy.port()).open()) {
      assertThat(database.commit(Counters.add("a"))).isEqualTo(1);
      proxy.cut();
      assertOutage(() -> database.commit(Counters.add("b")));
      assertThat(database.reachable()).isFalse();
      proxy.restore();
      assertThat(database.reachable()).isTrue();
      assertThat(database.read(Counters.names())).containsExactly("a");
    }
  }

  @Test
  void aServerThatFallsSilentIsAnOutageWithinSeconds() {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        TcpProxy proxy = new TcpProxy(PostgresServers.shared().port());
        Database database = PostgresServers.throughPort(test, proxy.port()).open()) {
      database.commit(Counters.add("a"));
      proxy.freeze();
      long start = System.nanoTime();
      assertThat(database.reachable()).isFalse();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(2_500));
      assertOutage(() -> database.read(Counters.names()));
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(9));
      proxy.thaw();
      assertThat(database.read(Counters.names())).containsExactly("a");
    }
  }

  @Test
  void aCommitWhoseAnswerIsLostIsAnOutageAndRunsNoAction() {
    AtomicInteger told = new AtomicInteger();
    try (TestDatabase test = Databases.POSTGRES.migrated();
        TcpProxy proxy = new TcpProxy(PostgresServers.shared().port());
        Database database = PostgresServers.throughPort(test, proxy.port()).open()) {
      proxy.cutAfter("COMMIT");
      assertOutage(() ->
          database.<Integer>transaction(tx -> {
            tx.afterCommit(told::incrementAndGet);
            return tx.run(Counters.add("a"));
          }));
      proxy.restore();
      assertThat(told.get()).isZero();
    }
  }

  @Test
  void aStartWithoutAServerIsRefusedInOneLine() {
    DatabaseSettings nowhere = at("localhost", 1, "auth", "nobody");
    assertRefused(nowhere, "cannot connect to PostgreSQL at localhost:1/auth as nobody");
    int port = PostgresServers.shared().port();
    assertRefused(at("localhost", port, "missing", "postgres"), "\"missing\" does not exist");
    assertRefused(at("localhost", port, "postgres", "stranger"), "\"stranger\" does not exist");
    assertRefused(at("no-such-host.invalid", 5432, "auth", "nobody"), "no-such-host.invalid");
  }

  @Test
  void aServerOlderThanThirteenIsRefused() {
    PostgresServer server =
        new PostgresServer(
            (DatabaseSettings.Postgres) at("db.example", 5432, "auth", "auth").location());
    server.checkVersion(13);
    assertThatThrownBy(() -> server.checkVersion(12))
        .isInstanceOf(StartFailure.class)
        .hasMessage(
            "DATABASE_URL: the server at db.example:5432/auth is PostgreSQL 12; version 13 or"
                + " newer is needed");
  }

  @Test
  void sqlStatesBecomeOutagesOrFaults() {
    for (String state : List.of("08006", "53100", "53300", "57P01", "57014", "25006", "40001")) {
      assertThat(PostgresFailures.translate("SELECT", new SQLException("x", state)))
          .as(state)
          .isInstanceOf(Unavailable.class);
    }
    for (String state : List.of("23505", "42601", "42501", "22P02", "XX000")) {
      assertThat(PostgresFailures.translate("SELECT", new SQLException("x", state)))
          .as(state)
          .isInstanceOf(DatabaseFault.class);
    }
  }

  private static void assertOutage(Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            Unavailable.class,
            outage -> {
              assertThat(outage.code()).isEqualTo(ErrorCode.DATABASE_UNAVAILABLE);
              assertThat(outage.retryAfter()).isPositive();
            });
  }

  private static void assertRefused(DatabaseSettings settings, String part) {
    assertThatThrownBy(() -> Database.open(settings, new SimpleMeterRegistry()))
        .isInstanceOf(StartFailure.class)
        .hasMessageStartingWith("DATABASE_URL: ")
        .hasMessageContaining(part)
        .message()
        .doesNotContain("\n");
    assertThatThrownBy(() -> new Migrations(settings).migrate()).isInstanceOf(StartFailure.class);
  }

  private static DatabaseSettings at(String host, int port, String name, String user) {
    return new DatabaseSettings(
        new DatabaseSettings.Postgres(host, port, name, user, Secret.of("pw"), Map.of()), 2, true);
  }

  private static DatabaseSettings poolOfOne(TestDatabase test) {
    return new DatabaseSettings(test.settings().location(), 1, true);
  }

  private static DatabaseSettings with(TestDatabase test, Map<String, String> parameters) {
    DatabaseSettings.Postgres location = (DatabaseSettings.Postgres) test.settings().location();
    return new DatabaseSettings(
        new DatabaseSettings.Postgres(
            location.host(),
            location.port(),
            location.database(),
            location.user(),
            location.password(),
            parameters),
        2,
        true);
  }
}
