package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.authservice.testing.HttpTest;
import org.authservice.testing.RawConnection;
import org.authservice.testing.Samples;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Whether the time of an answer tells who is behind an address (rule EN1). In every round each kind
 * of account is asked once, in an order that changes, so that what slows the machine down slows all
 * of them; compared are the differences within rounds. Beside the time on the wall the time that
 * this process computed is compared, which other processes do not stretch.
 */
@Tag("one-node")
class TimingTest extends HttpTest {
  private static final double TOLERATED = 0.05;
  private static final double PLANTED = 0.25;
  private static final String WRONG = "Wrong-Horse7!";
  private static final List<String> KINDS =
      List.of("known", "unknown", "disabled", "google", "unverified", "locked");

  /** What the others are compared with: the first of these that a request has. */
  private static final List<String> BASES = List.of("known", "nobody-locked");

  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private final Map<String, Map<String, double[]>> wall = new HashMap<>();
  private final Map<String, Map<String, double[]>> computed = new HashMap<>();
  private final Map<String, String> otpIds = new HashMap<>();

  @Test
  void sixKindsOfAccountTakeTheSameTime() {
    measureAndCompare(60);
  }

  @Test
  @Tag("soak")
  void sixKindsOfAccountTakeTheSameTimeManyTimes() {
    measureAndCompare(Boolean.getBoolean("soak.short") ? 60 : 300);
  }

  /**
   * A run in which a difference of {@value #PLANTED}, put in afterwards, would not be seen says
   * nothing: it is repeated as a whole, at most twice. A run that says something counts. Where mail
   * is sent, the computing time is that of the sender too, and only the wall tells; what it does
   * not see on a noisy machine is not held against it.
   */
  private void measureAndCompare(int rounds) {
    prepare();
    rounds(8); // until the compiler is done with these paths
    List<String> blind = List.of();
    for (int run = 1; run == 1 || (run <= 3 && !blind.isEmpty()); run++) {
      wall.clear();
      computed.clear();
      rounds(rounds);
      System.out.printf("run %d, blind for %s%n%s%n", run, blind(), table(wall) + table(computed));
      blind = blind().stream().filter(computed::containsKey).toList();
    }
    assertThat(blind).as("seen in none of three runs").isEmpty();
    assertThat(differences()).as("%s%n%s", table(wall), table(computed)).isEmpty();
  }

  private void prepare() {
    for (String kind : KINDS) {
      if (!kind.equals("unknown")) {
        service.register(address(kind));
      }
    }
    service
        .database()
        .execute(
            """
            UPDATE users SET is_verified = true WHERE email NOT LIKE 'unverified%';
            UPDATE users SET is_active = false WHERE email LIKE 'disabled%';
            UPDATE users SET hashed_password = NULL, google_id = 'g-1' WHERE email LIKE 'google%';
            """);
    for (int i = 0; i < 10; i++) {
      service.login(address("locked"), WRONG).expect(401);
      service.login(address("nobody-locked"), WRONG).expect(401);
    }
  }

  private void rounds(int count) {
    var order = new Random(1);
    try (var connection = new RawConnection(service.port())) {
      for (int i = 0; i < count; i++) {
        service.clock().advance(Duration.ofHours(3));
        keepLocked();
        round(connection, order, i, count);
      }
    }
  }

  private void keepLocked() {
    long now = service.clock().instant().toEpochMilli();
    String sql = "UPDATE throttles SET blocked_until = %d, updated_at = %d WHERE blocks > 0;\n";
    service.database().execute(sql.formatted(now + Duration.ofMinutes(10).toMillis(), now));
  }

  private void round(RawConnection connection, Random order, int round, int rounds) {
    List<String> kinds = new ArrayList<>(KINDS);
    List<Probe> probes = new ArrayList<>();
    for (String purpose : List.of("login", "password_reset")) {
      Collections.shuffle(kinds, order);
      kinds.forEach(kind -> probes.add(Probe.ask(kind, purpose)));
    }
    Collections.shuffle(kinds, order);
    kinds.forEach(kind -> probes.add(Probe.verify(kind, "")));
    for (Probe probe : probes) {
      take(connection, probe, round, rounds);
    }
    Collections.shuffle(kinds, order);
    for (String kind : kinds) {
      take(
          connection, Probe.verify(kind, otpIds.getOrDefault(kind, "0".repeat(32))), round, rounds);
    }
    Collections.shuffle(kinds, order);
    for (String kind : kinds) {
      if (!kind.equals("locked")) {
        take(connection, Probe.login("login", kind, 401), round, rounds);
      }
    }
    List<String> locked = new ArrayList<>(List.of("locked", "nobody-locked"));
    Collections.shuffle(locked, order);
    locked.forEach(
        kind -> take(connection, Probe.login("login while locked", kind, 429), round, rounds));
  }

