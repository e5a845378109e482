package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.authservice.testing.Databases;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Statements that nobody waits for are part of their transaction like any other. */
class SentTogetherTest {

  @ParameterizedTest
  @EnumSource
  void whatFollowsSeesWhatWasSentBefore(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      List<String> seen =
          database.transaction(tx -> {
            tx.send(Counters.add("a"));
            tx.send(Counters.set("a", 7));
            assertThat(tx.run(Counters.increment("a"))).contains(8);
            tx.send(Counters.add("b"));
            assertThat(tx.run(Counters.set("b", 3))).isEqualTo(1);
            assertThat(tx.run(Counters.set("nobody", 3))).isZero();
            return tx.run(Counters.names());
          });

      assertThat(seen).containsExactly("a", "b");
      assertThat(database.commit(Counters.increment("b"))).contains(4);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsSentLastIsCommittedToo(Databases engine) {
    List<String> told = new ArrayList<>();
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      for (String name : List.of("a", "b", "c", "d", "e", "f", "g")) { // prepared by the server too
        database.transaction(tx -> {
          tx.send(Counters.add(name));
          tx.send(Counters.set(name, 1));
          tx.afterCommit(() -> told.add(name));
          return true;
        });
      }

      assertThat(database.read(Counters.names())).hasSize(7);
      assertThat(database.commit(Counters.increment("g"))).contains(2);
      assertThat(told).hasSize(7);
    }
  }

  @ParameterizedTest
  @EnumSource
  void oneThatFailsRollsEverythingBackWhereverItStands(Databases engine) {
    List<String> told = new ArrayList<>();
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      database.commit(Counters.add("taken"));
      assertThatThrownBy(() ->
              database.transaction(tx -> {
                tx.send(Counters.add("before"));
                tx.send(Counters.add("taken"));
                tx.send(Counters.add("after"));
                tx.afterCommit(() -> told.add("never"));
                return true;
              }))
          .isInstanceOf(DatabaseFault.class);
      assertThatThrownBy(() ->
              database.transaction(tx -> {
                tx.send(Counters.add("taken"));
                return tx.run(Counters.names());
              }))
          .isInstanceOf(DatabaseFault.class);

      assertThat(database.read(Counters.names())).containsExactly("taken");
      assertThat(told).isEmpty();
      assertThat(database.<Integer>transaction(tx -> tx.run(Counters.add("good")))).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whoWaitsForALockSeesWhatItsHolderLeft(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch holds = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      Future<Boolean> first =
          requests.submit(() ->
              database.transaction(tx -> {
                assertThat(tx.runLocked("name", Counters.names())).isEmpty();
                holds.countDown();
                awaitQuietly(go);
                tx.send(Counters.add("first"));
                return true;
              }));
      holds.await();
      Future<List<String>> second =
          requests.submit(() -> database.transaction(tx -> tx.runLocked("name", Counters.names())));
      go.countDown();

      assertThat(first.get()).isTrue();
      assertThat(second.get()).containsExactly("first");
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
