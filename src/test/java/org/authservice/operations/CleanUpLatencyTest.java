package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Requests do not feel the clean-up: refreshes with and without it, in turns. */
@Tag("soak")
class CleanUpLatencyTest {
  private static final int TURNS = Boolean.getBoolean("soak.short") ? 2 : 6;
  private static final int REFRESHES = 150;
  private static final int ROWS = 100_000;
  private static final double MOST = 1.5;
  private static final int TRIES = 3;

  @ParameterizedTest
  @EnumSource
  void theMedianRefreshTakesAsLongBesideACleanUp(Databases engine) throws Exception {
    try (TestService service =
        TestService.with(engine).set("REFRESH_REUSE_GRACE_SECONDS", "0").realTime().start()) {
      Reply tokens = service.verified("ada@example.com");
      List<Double> ratios = new ArrayList<>();
      do {
        List<Long> alone = new ArrayList<>();
        List<Long> beside = new ArrayList<>();
        for (int turn = 0; turn < TURNS; turn++) {
          tokens = refresh(service, tokens, alone);
          tokens = refreshBesideCleanUp(service, tokens, beside);
        }
        ratios.add((double) middle(beside) / middle(alone));
      } while (ratios.getLast() > MOST && ratios.size() < TRIES);
      System.out.printf("%s: refresh beside a clean-up / alone: %s%n", engine, ratios);
      assertThat(ratios.getLast()).as("in the last of %s", ratios).isLessThanOrEqualTo(MOST);
    }
  }

  private static Reply refreshBesideCleanUp(TestService service, Reply tokens, List<Long> nanos)
      throws ExecutionException, InterruptedException {
    service.database().execute(expired());
    long before = expiredRows(service);
    var goOn = new AtomicBoolean(true);
    Reply last;
    try (var cleaner = Executors.newSingleThreadExecutor()) {
      Future<?> cleaning =
          cleaner.submit(() -> {
            while (goOn.get()) {
              service.service().worker("clean-up").runOnce();
            }
          });
      last = refresh(service, tokens, nanos);
      assertThat(expiredRows(service)).isLessThan(before).isPositive(); // it was at work throughout
      goOn.set(false);
      cleaning.get();
    }
    return last;
  }

  private static Reply refresh(TestService service, Reply tokens, List<Long> nanos) {
    Reply last = tokens;
    for (int i = 0; i < REFRESHES; i++) {
      long start = System.nanoTime();
      last = service.refresh(last.text("refresh_token"));
      nanos.add(System.nanoTime() - start);
      last.expect(200);
    }
    return last;
  }

  private static long expiredRows(TestService service) {
    String sql = "SELECT count(*) FROM security_events WHERE id LIKE 'dead%'";
    return Long.parseLong(service.database().column(sql).getFirst());
  }

  /** Events of two years ago. */
  private static String expired() {
    return """
    WITH RECURSIVE numbers (i) AS
      (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ROWS)
    INSERT INTO security_events (id, at, type, outcome, address, user_agent, request_id)
      SELECT 'deadSTAMP-' || i, LONG_AGO, 'login', 'ok', '', '', '' FROM numbers
    """
        .replace("ROWS", Integer.toString(ROWS))
        .replace("STAMP", Long.toString(System.nanoTime()))
        .replace("LONG_AGO", Long.toString(System.currentTimeMillis() - 2 * 365 * 86_400_000L));
  }

  private static long middle(List<Long> nanos) {
    Collections.sort(nanos);
    return nanos.get(nanos.size() / 2);
  }
}
