package org.authservice.otp;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.authservice.database.Database;
import org.authservice.testing.Databases;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The number of a day's guesses at any moments, some of them right and given back. */
class GuessesOfADayTest {
  private static final int LIMIT = 5;
  private static final String KEY = "an address";

  private final OtpStore store = new OtpStore();
  private final Random random = new Random(20_261_128);
  private final List<Instant> taken = new ArrayList<>();
  private Instant now = Instant.parse("2026-11-28T07:59:59.999Z");

  @ParameterizedTest
  @EnumSource
  void noDayHasMoreThanTheLimitAndNobodyIsRefusedForWhatIs27HoursOld(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      for (int i = 0; i < 2_000; i++) {
        now = now.plusMillis(random.nextLong(gap().toMillis()));
        guess(database);
      }
    }
    assertThat(taken).hasSizeGreaterThan(500);
  }

  private void guess(Database database) {
    if (database.commit(store.takeGuess(KEY, LIMIT, now)).isEmpty()) {
      assertThat(takenSince(Duration.ofHours(27))).isGreaterThanOrEqualTo(LIMIT);
    } else if (random.nextInt(4) == 0) {
      database.commit(store.giveBackGuess(KEY, now));
    } else {
      taken.add(now);
      assertThat(takenSince(Duration.ofHours(24))).isLessThanOrEqualTo(LIMIT);
    }
  }

  private long takenSince(Duration ago) {
    return taken.stream().filter(one -> one.isAfter(now.minus(ago))).count();
  }

  /** Bursts, hours, and now and then days. */
  private Duration gap() {
    return switch (random.nextInt(10)) {
      case 0 -> Duration.ofDays(4);
      case 1, 2 -> Duration.ofSeconds(1);
      default -> Duration.ofHours(12);
    };
  }
}
