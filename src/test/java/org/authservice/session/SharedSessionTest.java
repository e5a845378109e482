package org.authservice.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A thief who always comes inside the owner's graces. */
class SharedSessionTest {
  private static final String ADA = "ada@example.com";
  private static final String OWNER = "198.51.100.7";

  @ParameterizedTest
  @EnumSource(Databases.class)
  void answersToAnotherNetworkAndAnotherProgramAreNotedAndTheThirdIsMailed(Databases engine) {
    try (var service = behindAProxy(engine)) {
      String token = opened(service);
      for (int i = 1; i <= 4; i++) {
        from(service, token, "203.0.113.9", "curl/8").expect(200);

        assertThat(events(service)).containsExactly(Integer.toString(i));
        assertThat(warnings(service)).hasSize(i < 3 ? 0 : 1);
        service.clock().advance(Duration.ofSeconds(1));
      }
      service.refresh(token).expect(200);
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void anAnswerLostOnTheWayToAnotherNetworkIsNotedToo(Databases engine) {
    try (var service = behindAProxy(engine)) {
      String first = service.verified(ADA).text("refresh_token");
      String second = from(service, first, OWNER, "Firefox").expect(200).text("refresh_token");

      Reply again = from(service, first, "2001:db8:1::7", "curl/8").expect(200);

      assertThat(again.text("refresh_token")).isEqualTo(second);
      assertThat(events(service)).containsExactly("1");
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void anotherProgramOrAnotherNetworkAloneIsOrdinary(Databases engine) {
    try (var service = behindAProxy(engine)) {
      String token = opened(service);

      from(service, token, "198.51.100.250", "curl/8").expect(200);
      from(service, token, "203.0.113.9", "Firefox").expect(200);

      assertThat(events(service)).containsExactly("0");
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void whoeverMakesTheNextChangeIsWhomTheNextAnswersAreComparedWith(Databases engine) {
    try (var service = behindAProxy(engine)) {
      String token = opened(service);
      service.clock().advance(Duration.ofSeconds(31));
      String next = from(service, token, "203.0.113.9", "curl/8").expect(200).text("refresh_token");

      from(service, next, "203.0.113.9", "curl/8").expect(200);
      assertThat(events(service)).containsExactly("0");
      from(service, next, OWNER, "Firefox").expect(200);

      assertThat(events(service)).containsExactly("1");
    }
  }

  private static TestService behindAProxy(Databases engine) {
    return TestService.with(engine).set("TRUSTED_PROXIES", "[\"127.0.0.0/8\", \"::1\"]").start();
  }

  /** The current token of a session that its owner has just refreshed. */
  private static String opened(TestService service) {
    String first = service.verified(ADA).text("refresh_token");
    return from(service, first, OWNER, "Firefox").expect(200).text("refresh_token");
  }

  private static Reply from(TestService service, String token, String address, String program) {
    return service.post(
        "/auth/refresh",
        Map.of("refresh_token", token),
        "X-Forwarded-For",
        address,
        "User-Agent",
        program);
  }

  private static List<String> events(TestService service) {
    return service
        .database()
        .column("SELECT count(*) FROM security_events WHERE type = 'session_shared'")
        .stream()
        .map(String::valueOf)
        .toList();
  }

  private static List<String> warnings(TestService service) {
    return service.mails(ADA).stream()
        .map(mail -> mail.path("subject").asText())
        .filter(subject -> subject.contains("two places"))
        .toList();
  }
}
