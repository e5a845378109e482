package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

/** What a stranger who guesses, asks and watches can find out or break. */
class AbuseTest extends HttpTest {
  private static final String WRONG = "Wrong-Horse7!";

  @Test
  void sixKindsOfAddressAreAnsweredAlike() {
    List<String> addresses = sixKinds(service);

    alike(addresses, address -> service.login(address, WRONG), 401);
    for (String purpose : List.of("login", "verification", "password_reset")) {
      alike(addresses, address -> service.ask(address, purpose), 200);
      alike(addresses, address -> service.ask(address, purpose), 429);
      alike(addresses, address -> service.verify(address, purpose, "000000"), 401);
    }
    for (int i = 1; i < 10; i++) {
      addresses.forEach(address -> service.login(address, WRONG).expect(401));
    }
    alike(addresses, address -> service.login(address, WRONG), 429);
  }

  @Test
  void sixKindsOfAddressRegisterAlikeWithPrivacy() {
    List<String> addresses = sixKinds(service);
    var settings = TestService.with(service.database()).set("REGISTRATION_PRIVACY", "true");
    try (var site = settings.clock(service.clock()).start()) {
      Function<String, Reply> register =
          address ->
              site.post(
                  "/auth/register", Map.of("email", address, "password", TestService.PASSWORD));
      alike(addresses, register, 202);
      alike(addresses, register, 429);
    }
  }

  @Test
  void resetTokensThatAreUsedOldMadeUpOrOfADisabledAccountAreAnsweredAlike() {
    String used = resetToken("used@example.com");
    reset(used).expect(200);
    String disabled = resetToken("disabled@example.com");
    service.database().execute("UPDATE users SET is_active = false WHERE email LIKE 'dis%';\n");
    String old = resetToken("old@example.com");
    service.clock().advance(Duration.ofMinutes(9));
    alike(List.of(used, disabled, "made-up"), this::reset, 401);

    service.clock().advance(Duration.ofMinutes(1));
    alike(List.of(used, disabled, "made-up", old), this::reset, 401);
  }

  @Test
  void aLockedAddressIsAnsweredLikeALockedOneThatNobodyHas() {
    service.verified(ADA);
    for (String address : List.of(ADA, "nobody@example.com")) {
      for (int i = 0; i < 10; i++) {
        service.login(address, WRONG).expect(401);
      }
    }

    alike(List.of(ADA, "nobody@example.com"), address -> service.login(address, WRONG), 429);
  }

