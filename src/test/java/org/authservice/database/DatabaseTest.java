package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.authservice.testing.Databases;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DatabaseTest {
  private static Statement<Integer> add(String id) {
    return Statement.count(
        "INSERT INTO throttles (subject, failures, window_started_at, blocked_until, blocks,"
            + " day_failures, day_started_at, in_flight, in_flight_until, updated_at)"
            + " VALUES (?, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
        parameters -> parameters.text(id));
  }

  private static Statement<List<String>> all() {
    return Statement.rows(
        "SELECT subject FROM throttles ORDER BY subject", _ -> {}, row -> row.text("subject"));
  }

  private static Statement<Optional<Integer>> count(String id) {
    return Statement.row(
        "UPDATE throttles SET failures = failures + 1 WHERE subject = ? RETURNING failures",
        parameters -> parameters.text(id),
        row -> row.integer("failures"));
  }

  @ParameterizedTest
  @EnumSource
  void whatIsCommittedIsRead(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      assertThat(database.commit(add("a"))).isEqualTo(1);
      assertThat(database.commit(count("a"))).contains(1);
      assertThat(database.commit(count("a"))).contains(2);
      assertThat(database.commit(count("b"))).isEmpty();
      assertThat(database.read(all())).containsExactly("a");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTransactionCommitsOnEveryValueAndRollsBackOnAnException(Databases engine) {
    List<String> told = new ArrayList<>();
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      assertThat(
              database.<Boolean>transaction(tx -> {
                tx.lock("something");
                tx.run(add("a"));
                tx.afterCommit(() -> told.add("a"));
                return false;
              }))
          .isFalse();
      assertThatThrownBy(() ->
              database.transaction(tx -> {
                tx.run(add("b"));
                tx.afterCommit(() -> told.add("b"));
                throw new IllegalStateException("no");
              }))
          .hasMessage("no");
      assertThat(database.read(all())).containsExactly("a");
      assertThat(told).containsExactly("a");
    }
  }
}
