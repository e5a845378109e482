package org.authservice.token;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.authservice.testing.Databases;
import org.authservice.testing.PythonService;
import org.authservice.testing.Reply;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource(Databases.class)
class AdoptionTest {
  private static final String ADA = "ada@example.com";

  @Parameter Databases engine = Databases.SQLITE;
  private static final Instant NEAR_EXPIRY = Instant.parse("2034-12-31T23:50:00Z");

  private TestDatabase database;
  private TestService service;

  @BeforeEach
  void adopt() {
    database = engine.leftByPython();
    service = start(NEAR_EXPIRY);
  }

  @AfterEach
  void stop() {
    service.close();
    database.close();
  }

  @Test
  void passwordsOfThePythonServiceSignIn() {
    service.login(ADA, PythonService.ADA_PASSWORD).expect(200);
    service.login("grace@example.com", PythonService.GRACE_PASSWORD).expect(200);
    service.login("long@example.com", PythonService.LONG_PASSWORD).expect(200);
    service.login(ADA, "Wrong-Horse7!").expect(401, "invalid_credentials");
    service.login("oauth@example.com", "Wrong-Horse7!").expect(401, "invalid_credentials");
  }

  @Test
  void newPasswordsStayOnesThatThePythonServiceCanVerify() {
    service.register("new@example.com");

    assertThat(database.column("SELECT hashed_password FROM users WHERE email = 'new@example.com'"))
        .allMatch(hash -> hash != null && hash.startsWith("$2b$12$"));
  }

  @Test
  void anOverLongPasswordSignsInOnceByItsFirst72BytesAndThenCountsWhole() {
    // The hash of 72 times "a" was made by bcrypt of any longer text that begins so.
    String first72 = "Aa1!" + "y".repeat(68);
    service.register("cut@example.com");
    String hash =
        at.favre.lib.crypto.bcrypt.BCrypt.with(at.favre.lib.crypto.bcrypt.BCrypt.Version.VERSION_2B)
            .hashToString(4, first72.toCharArray());
    database.execute(
        "UPDATE users SET hashed_password = '" + hash + "' WHERE email = 'cut@example.com';\n");

    service.login("cut@example.com", first72 + "-the-rest").expect(200);

    service.login("cut@example.com", first72).expect(401, "invalid_credentials");
    service.login("cut@example.com", first72 + "-other").expect(401, "invalid_credentials");
    service.login("cut@example.com", first72 + "-the-rest").expect(200);
  }

  @Test
  void anAccessTokenOfThePythonServiceIsAcceptedUntilItExpires() {
    assertThat(service.profile(PythonService.ACCESS_TOKEN).expect(200).text("email"))
        .isEqualTo(ADA);

    service.clock().advance(Duration.ofMinutes(11));
    service.profile(PythonService.ACCESS_TOKEN).expect(401, "token_invalid");
  }

  @Test
  void anAccessTokenWithMoreThanADayToLiveIsRefused() {
    try (var early = start(NEAR_EXPIRY.minus(Duration.ofDays(2)))) {
      early.profile(PythonService.ACCESS_TOKEN).expect(401, "token_invalid");
    }
  }

  @Test
  void aRefreshTokenOfThePythonServiceOpensOneSessionAndIsBlacklisted() {
    Reply first = service.refresh(PythonService.REFRESH_TOKEN).expect(200);
    Reply again = service.refresh(PythonService.REFRESH_TOKEN).expect(200);

    assertThat(again.text("refresh_token")).isEqualTo(first.text("refresh_token"));
    assertThat(database.column("SELECT jti FROM invalidated_tokens"))
        .contains(PythonService.REFRESH_JTI);
    assertThat(database.column("SELECT count(*) FROM sessions")).containsExactly("1");
    service.clock().advance(Duration.ofSeconds(31));
    service.refresh(first.text("refresh_token")).expect(200);
  }

  @Test
  void manyParallelRefreshesWithOnePythonTokenOpenOneSession() {
    List<Reply> replies =
        TestService.parallel(30, () -> service.refresh(PythonService.REFRESH_TOKEN));

    assertThat(replies).allSatisfy(reply -> reply.expect(200));
    assertThat(replies.stream().map(reply -> reply.text("refresh_token")).distinct()).hasSize(1);
    assertThat(database.column("SELECT count(*) FROM sessions")).containsExactly("1");
  }

