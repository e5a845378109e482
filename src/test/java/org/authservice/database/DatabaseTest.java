package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.authservice.http.Unavailable;
import org.authservice.testing.Databases;
import org.authservice.testing.LogLines;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What holds of both engines. */
class DatabaseTest {

  @ParameterizedTest
  @EnumSource
  void whatIsCommittedIsRead(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      assertThat(database.commit(Counters.add("a"))).isEqualTo(1);
      assertThat(database.commit(Counters.increment("a"))).contains(1);
      assertThat(database.commit(Counters.increment("a"))).contains(2);
      assertThat(database.commit(Counters.increment("b"))).isEmpty();
      assertThat(database.read(Counters.names())).containsExactly("a");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTransactionCommitsOnEveryValueAndRollsBackOnAnException(Databases engine) {
    List<String> told = new ArrayList<>();
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      Boolean accepted =
          database.transaction(tx -> {
            tx.lock("something");
            tx.run(Counters.add("a"));
            tx.afterCommit(() -> told.add("a"));
            return false;
          });
      assertThat(accepted).isFalse();
      assertThatThrownBy(() ->
              database.transaction(tx -> {
                tx.run(Counters.add("b"));
                tx.afterCommit(() -> told.add("b"));
                throw new IllegalStateException("no");
              }))
          .hasMessage("no");
      assertThat(database.read(Counters.names())).containsExactly("a");
      assertThat(told).containsExactly("a");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aWrongStatementRollsTheWholeTransactionBack(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      assertThatThrownBy(() ->
              database.transaction(tx -> {
                tx.run(Counters.add("a"));
                return tx.run(Counters.add("a"));
              }))
          .isInstanceOf(DatabaseFault.class);
      assertThat(database.read(Counters.names())).isEmpty();
      assertThat(database.commit(Counters.add("a"))).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatFollowsACommitMayFailWithoutUndoingIt(Databases engine) {
    List<String> told = new ArrayList<>();
    try (TestDatabase test = engine.migrated();
        Database database = test.open();
        LogLines log = new LogLines(AfterCommit.class.getName(), Level.ERROR)) {
      int added =
          database.transaction(tx -> {
            tx.afterCommit(() -> {
              throw new IllegalStateException("no");
            });
            tx.afterCommit(() -> told.add("second"));
            return tx.run(Counters.add("a"));
          });
      assertThat(added).isEqualTo(1);
      assertThat(told).containsExactly("second");
      assertThat(log.lines()).containsExactly("ERROR an action after a commit failed");
      assertThat(database.read(Counters.names())).containsExactly("a");
    }
  }

  @ParameterizedTest
  @EnumSource
  void clausesThatLockRowsWorkOnBoth(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      database.commit(Counters.add("a"));
      Statement<Optional<String>> locking =
          Statement.row(
              """
              SELECT subject FROM throttles WHERE failures = ?
              FOR NO KEY UPDATE
              """,
              parameters -> parameters.number(0),
              row -> row.text("subject"));
      Statement<List<String>> taking =
          Statement.rows(
              """
              UPDATE throttles SET failures = 7 WHERE subject IN
                (SELECT subject FROM throttles WHERE failures = ? LIMIT 1 FOR UPDATE SKIP LOCKED)
              RETURNING subject
              """,
              parameters -> parameters.number(0),
              row -> row.text("subject"));
      assertThat(database.<Optional<String>>transaction(tx -> tx.run(locking))).contains("a");
      assertThat(database.commit(taking)).containsExactly("a");
    }
  }

  @ParameterizedTest
  @EnumSource
  void valuesComeBackAsTheyWent(Databases engine) {
    Instant fine = Instant.parse("2025-06-12T10:15:30.123456789Z");
    Instant whole = Instant.parse("2025-06-12T10:15:30Z");
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      database.commit(
          Statement.count(
              "INSERT INTO users (email, is_active, full_name, created_at, updated_at)"
                  + " VALUES (?, ?, ?, ?, ?)",
              parameters ->
                  parameters
                      .text("é\uD83D\uDE00@example.com")
                      .flag(false)
                      .text(Optional.empty())
                      .timestamp(fine)
                      .timestamp(whole)));
      database.commit(
          Statement.count(
              "INSERT INTO invalidated_tokens (jti, user_id, expires_at) VALUES (?, ?, ?)",
              parameters -> parameters.text("jti").number(1).naiveTimestamp(fine)));
      database.commit(
          Statement.count(
              "INSERT INTO outbox (id, user_id, recipient, template, payload, state, due_at,"
                  + " expires_at, created_at) VALUES ('1', ?, 'r', 't', ?, 's', ?, 0, 0)",
              parameters ->
                  parameters.number(Optional.empty()).bytes(new byte[] {0, -1}).millis(fine)));

      List<Object> user =
          database
              .read(
                  Statement.row(
                      "SELECT * FROM users",
                      _ -> {},
                      row ->
                          List.<Object>of(
                              row.text("email"),
                              row.flag("is_active"),
                              row.flag("password_confirmed"),
                              row.optionalText("full_name"),
                              row.timestamp("created_at"),
                              row.timestamp("updated_at"))))
              .orElseThrow();
      assertThat(user)
          .containsExactly(
              "é\uD83D\uDE00@example.com",
              false,
              true,
              Optional.empty(),
              Optional.of(Instant.parse("2025-06-12T10:15:30.123456Z")),
              Optional.of(whole));
      assertThat(
              database.read(
                  Statement.rows(
                      "SELECT expires_at, invalidated_at FROM invalidated_tokens",
                      _ -> {},
                      row ->
                          List.of(
                              row.naiveTimestamp("expires_at"),
                              row.naiveTimestamp("invalidated_at")))))
          .containsExactly(
              List.of(Optional.of(Instant.parse("2025-06-12T10:15:30.123456Z")), Optional.empty()));
      List<Object> mail =
          database
              .read(
                  Statement.row(
                      "SELECT user_id, payload, due_at FROM outbox",
                      _ -> {},
                      row ->
                          List.<Object>of(
                              row.optionalNumber("user_id"),
                              row.bytes("payload"),
                              row.millis("due_at"))))
              .orElseThrow();
      assertThat(mail)
          .containsExactly(
              Optional.empty(), new byte[] {0, -1}, Instant.parse("2025-06-12T10:15:30.123Z"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFaultTellsTheStatementButNoValue(Databases engine) {
    String secret = "hunter2-hunter2";
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      database.commit(Counters.add(secret));
      Throwable twice = failure(() -> database.commit(Counters.add(secret)));
      Throwable wrongType =
          failure(() ->
              database.read(
                  Statement.row(
                      "SELECT CAST(? AS integer) + nothing AS n FROM throttles",
                      parameters -> parameters.text(secret),
                      row -> row.text("n"))));
      Throwable several =
          failure(() -> {
            database.commit(Counters.add("b"));
            database.read(
                Statement.row(
                    "SELECT subject FROM throttles", _ -> {}, row -> row.text("subject")));
          });
      assertThat(twice).isInstanceOf(DatabaseFault.class).hasMessageContaining("INTO throttles");
      assertThat(wrongType).isInstanceOf(DatabaseFault.class);
      assertThat(several).isInstanceOf(DatabaseFault.class).hasMessageStartingWith("more than one");
      for (Throwable fault : List.of(twice, wrongType)) {
        for (Throwable cause = fault; cause != null; cause = cause.getCause()) {
          assertThat(cause.toString()).doesNotContain(secret);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void theLogShowsStatementsAndTimesButNoValues(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open();
        LogLines log = new LogLines("org.authservice.database.sql", Level.DEBUG)) {
      database.commit(Counters.increment("hunter2"));
      assertThat(log.lines())
          .singleElement()
          .asString()
          .matches("DEBUG \\d+ us: UPDATE throttles SET failures = failures \\+ 1 .*")
          .doesNotContain("hunter2");
    }
  }

  @ParameterizedTest
  @EnumSource
  void twoHundredRequestsOfSeveralStatementsAllSucceed(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      database.commit(Counters.add("shared"));
      List<Future<Integer>> answers = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        String own = "own-" + i;
        answers.add(
            requests.submit(() -> {
              database.commit(Counters.add(own));
              database.read(Counters.names());
              database.<Optional<Integer>>transaction(tx -> {
                tx.run(Counters.increment(own));
                return tx.run(Counters.increment("shared"));
              });
              return database.commit(Counters.increment(own)).orElseThrow();
            }));
      }
      for (Future<Integer> answer : answers) {
        assertThat(answer.get()).isEqualTo(2);
      }
      assertThat(database.commit(Counters.increment("shared"))).contains(201);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aNamedLockLetsOneTransactionInAtATime(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch holds = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      Future<Integer> first =
          requests.submit(() ->
              database.transaction(tx -> {
                tx.lock("name");
                holds.countDown();
                awaitQuietly(go);
                return tx.run(Counters.add("first"));
              }));
      holds.await();
      Future<List<String>> second =
          requests.submit(() ->
              database.transaction(tx -> {
                tx.lock("name");
                return tx.run(Counters.names());
              }));
      go.countDown();
      assertThat(first.get()).isEqualTo(1);
      assertThat(second.get()).containsExactly("first");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aDatabaseThatAnswersIsReachableUntilItIsClosed(Databases engine) {
    try (TestDatabase test = engine.migrated()) {
      Database database = test.open();
      assertThat(database.reachable()).isTrue();
      database.close();
      assertThat(database.reachable()).isFalse();
      assertThatThrownBy(() -> database.read(Counters.names())).isInstanceOf(Unavailable.class);
      assertThatThrownBy(() -> database.commit(Counters.add("a"))).isInstanceOf(Unavailable.class);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anErrorInTheWorkReachesTheCallerAndTheDatabaseGoesOn(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      assertThatThrownBy(() ->
              database.transaction(tx -> {
                tx.run(Counters.add("a"));
                throw new StackOverflowError();
              }))
          .isInstanceOf(StackOverflowError.class);
      assertThat(database.read(Counters.names())).isEmpty();
      assertThat(database.commit(Counters.add("b"))).isEqualTo(1);
    }
  }

  static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  private static Throwable failure(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException failure) {
      return failure;
    }
    throw new AssertionError("nothing was thrown");
  }
}
