package org.authservice.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.database.Database;
import org.authservice.database.Statement;
import org.authservice.http.Client;
import org.authservice.secret.Secrets;
import org.authservice.session.Numbers.Decision;
import org.authservice.session.Numbers.Kind;
import org.authservice.session.SessionStore.Found;
import org.authservice.testing.Databases;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The statement that rotates in passing, against the rule in {@link Numbers}: it changes exactly
 * the rows of which the rule says {@code ROTATED}, to the same numbers, and reads all others as
 * they are.
 */
class RotationStatementTest {
  private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
  private static final Duration GRACE = Duration.ofSeconds(60);
  private static final Instant LATER = NOW.plus(Duration.ofDays(7));
  private static final Client CLIENT = new Client("192.0.2.9", "new agent", Optional.empty(), "id");

  private final SessionStore store = new SessionStore();

  /** A row, and what is presented to it. */
  private record Case(Session session, boolean active, int presented) {
    /** What the rule makes of it, if that is the plainest change; empty otherwise. */
    Optional<Numbers> rotated() {
      return active
              && session.lives(NOW)
              && session.numbers().present(presented, NOW, GRACE)
                  instanceof Decision.Change(var next, Kind kind)
              && kind == Kind.ROTATED
          ? Optional.of(next)
          : Optional.empty();
    }
  }

  /** Alone it runs where the gathered statement was refused. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void itDecidesAsTheRuleDoes(boolean gathered) throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open()) {
      List<Case> cases = cases();
      fill(test, cases);
      Map<Case, Found> read = present(database, cases, gathered);
      assertThat(read).hasSameSizeAs(cases);
      Accounts accounts = new Accounts(database, Clock.systemUTC(), Secrets.secure());
      int rotations = 0;
      for (Case each : cases) {
        Optional<Numbers> next = each.rotated();
        Session expected =
            next.map(it -> each.session().with(it, idleEnd(each), CLIENT)).orElse(each.session());
        assertThat(database.read(store.find(each.session().id()))).contains(expected);
        Account account = accounts.byId(expected.userId()).orElseThrow();
        Found found =
            next.isEmpty()
                ? new Found.Owned(expected, account)
                : new Found.Rotated(
                    expected.claims(),
                    expected.absoluteExpiresAt(),
                    expected.deviceId(),
                    account.profile());
        assertThat(read.get(each)).as("%s", each).isEqualTo(found);
        rotations += next.isPresent() ? 1 : 0;
      }
      assertThat(rotations).isBetween(1, cases.size() - 1);
    }
  }

  /** A flood of one session's token waits for no turns: it runs as one, and one of it rotates. */
  @Test
  void ofManyForOneSessionOneRotatesItAndTheOthersReadIt() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open()) {
      Session session =
          session(0, Numbers.first(), 1, Duration.ofDays(30).toMillis(), Optional.empty());
      fill(test, List.of(new Case(session, true, 1)));
      List<Future<Optional<Found>>> answers = new ArrayList<>();
      try (ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 200; i++) {
          var client = new Client("192.0.2.9", "agent", Optional.empty(), "request-" + i);
          var rotation = store.rotate(session.id(), 1, NOW, GRACE, LATER, client);
          answers.add(requests.submit(() -> database.commit(rotation)));
        }
      }
      int rotated = 0;
      for (var answer : answers) {
        rotated += answer.get().orElseThrow() instanceof Found.Rotated ? 1 : 0;
      }
      assertThat(rotated).isEqualTo(1);
      assertThat(database.read(store.find(session.id())).orElseThrow().numbers().current())
          .isEqualTo(2);
    }
  }

  @Test
  void anUnknownSessionIsNotFound() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.migrated();
        Database database = test.open()) {
      assertThat(database.commit(store.rotate("nobody", 1, NOW, GRACE, LATER, CLIENT))).isEmpty();
    }
  }

  /** All at once, so that many are gathered, if they may be. */
  private Map<Case, Found> present(Database database, List<Case> cases, boolean gathered)
      throws Exception {
    Map<Case, Future<Optional<Found>>> answers = new HashMap<>();
    try (ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Case each : cases) {
        var rotation =
            store.rotate(each.session().id(), each.presented(), NOW, GRACE, LATER, CLIENT);
        answers.put(
            each, requests.submit(() -> database.commit(gathered ? rotation : alone(rotation))));
      }
    }
    Map<Case, Found> read = new HashMap<>();
    for (var answer : answers.entrySet()) {
      read.put(answer.getKey(), answer.getValue().get().orElseThrow());
    }
    return read;
  }

  private static <T> Statement<T> alone(Statement<T> statement) {
    return new Statement<>(
        statement.sql(), statement.binder(), statement.reader(), Optional.empty());
  }

  private static Instant idleEnd(Case each) {
    Instant end = each.session().absoluteExpiresAt();
    return end.isBefore(LATER) ? end : LATER;
  }

  private static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (int presented = 0; presented <= 5; presented++) {
      for (int previous = 0; previous <= 3; previous++) {
        for (long changed : new long[] {-61_000, -60_000, -59_999, 0, 500}) {
          Numbers numbers =
              new Numbers(4, previous, Math.max(0, previous - 1), NOW.plusMillis(changed), NOW);
          cases.add(
              new Case(session(cases.size(), numbers, 1, 1, Optional.empty()), true, presented));
        }
      }
    }
    for (long idle : new long[] {-1, 0, 1}) {
      for (long absolute : new long[] {-1, 0, 1, Duration.ofDays(30).toMillis()}) {
        for (boolean active : new boolean[] {true, false}) {
          for (Optional<Instant> ended : List.of(Optional.<Instant>empty(), Optional.of(NOW))) {
            cases.add(
                new Case(session(cases.size(), Numbers.first(), idle, absolute, ended), active, 1));
          }
        }
      }
    }
    return cases;
  }

  private static Session session(
      int index, Numbers numbers, long idleMillis, long absoluteMillis, Optional<Instant> ended) {
    return new Session(
        "session-" + index,
        1000 + index,
        numbers,
        NOW.plusMillis(idleMillis),
        NOW.plusMillis(absoluteMillis),
        NOW.minus(Duration.ofDays(1)),
        NOW.minus(Duration.ofDays(1)),
        ended,
        Optional.of("device-" + index),
        "192.0.2.1",
        "old agent");
  }

  private void fill(TestDatabase test, List<Case> cases) throws Exception {
    try (Database database = test.open()) {
      for (Case each : cases) {
        Session session = each.session();
        test.execute(
            "INSERT INTO users (id, email, is_active, is_verified) VALUES (%d, '%s@example.com', %s, true)"
                .formatted(session.userId(), session.id(), each.active()));
        database.<Integer>transaction(tx -> tx.run(store.insert(session)));
        if (session.endedAt().isPresent()) {
          database.commit(store.end(session.userId(), session.id(), session.endedAt().get()));
        }
      }
    }
  }
}