  @Test
  void tenFailuresInAnyQuarterOfAnHourBeginAWaitAndSlowerOnesNever() {
    service.register(ADA);
    fail(9);
    service.clock().advance(Duration.ofMinutes(14));
    fail(1);
    service.login(ADA, TestService.PASSWORD).expect(429, "too_many_failures");

    service.clock().advance(Duration.ofMinutes(17));
    service.login(ADA, TestService.PASSWORD).expect(200);
    for (int i = 0; i < 30; i++) {
      fail(1);
      service.clock().advance(Duration.ofSeconds(101));
    }
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  @Test
  void aHundredWrongPasswordsADayAreTheMost() {
    service.register(ADA);
    int compared = 0;
    for (int minutes = 0; minutes < 23 * 60; minutes += 2) {
      compared += service.login(ADA, WRONG).status() == 401 ? 1 : 0;
      service.clock().advance(Duration.ofMinutes(2));
    }
    assertThat(compared).isLessThanOrEqualTo(100);
  }

  @Test
  void aHundredWrongPasswordsInAnyDayAreTheMostWhereverItBegins() {
    // In the middle of a piece of three hours, so that the first counts for 25 and a half.
    long intoPiece = service.clock().millis() % Duration.ofHours(3).toMillis();
    service.clock().advance(Duration.ofMinutes(270).minusMillis(intoPiece));
    service.register(ADA);
    failSlowly(1);
    service.clock().advance(Duration.ofHours(21));
    failSlowly(99);
    service.login(ADA, TestService.PASSWORD).expect(429, "too_many_failures");

    service.clock().advance(Duration.ofHours(1)); // the first is a day old by now
    assertThat(comparedOf(50)).isEqualTo(1);

    Reply refused = service.login(ADA, WRONG).expect(429, "too_many_failures");
    service.clock().advance(Duration.ofSeconds(refused.json().path("retry_after").asLong()));
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  @Test
  void theOwnerIsMailedAtTheFirstWaitOfADay() {
    service.verified(ADA);
    for (int i = 0; i < 3; i++) {
      fail(10);
      service.clock().advance(Duration.ofHours(1));
    }
    assertThat(warnings()).isEqualTo(1);

    service.clock().advance(Duration.ofHours(24));
    fail(10);
    assertThat(warnings()).isEqualTo(2);
  }

  @Test
  void aGoodCodeClearsTheWaitOfTheAccountAndOfTheDevice() {
    String device = service.verified(ADA).text("device_token");
    fail(10);
    for (int i = 0; i < 10; i++) {
      service.login(ADA, WRONG, "Device-Token", device).expect(401);
    }
    service.login(ADA, TestService.PASSWORD).expect(429);
    service.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(429);

    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");
    service.verify(ADA, "login", service.code(ADA), otpId, "Device-Token", device).expect(200);

    service.login(ADA, TestService.PASSWORD).expect(200);
    service.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(200);
  }

  @Test
  void aStrangersThousandGuessesAndTwentyCodeRequestsLeaveTheOwnerIn() {
    String proxies = "[\"127.0.0.1\"]";
    try (var site = TestService.with(engine).set("TRUSTED_PROXIES", proxies).start()) {
      String device = site.verified(ADA).text("device_token");
      for (int i = 0; i < 1000; i++) {
        assertThat(site.login(ADA, WRONG, "X-Forwarded-For", stranger(i)).status()).isIn(401, 429);
      }
      for (int i = 0; i < 20; i++) {
        site.ask(ADA, "login", "X-Forwarded-For", stranger(i));
        site.clock().advance(Duration.ofMinutes(1));
      }
      fail(site, 10);

      site.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(200);
      String otpId = site.ask(ADA, "login", "Device-Token", device).expect(200).text("otp_id");
      site.verify(ADA, "login", site.code(ADA), otpId, "Device-Token", device).expect(200);
    }
  }

  private String resetToken(String address) {
    service.register(address);
    String otpId = service.ask(address, "password_reset").expect(200).text("otp_id");
    return service
        .verify(address, "password_reset", service.code(address), otpId)
        .expect(200)
        .text("reset_token");
  }

  private Reply reset(String token) {
    return service.post(
        "/auth/reset-password", Map.of("reset_token", token, "new_password", "Another-Horse8!"));
  }

  private void fail(int times) {
    for (int i = 0; i < times; i++) {
      service.login(ADA, WRONG).expect(401, "invalid_credentials");
    }
  }

  /** So slowly that no wait begins. */
  private void failSlowly(int times) {
    assertThat(comparedOf(times)).isEqualTo(times);
  }

  private int comparedOf(int guesses) {
    int compared = 0;
    for (int i = 0; i < guesses; i++) {
      compared += service.login(ADA, WRONG).status() == 401 ? 1 : 0;
      service.clock().advance(Duration.ofSeconds(101));
    }
    return compared;
  }

  private static void fail(TestService site, int times) {
    for (int i = 0; i < times; i++) {
      site.login(ADA, WRONG);
    }
  }

  private static String stranger(int i) {
    return "198.51.%d.%d".formatted(100 + i / 250, i % 250 + 1);
  }

  private long warnings() {
    return service.mails(ADA).stream()
        .filter(mail -> mail.path("subject").asText().startsWith("Your account is locked"))
        .count();
  }

  /** Known, unknown, disabled, Google-only, unverified, and with an unconfirmed password. */
  private static List<String> sixKinds(TestService service) {
    Map<String, String> states = new TreeMap<>();
    states.put("known@example.com", "is_verified = true");
    states.put("disabled@example.com", "is_verified = true, is_active = false");
    states.put("reset@example.com", "is_verified = true, password_confirmed = false");
    states.put(
        "google@example.com", "is_verified = true, hashed_password = NULL, google_id = 'g-1'");
    states.put("unverified@example.com", "is_verified = false");
    states.forEach((address, change) -> {
      service.register(address);
      service
          .database()
          .execute("UPDATE users SET " + change + " WHERE email = '" + address + "';\n");
    });
    service.clock().advance(Duration.ofHours(1));
    List<String> addresses = new ArrayList<>(states.keySet());
    addresses.add("unknown@example.com");
    return addresses;
  }

  private static void alike(List<String> addresses, Function<String, Reply> ask, int status) {
    Map<String, String> seen = new HashMap<>();
    for (String address : addresses) {
      seen.put(address, shape(ask.apply(address).expect(status)));
    }
    assertThat(Set.copyOf(seen.values())).as(seen.toString()).hasSize(1);
  }

  /** All that is seen of an answer, but what is random in every one. */
  private static String shape(Reply reply) {
    var headers = new TreeMap<>(reply.http().headers().map());
    headers.keySet().removeAll(Set.of("x-request-id", "X-Request-ID", "date", "Date"));
    return reply.status()
        + " "
        + headers
        + " "
        + reply.http().body().replaceAll("\"[0-9a-f]{32}\"", "\"id\"");
  }
}
