package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.authservice.secret.Secrets;
import org.authservice.testing.Databases;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class InstallationsTest {
  private static final Instant START = Instant.parse("2026-01-01T12:00:00Z");

  private final AtomicReference<Instant> now = new AtomicReference<>(START);
  private final Clock clock =
      new Clock() {
        @Override
        public ZoneId getZone() {
          return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
          return this;
        }

        @Override
        public Instant instant() {
          return now.get();
        }
      };

  private Installations installations(Database database) {
    return new Installations(database, clock, Secrets.secure());
  }

  @ParameterizedTest
  @EnumSource
  void theFirstStartMakesTheSaltAndItStays(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      Installation first = installations(database).get();
      Installation second = installations(database).get();
      assertThat(first.salt()).hasSize(32).isEqualTo(second.salt());
      assertThat(first.adopted()).isFalse();
      assertThat(first.legacyTokenSeenAt()).isEmpty();
      assertThat(test.column("SELECT created_at FROM installation"))
          .containsExactly(Long.toString(START.toEpochMilli()));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aDatabaseOfThePythonServiceIsKnownAsAdopted(Databases engine) {
    try (TestDatabase test = engine.leftByPython()) {
      new Migrations(test.settings()).migrate();
      try (Database database = test.open()) {
        assertThat(installations(database).get().adopted()).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void nodesThatStartAtOnceAgreeOnTheSalt(Databases engine) throws Exception {
    try (TestDatabase test = engine.migrated();
        Database database = test.open();
        ExecutorService nodes = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch go = new CountDownLatch(1);
      List<Future<byte[]>> salts = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        salts.add(
            nodes.submit(() -> {
              go.await();
              return installations(database).get().salt();
            }));
      }
      go.countDown();
      byte[] salt = salts.getFirst().get();
      for (Future<byte[]> other : salts) {
        assertThat(other.get()).isEqualTo(salt);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aLegacyTokenIsNotedOnceAnHour(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      Installations node = installations(database);
      Installations other = installations(database);
      node.get();
      node.noteLegacyToken(START);
      assertThat(node.get().legacyTokenSeenAt()).contains(START);

      other.noteLegacyToken(START.plus(Duration.ofMinutes(59)));
      node.noteLegacyToken(START.minus(Duration.ofDays(1)));
      assertThat(node.get().legacyTokenSeenAt()).contains(START);

      Instant later = START.plus(Duration.ofMinutes(61));
      node.noteLegacyToken(later);
      assertThat(node.get().legacyTokenSeenAt()).contains(later);
    }
  }
}
