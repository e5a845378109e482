package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.authservice.secret.Secret;
import org.authservice.settings.DatabaseSettings;
import org.authservice.testing.Databases;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is left when the process is killed (kill -9). */
class KillTest {
  private static final String COMMITTED = "committed ";
  private static final int ACKNOWLEDGED = 200;

  @ParameterizedTest
  @EnumSource
  void whatWasAcknowledgedIsThereAfterAKill(Databases engine) throws Exception {
    try (TestDatabase test = engine.empty()) {
      Process process = start(test, "write");
      int last = 0;
      try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
        while (last < ACKNOWLEDGED) {
          String line = lines.readLine();
          if (line.startsWith(COMMITTED)) { // the others are the log
            last = Integer.parseInt(line.substring(COMMITTED.length()));
          }
        }
        process.destroyForcibly();
      }
      process.waitFor();
      try (Database database = test.open()) {
        assertThat(database.read(Counters.names())).hasSizeGreaterThanOrEqualTo(last);
        assertThat(database.commit(Counters.add("after"))).isEqualTo(1);
      }
      if (engine == Databases.SQLITE) {
        assertThat(test.column("PRAGMA integrity_check")).containsExactly("ok");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  @Tag("soak")
  void aKillWhileMigratingIsMendedByTheNextStart(Databases engine) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < 20; round++) {
      try (TestDatabase test = engine.leftByPython()) {
        Process process = start(test, "migrate");
        boolean done = process.waitFor(200 + random.nextInt(1_000), TimeUnit.MILLISECONDS);
        process.destroyForcibly().waitFor();
        int count = new Migrations(test.settings()).migrate();
        assertThat(count)
            .as("seed %d, ended by itself: %s", seed, done)
            .isBetween(0, MigrationsTest.ALL.size() - 1);
        assertThat(test.column("SELECT version FROM flyway_schema_history ORDER BY installed_rank"))
            .as("seed %d", seed)
            .containsExactlyElementsOf(MigrationsTest.ALL);
        assertThat(test.column("SELECT count(*) FROM users")).containsExactly("4");
      }
    }
  }

  private static Process start(TestDatabase test, String what) throws IOException {
    String place =
        switch (test.settings().location()) {
          case DatabaseSettings.Sqlite sqlite -> sqlite.file().toString();
          case DatabaseSettings.Postgres postgres -> postgres.port() + "/" + postgres.database();
        };
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Child.class.getName(),
            what,
            place)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** The process that is killed: migrates, then writes and tells the number of each commit. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) {
      DatabaseSettings settings = new DatabaseSettings(location(arguments[1]), 2, true);
      new Migrations(settings).migrate();
      if (arguments[0].equals("migrate")) {
        return;
      }
      try (Database database = Database.open(settings, new SimpleMeterRegistry())) {
        for (int i = 1; i < 1_000_000; i++) {
          String first = "first " + i;
          String second = "second " + i;
          database.<Integer>transaction(
              tx -> tx.run(Counters.add(first)) + tx.run(Counters.add(second)));
          System.out.println(COMMITTED + 2 * i);
        }
      }
    }

    private static DatabaseSettings.Location location(String place) {
      if (place.startsWith("/")) {
        return new DatabaseSettings.Sqlite(Path.of(place), false);
      }
      String[] parts = place.split("/", -1);
      return new DatabaseSettings.Postgres(
          "localhost",
          Integer.parseInt(parts[0]),
          parts[1],
          "postgres",
          Secret.of("postgres"),
          Map.of());
    }
  }
}
