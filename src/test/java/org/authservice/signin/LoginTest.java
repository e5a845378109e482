package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class LoginTest extends HttpTest {

  @Test
  void theRightPasswordSignsIn() {
    service.register(ADA);

    Reply reply = service.login("ADA@Example.com", TestService.PASSWORD).expect(200);

    assertThat(reply.text("token_type")).isEqualTo("bearer");
    service.profile(reply.text("access_token")).expect(200);
  }

  @Test
  void aWrongPasswordAndAnUnknownAddressAreAnsweredAlike() {
    service.register(ADA);

    Reply wrong = service.login(ADA, "Wrong-Horse7!").expect(401, "invalid_credentials");
    Reply unknown =
        service.login("eve@example.com", "Wrong-Horse7!").expect(401, "invalid_credentials");

    assertThat(wrong.text("detail")).isEqualTo(unknown.text("detail"));
    assertThat(wrong.http().headers().map().keySet())
        .isEqualTo(unknown.http().headers().map().keySet());
  }

  @Test
  void aDisabledAccountIsToldOnlyAfterTheRightPassword() {
    service.register(ADA);
    service.database().execute("UPDATE users SET is_active = false;\n");

    service.login(ADA, "Wrong-Horse7!").expect(401, "invalid_credentials");
    service.login(ADA, TestService.PASSWORD).expect(403, "account_disabled");
  }

  @Test
  void anUnverifiedAddressMaySignInUnlessTheSettingSaysNo() {
    service.register(ADA);
    service.login(ADA, TestService.PASSWORD).expect(200);

    try (var strict =
        TestService.with(engine).set("LOGIN_REQUIRES_VERIFIED_EMAIL", "true").start()) {
      strict.register(ADA);
      strict.login(ADA, "Wrong-Horse7!").expect(401, "invalid_credentials");
      strict.login(ADA, TestService.PASSWORD).expect(403, "email_not_verified");
    }
  }

  @Test
  void hashesYieldTheProcessorToEverythingElse() throws IOException {
    service.register(ADA);

    int own = nice(Path.of("/proc/thread-self"));
    assertThat(niceOfThreads("hashing")).isNotEmpty().allMatch(it -> it == Math.max(own, 5));
  }

  @Test
  void tenFailuresBlockForAWaitThatDoubles() {
    service.register(ADA);
    for (int i = 0; i < 10; i++) {
      service.login(ADA, "Wrong-Horse7!").expect(401, "invalid_credentials");
    }
    Reply blocked = service.login(ADA, TestService.PASSWORD).expect(429, "too_many_failures");
    long first = blocked.json().path("retry_after").asLong();
    assertThat(blocked.header("Retry-After")).contains(Long.toString(first));
    assertThat(first).isBetween(1L, 60L);

    service.clock().advance(Duration.ofSeconds(first));
    service.login(ADA, "Wrong-Horse7!").expect(401, "invalid_credentials");
    long second =
        service.login(ADA, TestService.PASSWORD).expect(429).json().path("retry_after").asLong();
    assertThat(second).isEqualTo(2 * first);

    service.clock().advance(Duration.ofSeconds(second));
    service.login(ADA, TestService.PASSWORD).expect(200);
    service.login(ADA, "Wrong-Horse7!").expect(401, "invalid_credentials");
  }

  @Test
  void allSpellingsOfAnAddressShareOneCountAndUnknownOnesHaveTheirs() {
    for (String email : List.of(ADA, "unknown@example.com")) {
      if (email.equals(ADA)) {
        service.register(ADA);
      }
      for (int i = 0; i < 10; i++) {
        String spelling = i % 2 == 0 ? email : email.toUpperCase(java.util.Locale.ROOT);
        service.login(spelling, "Wrong-Horse7!").expect(401);
      }
      service.login(email, "Wrong-Horse7!").expect(429, "too_many_failures");
    }
  }

  @Test
  void atMostTenOfManyParallelWrongPasswordsAreCompared() {
    service.register(ADA);

    List<Reply> replies = TestService.parallel(60, () -> service.login(ADA, "Wrong-Horse7!"));

    assertThat(replies.stream().filter(reply -> reply.status() == 401).count()).isEqualTo(10);
    assertThat(replies).allMatch(reply -> List.of(401, 429, 503).contains(reply.status()));
  }

  @Test
  void aBurstOfRightPasswordsIsNeverBlocked() {
    service.register(ADA);

    List<Reply> replies = TestService.parallel(50, () -> service.login(ADA, TestService.PASSWORD));

    assertThat(replies).allMatch(reply -> List.of(200, 503).contains(reply.status()));
    assertThat(replies).anyMatch(reply -> reply.status() == 200);
  }

  @Test
  void aStrangersFailuresDoNotLockOutAKnownDevice() {
    String device = service.verified(ADA).text("device_token");
    for (int i = 0; i < 10; i++) {
      service.login(ADA, "Wrong-Horse7!").expect(401);
    }
    service.login(ADA, TestService.PASSWORD).expect(429, "too_many_failures");

    service.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(200);
  }

  @Test
  void wrongPasswordsNeverBlockTheMailedCodeAndItClearsTheWait() {
    service.register(ADA);
    for (int i = 0; i < 10; i++) {
      service.login(ADA, "Wrong-Horse7!").expect(401);
    }
    service.login(ADA, TestService.PASSWORD).expect(429);
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");

    service.verify(ADA, "login", service.code(ADA), otpId).expect(200);

    assertThat(service.login(ADA, TestService.PASSWORD).status()).isNotEqualTo(429);
  }

  @Test
  void aForgedDeviceTokenIsNoDevice() {
    String device = service.verified(ADA).text("device_token");
    String forged = device.substring(0, device.length() - 1) + (device.endsWith("0") ? "1" : "0");
    for (int i = 0; i < 10; i++) {
      service.login(ADA, "Wrong-Horse7!").expect(401);
    }

    service.login(ADA, TestService.PASSWORD, "Device-Token", forged).expect(429);
  }

  @Test
  void anAccountHasAtMostTwentyDevices() {
    service.register(ADA);
    for (int i = 0; i < 25; i++) {
      service.login(ADA, TestService.PASSWORD).expect(200);
      service.clock().advance(Duration.ofSeconds(1));
    }

    assertThat(service.database().column("SELECT count(*) FROM devices")).containsExactly("20");
  }

  @Test
  void everyOutcomeIsASecurityEvent() {
    service.register(ADA);
    service.login(ADA, "Wrong-Horse7!").expect(401);
    service.login(ADA, TestService.PASSWORD).expect(200);

    assertThat(
            service
                .database()
                .column(
                    "SELECT outcome FROM security_events WHERE type = 'login' ORDER BY outcome"))
        .containsExactly("invalid_credentials", "ok");
    assertThat(
            service
                .database()
                .column("SELECT count(*) FROM security_events WHERE type = 'registration'"))
        .containsExactly("1");
  }

  @Test
  void shapeIsCheckedBeforeCredentials() {
    service.post("/auth/login", Map.of("email", ADA)).expect(422, "validation_failed");
    service
        .post("/auth/login", Map.of("email", "no address", "password", "x"))
        .expect(422, "validation_failed");
  }

  private static List<Integer> niceOfThreads(String name) throws IOException {
    List<Integer> all = new ArrayList<>();
    try (var threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        try {
          if (Files.readString(thread.resolve("comm")).strip().equals(name)) {
            all.add(nice(thread));
          }
        } catch (NoSuchFileException endedMeanwhile) {
          continue;
        }
      }
    }
    return all;
  }

  /** The 19th field of {@code stat}, see proc(5). */
  private static int nice(Path thread) throws IOException {
    String stat = Files.readString(thread.resolve("stat"));
    return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19 - 3]);
  }
}
