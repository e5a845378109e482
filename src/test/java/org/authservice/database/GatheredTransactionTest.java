package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.authservice.http.Unavailable;
import org.authservice.testing.Databases;
import org.authservice.testing.PostgresServers;
import org.authservice.testing.TcpProxy;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Transactions that share a commit: each decides by its own answer and keeps its own outcome. */
class GatheredTransactionTest {
  private static final int CALLERS = 100;

  private final AtomicInteger followed = new AtomicInteger();

  @ParameterizedTest
  @EnumSource
  void eachDecidesByItsOwnAnswer(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      for (int i = 0; i < CALLERS; i += 2) {
        database.commit(Counters.put("row " + i, 1));
      }

      List<Integer> seen = all(i -> addUnlessThere(database, "row " + i, "row " + i, 1));

      assertThat(seen).isEqualTo(IntStream.range(0, CALLERS).map(i -> 1 - i % 2).boxed().toList());
      assertThat(database.read(Counters.names())).hasSize(CALLERS);
      assertThat(followed.get()).isEqualTo(CALLERS / 2);
    }
  }

  @ParameterizedTest
  @EnumSource
  void ofThoseWithOneLockEachSeesTheOneBefore(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      List<Integer> seen = all(_ -> addUnlessThere(database, "lock", "the row", 1));

      assertThat(Collections.frequency(seen, 0)).isEqualTo(1);
      assertThat(Collections.frequency(seen, 1)).isEqualTo(CALLERS - 1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void nodesThatAskAtOnceShareTheLocks(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database one = test.open();
        Database other = engine == Databases.SQLITE ? one : test.open()) {
      List<Integer> seen =
          all(i -> addUnlessThere(i % 2 == 0 ? one : other, "lock " + i % 7, "row " + i % 7, 1));

      assertThat(Collections.frequency(seen, 0)).isEqualTo(7);
      assertThat(Collections.frequency(seen, 1)).isEqualTo(CALLERS - 7);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPoisonedStatementFailsItsOwnTransactionAlone(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      List<Integer> seen =
          all(i -> {
            try {
              return addUnlessThere(database, "row " + i, "row " + i, i % 10 == 0 ? 0 : 1);
            } catch (DatabaseFault poisoned) {
              return -1;
            }
          });

      for (int i = 0; i < CALLERS; i++) {
        assertThat(seen.get(i)).as("caller %d", i).isEqualTo(i % 10 == 0 ? -1 : 0);
      }
      assertThat(database.read(Counters.names())).hasSize(90);
      assertThat(followed.get()).isEqualTo(90);
    }
  }

  @ParameterizedTest
  @EnumSource
  void oneThatThrowsLeavesNothingAndTheOthersAreKept(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      List<Boolean> kept =
          all(i -> {
            try {
              return database.transaction(
                  "row " + i,
                  Counters.present("row " + i),
                  (tx, _) -> {
                    tx.afterCommit(followed::incrementAndGet);
                    tx.send(Counters.put("row " + i, 1));
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

  @ParameterizedTest
  @EnumSource
  void statementsThatCannotBeGatheredAreSentOneByOne(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      all(i ->
          database.transaction(
              "row " + i,
              Counters.present("row " + i),
              (tx, _) -> {
                tx.send(Counters.put("row " + i, 1));
                tx.send(Counters.add("another " + i));
                tx.announce("test", "text");
                return true;
              }));

      assertThat(database.read(Counters.names())).hasSize(2 * CALLERS);
    }
  }

  @Test
  void thoseThatMeetShareACommit() throws Exception {
    var meters = new SimpleMeterRegistry();
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = Database.open(test.settings(), meters)) {
      all(i -> addUnlessThere(database, "row " + i, "row " + i, 1));

      assertThat(meters.get("auth.database.gathered").summary().max()).isGreaterThan(1);
      assertThat(meters.get("auth.database.repeats").counter().count()).isZero();
    }
  }

  @Test
  void aLockThatSomebodyHoldsHoldsUpNobodyElseForLong() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor();
        var other = test.connect()) {
      other.setAutoCommit(false);
      other
          .createStatement()
          .execute("SELECT pg_advisory_xact_lock(" + LockName.number("held") + ")");
      Future<Integer> blocked = requests.submit(() -> addUnlessThere(database, "held", "held", 1));

      all(i -> addUnlessThere(database, "row " + i, "row " + i, 1));

      assertThat(blocked.isDone()).isFalse();
      other.createStatement().execute("INSERT INTO throttles SELECT 'held', 1, 0,0,0,0,0,0,0,0");
      other.commit();
      assertThat(blocked.get()).isEqualTo(1);
    }
  }

  @Test
  void aConnectionCutInTheCommitIsAnOutageForEachAndNothingIsDoneTwice() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        TcpProxy proxy = new TcpProxy(PostgresServers.shared().port());
        Database database = PostgresServers.throughPort(test, proxy.port()).open()) {
      addUnlessThere(database, "first", "first", 1);
      proxy.cutAfter("COMMIT");

      List<Boolean> outages =
          all(i -> {
            try {
              addUnlessThere(database, "row " + i, "row " + i, 1);
              return false;
            } catch (Unavailable outage) {
              return true;
            }
          });

      assertThat(outages).allMatch(it -> it);
      proxy.restore();
      assertThat(test.column("SELECT count(*) FROM throttles WHERE failures > 1"))
          .containsExactly("0");
      assertThat(addUnlessThere(database, "first", "first", 1)).isEqualTo(1);
    }
  }

  @Test
  void whoOnlySendsCannotAskAgain() {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open()) {
      assertThatThrownBy(() ->
              database.transaction(
                  "a", Counters.present("a"), (tx, _) -> tx.run(Counters.increment("a"))))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("only sends");
    }
  }

  /** How many rows of that name there were; adds one if there was none. */
  private int addUnlessThere(Database database, String lock, String name, int divisor) {
    return database.transaction(
        lock,
        Counters.present(name),
        (tx, present) -> {
          int count = present.orElseThrow();
          if (count == 0) {
            tx.send(Counters.put(name, divisor));
            tx.afterCommit(followed::incrementAndGet);
          }
          return count;
        });
  }

  /** All at once, each on a virtual thread of its own. */
  private static <T> List<T> all(IntFunction<T> call) throws Exception {
    try (ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch go = new CountDownLatch(1);
      List<Future<T>> answers = new ArrayList<>();
      for (int i = 0; i < CALLERS; i++) {
        int caller = i;
        answers.add(
            requests.submit(() -> {
              DatabaseTest.awaitQuietly(go);
              return call.apply(caller);
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