  /** A request. */
  private record Probe(String name, String kind, String path, String body, int status) {
    static Probe login(String name, String kind, int status) {
      return new Probe(
          name,
          kind,
          "/auth/login",
          "{\"email\":\"%s\",\"password\":\"%s\"}".formatted(address(kind), WRONG),
          status);
    }

    static Probe ask(String kind, String purpose) {
      return new Probe(
          "ask " + purpose,
          kind,
          "/auth/generate-otp",
          "{\"email\":\"%s\",\"purpose\":\"%s\"}".formatted(address(kind), purpose),
          200);
    }

    static Probe verify(String kind, String otpId) {
      String id = otpId.isEmpty() ? "" : ",\"otp_id\":\"" + otpId + "\"";
      return new Probe(
          otpId.isEmpty() ? "verify" : "verify by id",
          kind,
          "/auth/verify-otp",
          "{\"email\":\"%s\",\"otp_code\":\"000000\"%s}".formatted(address(kind), id),
          401);
    }

    String http() {
      return ("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              + "Content-Length: %d\r\n\r\n%s")
          .formatted(path, body.getBytes(StandardCharsets.UTF_8).length, body);
    }
  }

  /** All of one length. */
  private static String address(String kind) {
    return kind + "x".repeat(16 - kind.length()) + "@example.com";
  }

  private void take(RawConnection connection, Probe probe, int round, int rounds) {
    String request = probe.http();
    long computedBefore = computedNanos();
    long before = System.nanoTime();
    String answer = connection.send(request).readAnswer();
    long after = System.nanoTime();
    long computedAfter = computedNanos();
    assertThat(answer).startsWith("HTTP/1.1 " + probe.status());
    if (probe.name().equals("ask login")) {
      otpIds.put(probe.kind(), answer.replaceAll("(?s).*\"otp_id\":\"([0-9a-f]+)\".*", "$1"));
    }
    put(wall, probe, round, rounds, after - before);
    if (!probe.name().startsWith("ask")) {
      put(computed, probe, round, rounds, computedAfter - computedBefore);
    }
  }

  private static void put(
      Map<String, Map<String, double[]>> times, Probe probe, int round, int rounds, double value) {
    times.computeIfAbsent(probe.name(), _ -> new HashMap<>())
            .computeIfAbsent(probe.kind(), _ -> new double[rounds])[round] =
        value;
  }

  private long computedNanos() {
    return Arrays.stream(threads.getAllThreadIds())
        .map(threads::getThreadCpuTime)
        .filter(it -> it > 0)
        .sum();
  }

  /** Where a planted difference would be found neither on the wall nor in the computing time. */
  private List<String> blind() {
    return wall.keySet().stream()
        .filter(probe -> !sees(wall, probe) && !sees(computed, probe))
        .sorted()
        .toList();
  }

  private static boolean sees(Map<String, Map<String, double[]>> times, String probe) {
    Map<String, double[]> kinds = times.getOrDefault(probe, Map.of());
    if (kinds.isEmpty()) {
      return false;
    }
    Samples base = base(kinds);
    return kinds.keySet().stream()
        .filter(kind -> !BASES.contains(kind))
        .map(kind -> samples(kinds, kind).longer(PLANTED))
        .allMatch(it -> it.medianDiffers(base, TOLERATED));
  }

  private List<String> differences() {
    List<String> differences = new ArrayList<>();
    for (var times : List.of(wall, computed)) {
      times.forEach((probe, kinds) -> {
        Samples base = base(kinds);
        kinds.forEach((kind, values) -> {
          var samples = new Samples(values);
          if (samples.medianDiffers(base, TOLERATED)
              || samples.quantileDiffers(base, 0.25, TOLERATED)
              || samples.quantileDiffers(base, 0.75, TOLERATED)) {
            differences.add(probe + " " + kind + " " + samples.against(base));
          }
        });
      });
    }
    return differences;
  }

  private static Samples base(Map<String, double[]> kinds) {
    return samples(kinds, BASES.stream().filter(kinds::containsKey).findFirst().orElseThrow());
  }

  private static Samples samples(Map<String, double[]> kinds, String kind) {
    return new Samples(kinds.getOrDefault(kind, new double[0]));
  }

  private static String table(Map<String, Map<String, double[]>> times) {
    var table = new StringBuilder();
    times.forEach((probe, kinds) -> {
      table.append(probe).append(':');
      kinds.forEach((kind, values) ->
          table
              .append("  ")
              .append(kind)
              .append(' ')
              .append(new Samples(values).against(base(kinds))));
      table.append('\n');
    });
    return table.toString();
  }
}
