package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.authservice.testing.CleaningMain;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes clean up while clients go on, and one is killed in the middle. */
class CleanUpKillTest {
  private static final int LIVING = 500;
  private static final String ADA = "ada@example.com";

  @TempDir Path folder;

  @Test
  void whenOneOfTwoNodesIsKilledTheOtherCleansUpTheRest() throws Exception {
    killWhileCleaning(20_000);
  }

  @Test
  @Tag("soak")
  void whenOneOfTwoNodesIsKilledTheOtherCleansUpTheRestOfAMillion() throws Exception {
    killWhileCleaning(Boolean.getBoolean("soak.short") ? 100_000 : 1_000_000);
  }

  private void killWhileCleaning(int count) throws Exception {
    try (TestDatabase database = Databases.POSTGRES.migrated()) {
      Map<String, String> settings =
          Map.of(
              "DATABASE_URL", database.url(),
              "SECRET_KEY", "a-key-for-tests-0123456789abcdefghijkl",
              "PORT", "0",
              "MANAGEMENT_PORT", "0",
              "RATE_LIMIT_PER_MINUTE", "0");
      List<Integer> statuses = Collections.synchronizedList(new ArrayList<>());
      // The first takes the lease, renews it with each run, and so is the one that cleans up.
      try (ServiceProcess victim = ServiceProcess.serve(CleaningMain.class, settings, folder);
          ServiceProcess survivor = ServiceProcess.serve(CleaningMain.class, settings, folder);
          var client = Executors.newVirtualThreadPerTaskExecutor()) {
        Reply first = signedIn(survivor);
        var cleaning = new AtomicBoolean(true);
        Future<?> load =
            client.submit(() -> {
              Reply tokens = first;
              while (cleaning.get()) {
                String body = "{\"refresh_token\":\"" + tokens.text("refresh_token") + "\"}";
                tokens = new Reply(survivor.exchange("/auth/refresh", body).orElseThrow());
                statuses.add(tokens.status());
              }
            });
        try {
          String holder = holder(database);
          fill(database, count);
          awaitExpired(database, count - 1);
          victim.kill();
          assertThat(holder(database)).isEqualTo(holder); // at once: its lease ends in ten seconds
          assertThat(expired(database)).as("killed mid-run").isPositive();
          awaitExpired(database, 0);
          assertThat(holder(database)).isNotEqualTo(holder);
        } finally {
          cleaning.set(false);
        }
        load.get();
      }
      assertThat(statuses).isNotEmpty().containsOnly(200);
      for (String table : List.of("invalidated_tokens", "sessions", "codes", "security_events")) {
        assertThat(database.column("SELECT count(*) FROM " + table + " WHERE " + living(table)))
            .as(table)
            .containsExactly(Integer.toString(LIVING));
      }
      assertThat(database.column("SELECT count(*) FROM sessions WHERE id LIKE 'dead%'"))
          .containsExactly("0");
    }
  }

  /** Four fifths of the dead are revocations; a day and a minute dead, or alive for a minute. */
  private static void fill(TestDatabase database, int count) {
    database.execute(
        """
        INSERT INTO users (id, email, is_active, is_verified) VALUES (7, 'x@example.com', true, true);
        INSERT INTO invalidated_tokens (jti, user_id, expires_at)
          SELECT 'dead' || i, 7, now() AT TIME ZONE 'UTC' - interval '1 day 1 minute'
          FROM generate_series(1, COUNT * 8 / 10) i;
        INSERT INTO invalidated_tokens (jti, user_id, expires_at)
          SELECT 'living' || i, 7, now() AT TIME ZONE 'UTC' - interval '23 hours'
          FROM generate_series(1, LIVING) i;
        INSERT INTO sessions (id, user_id, current_number, previous_number, oldest_number,
            changed_at, previous_seen_at, idle_expires_at, absolute_expires_at, created_at,
            proven_at, address, user_agent)
          SELECT kind || i, 7, 1, 0, 0, 0, 0, at, at, 0, 0, '', ''
          FROM (VALUES ('dead', COUNT / 10, NOW - 90000000), ('living', LIVING, NOW - 80000000))
              rows (kind, most, at),
            LATERAL generate_series(1, most) i;
        INSERT INTO codes (id, address_key, budget_key, client_key, purpose, code_hash, created_at,
            expires_at)
          SELECT kind || i, 'a' || i, 'b' || i, 'c', 'login', 'h', at, at
          FROM (VALUES ('dead', COUNT / 10, NOW - 180000000), ('living', LIVING, NOW - 80000000))
              rows (kind, most, at),
            LATERAL generate_series(1, most) i;
        INSERT INTO security_events (id, at, type, outcome, address, user_agent, request_id)
          SELECT kind || i, at, 'login', 'ok', '', '', ''
          FROM (VALUES ('dead', 100, NOW - 367 * 86400000::bigint), ('living', LIVING, NOW - 86400000))
              rows (kind, most, at),
            LATERAL generate_series(1, most) i;
        """
            .replace("COUNT", Integer.toString(count))
            .replace("LIVING", Integer.toString(LIVING))
            .replace("NOW", System.currentTimeMillis() + "::bigint"));
  }

  private static String living(String table) {
    return (table.equals("invalidated_tokens") ? "jti" : "id") + " LIKE 'living%'";
  }

  private static Reply signedIn(ServiceProcess node) {
    String body = "{\"email\":\"%s\",\"password\":\"%s\"}".formatted(ADA, TestService.PASSWORD);
    assertThat(node.post("/auth/register", body)).isEqualTo(201);
    return new Reply(node.exchange("/auth/login", body).orElseThrow()).expect(200);
  }

  private static String holder(TestDatabase database) {
    return database.column("SELECT holder FROM leases WHERE name = 'clean-up'").getFirst();
  }

  private static void awaitExpired(TestDatabase database, int most) {
    long deadline = System.nanoTime() + Duration.ofMinutes(15).toNanos();
    while (expired(database) > most) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
    }
  }

  private static int expired(TestDatabase database) {
    return List.of("invalidated_tokens", "sessions", "codes", "security_events").stream()
        .map(table ->
            "SELECT count(*) FROM " + table + " WHERE " + living(table).replace("living", "dead"))
        .mapToInt(sql -> Integer.parseInt(String.valueOf(database.column(sql).getFirst())))
        .sum();
  }
}
