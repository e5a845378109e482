package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.authservice.http.Unavailable;
import org.authservice.testing.Databases;
import org.authservice.testing.PostgresServers;
import org.authservice.testing.TcpProxy;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What shares a commit keeps its own outcome. */
class GroupCommitTest {
  private static final int CALLERS = 100;

  @ParameterizedTest
  @EnumSource
  void everyCallerGetsTheValueOfItsOwnRow(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      for (int i = 0; i < CALLERS; i += 2) {
        String name = "row " + i;
        int start = i;
        database.<Integer>transaction(
            tx -> tx.run(Counters.add(name)) + tx.run(Counters.set(name, start)));
      }
      List<Optional<Integer>> values =
          all(CALLERS, i -> database.commit(Counters.raise("row " + i, 1)));
      for (int i = 0; i < CALLERS; i++) {
        assertThat(values.get(i)).isEqualTo(i % 2 == 0 ? Optional.of(i + 1) : Optional.empty());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void statementsOnOneRowFollowEachOtherAndEachSeesTheOneBefore(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      database.commit(Counters.add("a"));
      List<Optional<Integer>> values = all(CALLERS, _ -> database.commit(Counters.raise("a", 1)));
      assertThat(values.stream().map(Optional::orElseThrow).sorted().toList())
          .isEqualTo(java.util.stream.IntStream.rangeClosed(1, CALLERS).boxed().toList());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPoisonedStatementFailsAloneAndItsNeighboursCommit(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      for (int i = 0; i < CALLERS; i++) {
        database.commit(Counters.add("row " + i));
      }
      List<Boolean> committed =
          all(
              CALLERS,
              i -> {
                try {
                  return database
                      .commit(Counters.raise("row " + i, i % 10 == 0 ? Counters.POISON : 1))
                      .isPresent();
                } catch (DatabaseFault poisoned) {
                  return false;
                }
              });
      for (int i = 0; i < CALLERS; i++) {
        assertThat(committed.get(i)).as("caller %d", i).isEqualTo(i % 10 != 0);
      }
      assertThat(test.column("SELECT count(*) FROM throttles WHERE failures = 1"))
          .containsExactly("90");
      assertThat(test.column("SELECT count(*) FROM throttles WHERE failures = 0"))
          .containsExactly("10");
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatWaitsSharesACommit(Databases engine) throws Exception {
    var meters = new SimpleMeterRegistry();
    try (TestDatabase test = engine.migrated();
        Database database = Database.open(test.settings(), meters);
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      if (engine == Databases.SQLITE) {
        var together = new ArrayList<Integer>();
        SqliteFile file =
            new SqliteFile(
                (org.authservice.settings.DatabaseSettings.Sqlite) test.settings().location());
        try (var threads =
            new SqliteThreads(
                "test",
                1,
                () -> new SqliteConnection(file::connect, new SqliteDialect()),
                8,
                (connection, tasks) -> {
                  together.add(tasks.size());
                  SharedCommit.run(connection, tasks);
                },
                meters)) {
          CountDownLatch go = new CountDownLatch(1);
          List<Future<Integer>> answers = new ArrayList<>();
          answers.add(requests.submit(() -> write(threads, "held", go)));
          while (together.isEmpty()) {
            Thread.onSpinWait();
          }
          for (int i = 0; i < 8; i++) {
            String name = "row " + i;
            answers.add(requests.submit(() -> write(threads, name, go)));
          }
          while (meters.get("auth.database.queue").tag("threads", "test").gauge().value() < 8) {
            Thread.onSpinWait();
          }
          go.countDown();
          for (Future<Integer> answer : answers) {
            assertThat(answer.get()).isEqualTo(1);
          }
        }
        assertThat(together).startsWith(1, 8);
      } else {
        for (int i = 0; i < CALLERS; i++) {
          database.commit(Counters.add("row " + i));
        }
        all(CALLERS, i -> database.commit(Counters.raise("row " + i, 1)));
        assertThat(meters.get("auth.database.gathered").summary().max()).isGreaterThan(1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTransactionThatThrowsUndoesItsOwnPartOnly(Databases engine) throws Exception {
    AtomicInteger followed = new AtomicInteger();
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      List<Boolean> kept =
          all(
              CALLERS,
              i -> {
                try {
                  return database.transaction(tx -> {
                    tx.afterCommit(followed::incrementAndGet);
                    tx.run(Counters.add("row " + i));
                    if (i % 5 == 0) {
                      throw new IllegalStateException("no");
                    }
                    return true;
                  });
                } catch (IllegalStateException undone) {
                  return false;
                }
              });
      assertThat(kept.stream().filter(it -> it)).hasSize(80);
      assertThat(database.read(Counters.names())).hasSize(80);
      assertThat(followed.get()).isEqualTo(80);
    }
  }

  @Test
  void aRowThatIsLockedHoldsUpNobodyElseForLong() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor();
        var other = test.connect()) {
      database.commit(Counters.add("free"));
      database.commit(Counters.add("locked"));
      other.setAutoCommit(false);
      other.createStatement().execute("UPDATE throttles SET failures=7 WHERE subject='locked'");
      Future<Optional<Integer>> blocked =
          requests.submit(() -> database.commit(Counters.raise("locked", 1)));
      List<Optional<Integer>> free = all(20, _ -> database.commit(Counters.raise("free", 1)));
      assertThat(free).allMatch(Optional::isPresent);
      assertThat(blocked.isDone()).isFalse();
      other.commit();
      assertThat(blocked.get()).contains(8);
    }
  }

  @Test
  void aConnectionCutInTheCommitIsAnOutageForEachAndNothingIsDoneTwice() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        TcpProxy proxy = new TcpProxy(PostgresServers.shared().port());
        Database database = PostgresServers.throughPort(test, proxy.port()).open()) {
      for (int i = 0; i < CALLERS; i++) {
        database.commit(Counters.add("row " + i));
      }
      proxy.cutAfter("UPDATE throttles");
      List<Boolean> outages =
          all(
              CALLERS,
              i -> {
                try {
                  database.commit(Counters.raise("row " + i, 1));
                  return false;
                } catch (Unavailable outage) {
                  return true;
                }
              });
      assertThat(outages).allMatch(it -> it);
      proxy.restore();
      assertThat(test.column("SELECT count(*) FROM throttles WHERE failures > 1"))
          .containsExactly("0");
      assertThat(database.commit(Counters.raise("row 0", 1))).isPresent();
    }
  }

  @Test
  void aFullQueueRefusesAtOnceAndLateComersAreTold() throws Exception {
    Semaphore turns = new Semaphore(0);
    Gatherer<WaitingStatement<?>> gatherer =
        new Gatherer<>(
            "test",
            true,
            (sql, callers) -> {
              turns.acquireUninterruptibly();
              callers.forEach(it -> it.succeed(Optional.of(callers.size())));
            },
            new SimpleMeterRegistry());
    try (ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Optional<Integer>>> answers = new ArrayList<>();
      Statement<Optional<Integer>> first = Counters.raise("first", 1);
      answers.add(requests.submit(() -> gather(gatherer, first)));
      while (!turns.hasQueuedThreads()) {
        Thread.onSpinWait();
      }
      for (int i = 0; i < 2_048; i++) {
        Statement<Optional<Integer>> next = Counters.raise("row " + i, 1);
        answers.add(requests.submit(() -> gather(gatherer, next)));
      }
      while (gatherer.waiting() < 2_049) {
        Thread.onSpinWait();
      }
      assertThatThrownBy(() -> gather(gatherer, first))
          .isInstanceOf(Unavailable.class)
          .hasMessageContaining("queue full");
      turns.release(2_049);
      for (Future<Optional<Integer>> answer : answers) {
        assertThat(answer.get().orElseThrow()).isBetween(1, 64);
      }
    }
  }

  private static <T> T gather(Gatherer<WaitingStatement<?>> gatherer, Statement<T> statement) {
    Statement.Gathered gathered = statement.gathered().orElseThrow();
    var caller = new WaitingStatement<>(statement, gathered);
    gatherer.add(gathered.sql(), caller);
    return caller.await();
  }

  private static int write(SqliteThreads threads, String name, CountDownLatch go) {
    return threads.call(
        connection -> {
          DatabaseTest.awaitQuietly(go);
          try {
            return connection.run(Counters.add(name));
          } catch (java.sql.SQLException failure) {
            throw new IllegalStateException(failure);
          }
        },
        new SqliteTask.Patience(5_000, 5_000),
        () -> {});
  }

  private interface Call<T> {
    T by(int caller);
  }

  /** All at once, each on a virtual thread of its own. */
  private static <T> List<T> all(int callers, Call<T> call)
      throws InterruptedException, ExecutionException {
    try (ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch go = new CountDownLatch(1);
      List<Future<T>> answers = new ArrayList<>();
      for (int i = 0; i < callers; i++) {
        int caller = i;
        answers.add(
            requests.submit(() -> {
              DatabaseTest.awaitQuietly(go);
              return call.by(caller);
            }));
      }
      go.countDown();
      List<T> values = new ArrayList<>();
      for (Future<T> answer : answers) {
        values.add(answer.get());
      }
      return values;
    }
  }
}
