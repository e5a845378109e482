package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.authservice.testing.HttpTest;
import org.authservice.testing.RawConnection;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.authservice.testing.Timings;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Whether the time of an answer tells who is behind an address (rule EN1). In every round each kind
 * of account is asked once, in an order that changes, so that what slows the machine down slows all
 * of them; compared are the differences within rounds.
 */
@Tag("one-node")
class TimingTest extends HttpTest {
  private static final String WRONG = "Wrong-Horse7!";
  private static final List<String> KINDS =
      List.of("known", "unknown", "disabled", "google", "unverified", "locked");
  private static final List<String> BASES = List.of("known", "nobody-locked");

  private static final String NO_ID = "0".repeat(32);

  private final Random order = new Random(1);
  private final Map<String, String> otpIds = new HashMap<>();
  private int newcomers;

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
   * What would not see a difference says nothing: then as many rounds are added, on a machine that
   * is busy with other things up to nine times. What says something counts.
   */
  private void measureAndCompare(int rounds) {
    try (var site = TestService.with(engine).set("REGISTRATION_PRIVACY", "true").start()) {
      prepare(site);
      rounds(site, new Timings(BASES), 0, 8); // until the compiler is done with these paths
      var timings = new Timings(BASES);
      rounds(site, timings, 0, rounds);
      for (int more = 1; more <= 9 && !timings.blind().isEmpty(); more++) {
        System.out.printf("blind for %s%n%s%n", timings.blind(), timings.table());
        rounds(site, timings, more * rounds, (more + 1) * rounds);
      }
      System.out.println(timings.table());
      assertThat(timings.blind()).as("not seen however many rounds").isEmpty();
      assertThat(timings.differences()).as(timings.table()).isEmpty();
    }
  }

  private static void prepare(TestService site) {
    for (String kind : KINDS) {
      if (!kind.equals("unknown")) {
        String email = address(kind);
        Reply pending =
            site.post("/auth/register", Map.of("email", email, "password", TestService.PASSWORD));
        site.verify(email, "verification", site.code(email), pending.text("otp_id")).expect(200);
      }
    }
    site.database()
        .execute(
            """
            UPDATE users SET is_verified = false WHERE email LIKE 'unverified%';
            UPDATE users SET is_active = false WHERE email LIKE 'disabled%';
            UPDATE users SET hashed_password = NULL, google_id = 'g-1' WHERE email LIKE 'google%';
            """);
    for (int i = 0; i < 10; i++) {
      site.login(address("locked"), WRONG).expect(401);
      site.login(address("nobody-locked"), WRONG).expect(401);
    }
  }

  private void rounds(TestService site, Timings timings, int from, int to) {
    try (var connection = new RawConnection(site.port())) {
      for (int i = from; i < to; i++) {
        site.clock().advance(Duration.ofHours(3));
        keepLocked(site);
        round(timings, connection, i);
      }
    }
  }

  private static void keepLocked(TestService site) {
    long now = site.clock().instant().toEpochMilli();
    String sql = "UPDATE throttles SET blocked_until = %d, updated_at = %d WHERE blocks > 0;\n";
    site.database().execute(sql.formatted(now + Duration.ofMinutes(10).toMillis(), now));
  }

  private void round(Timings timings, RawConnection connection, int round) {
    List<String> unlocked = KINDS.stream().filter(kind -> !kind.equals("locked")).toList();
    List<Probe> probes = new ArrayList<>();
    probes.addAll(each(KINDS, kind -> Probe.ask("ask", kind, "login", 200)));
    probes.addAll(each(KINDS, kind -> Probe.ask("ask", kind, "password_reset", 200)));
    probes.addAll(each(KINDS, this::registering));
    probes.addAll(each(KINDS, kind -> Probe.ask("ask again", kind, "login", 429)));
    probes.addAll(each(KINDS, kind -> Probe.verify("verify", kind, "login", "")));
    probes.addAll(each(KINDS, kind -> Probe.verify("verify", kind, "password_reset", "")));
    probes.forEach(probe -> take(timings, connection, probe, round));
    probes.clear();
    probes.addAll(
        each(
            KINDS,
            kind -> Probe.verify("verify by id", kind, "login", otpIds.getOrDefault(kind, NO_ID))));
    probes.addAll(each(unlocked, kind -> Probe.login("login", kind, 401)));
    probes.addAll(
        each(
            List.of("locked", "nobody-locked"),
            kind -> Probe.login("login while locked", kind, 429)));
    probes.forEach(probe -> take(timings, connection, probe, round));
  }

  private List<Probe> each(List<String> kinds, Function<String, Probe> probe) {
    List<String> shuffled = new ArrayList<>(kinds);
    Collections.shuffle(shuffled, order);
    return shuffled.stream().map(probe).toList();
  }

  /** For an unknown address always another, which has no registration that waits either. */
  private Probe registering(String kind) {
    String number = Integer.toString(newcomers++);
    String address = kind.equals("unknown") ? address("new" + number) : address(kind);
    return Probe.registering(kind, address);
  }

  /**
   * A request.
   *
   * @param mails whether a mail may be sent meanwhile
   */
  private record Probe(
      String name, String kind, String path, String body, int status, boolean mails) {
    static Probe login(String name, String kind, int status) {
      return new Probe(name, kind, "/auth/login", credentials(address(kind), WRONG), status, false);
    }

    static Probe ask(String name, String kind, String purpose, int status) {
      return new Probe(
          name + " " + purpose,
          kind,
          "/auth/generate-otp",
          "{\"email\":\"%s\",\"purpose\":\"%s\"}".formatted(address(kind), purpose),
          status,
          true);
    }

    static Probe registering(String kind, String address) {
      return new Probe(
          "register",
          kind,
          "/auth/register",
          credentials(address, TestService.PASSWORD),
          202,
          true);
    }

    static Probe verify(String name, String kind, String purpose, String otpId) {
      String id = otpId.isEmpty() ? "" : ",\"otp_id\":\"" + otpId + "\"";
      return new Probe(
          name + " " + purpose,
          kind,
          "/auth/verify-otp",
          "{\"email\":\"%s\",\"purpose\":\"%s\",\"otp_code\":\"000000\"%s}"
              .formatted(address(kind), purpose, id),
          401,
          false);
    }

    private static String credentials(String address, String password) {
      return "{\"email\":\"%s\",\"password\":\"%s\"}".formatted(address, password);
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

  private void take(Timings timings, RawConnection connection, Probe probe, int round) {
    String request = probe.http();
    String answer =
        probe.mails()
            ? timings.onTheWall(
                probe.name(), probe.kind(), round, () -> connection.send(request).readAnswer())
            : timings.onTheWallAndComputed(
                probe.name(), probe.kind(), round, () -> connection.send(request).readAnswer());
    assertThat(answer).startsWith("HTTP/1.1 " + probe.status());
    if (probe.name().equals("ask login")) {
      otpIds.put(probe.kind(), answer.replaceAll("(?s).*\"otp_id\":\"([0-9a-f]+)\".*", "$1"));
    }
  }
}