  @Test
  void aBlacklistedRefreshTokenOfThePythonServiceIsRefused() {
    database.execute(
        "INSERT INTO invalidated_tokens (jti, user_id, expires_at) VALUES ('"
            + PythonService.REFRESH_JTI
            + "', 1, '2035-01-01 00:00:00');\n");

    service.refresh(PythonService.REFRESH_TOKEN).expect(401, "refresh_token_invalid");
  }

  @Test
  void loggingOutWithAPythonTokenBlacklistsItAndEndsItsSession() {
    Reply tokens = service.refresh(PythonService.REFRESH_TOKEN).expect(200);

    service.logout(PythonService.REFRESH_TOKEN, "local").expect(200);

    service.profile(tokens.text("access_token")).expect(401, "token_invalid");
    service.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
    service.refresh(PythonService.REFRESH_TOKEN).expect(401, "refresh_token_invalid");
  }

  @Test
  void loggingOutOthersEndsTheirUnusedTokensAndKeepsTheOneThatWasPresented() throws Exception {
    String mine = PythonService.refreshToken(1, "a".repeat(32));
    String theirs = PythonService.refreshToken(1, "b".repeat(32));

    service.logout(mine, "others").expect(200);

    service.refresh(theirs).expect(401, "refresh_token_invalid");
    service.profile(PythonService.ACCESS_TOKEN).expect(401, "token_invalid");
    service.clock().advance(Duration.ofMinutes(5));
    String next = service.refresh(mine).expect(200).text("refresh_token");
    service.clock().advance(Duration.ofMinutes(5));
    service.refresh(next).expect(200);
  }

  @Test
  void aLogoutThatRacesTheFirstRefreshLeavesNothingAlive() throws Exception {
    for (int round = 0; round < 40; round++) {
      String token = PythonService.refreshToken(1, "%032x".formatted(round));
      var turn = new AtomicInteger();
      List<Reply> replies =
          TestService.parallel(
              4,
              () ->
                  turn.getAndIncrement() % 2 == 0
                      ? service.refresh(token)
                      : service.logout(token, "local").expect(200));

      assertThat(database.column("SELECT count(*) FROM sessions WHERE ended_at IS NULL"))
          .as("round %d: %s", round, replies)
          .containsExactly("0");
      service.refresh(token).expect(401, "refresh_token_invalid");
    }
  }

  @Test
  void loggingOutEverywhereEndsThePythonServicesTokens() {
    Reply login = service.login(ADA, PythonService.ADA_PASSWORD).expect(200);
    service.clock().advance(Duration.ofSeconds(1));

    service.logout(login.text("refresh_token"), "global").expect(200);

    service.profile(PythonService.ACCESS_TOKEN).expect(401, "token_invalid");
    service.refresh(PythonService.REFRESH_TOKEN).expect(401, "refresh_token_invalid");
  }

  @Test
  void withoutLegacyTokensNoneIsAccepted() {
    try (var strict =
        TestService.with(database)
            .set("SECRET_KEY", PythonService.SECRET_KEY)
            .set("LEGACY_TOKENS", "false")
            .clock(new TestClock(NEAR_EXPIRY))
            .start()) {
      strict.profile(PythonService.ACCESS_TOKEN).expect(401, "token_invalid");
      strict.refresh(PythonService.REFRESH_TOKEN).expect(401, "refresh_token_invalid");
    }
  }

  @Test
  void aCodeThatThePythonServiceMailedVerifiesOnce() {
    String hash =
        at.favre.lib.crypto.bcrypt.BCrypt.with(at.favre.lib.crypto.bcrypt.BCrypt.Version.VERSION_2B)
            .hashToString(4, "123456".toCharArray());
    database.execute(
        "INSERT INTO otps (user_id, email, otp_code, purpose, expires_at) VALUES (1, '"
            + ADA
            + "', '"
            + hash
            + "', 'login', '2034-12-31 23:59:00');\n");

    service.verify(ADA, "login", "654321").expect(401, "otp_invalid");
    service.verify(ADA, "login", "123456").expect(200);
    service.verify(ADA, "login", "123456").expect(401, "otp_invalid");
  }

  private TestService start(Instant now) {
    return TestService.with(database)
        .set("SECRET_KEY", PythonService.SECRET_KEY)
        .clock(new TestClock(now))
        .start();
  }
}
