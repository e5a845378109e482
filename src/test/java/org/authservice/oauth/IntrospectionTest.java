package org.authservice.oauth;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
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

/** Resource servers introspect tokens (RFC 7662) and end them (RFC 7009). */
@ParameterizedClass
@EnumSource(Databases.class)
class IntrospectionTest {
  private static final String ADA = "ada@example.com";
  private static final String SECRET = "orders+secret/0123456789%41";
  private static final String CLIENTS =
      "{\"orders\": \"" + SECRET + "\", \"other\": \"another-secret-0123456789\"}";
  private static final String INTROSPECT = "/auth/introspect";
  private static final String REVOKE = "/auth/revoke";

  @Parameter Databases engine = Databases.SQLITE;

  private TestDatabase database;
  private TestService service;

  @BeforeEach
  void start() {
    database = engine.migrated();
    service = TestService.with(database).set("API_CLIENTS", CLIENTS).start();
  }

  @AfterEach
  void stop() {
    service.close();
    database.close();
  }

  @Test
  void aGoodAccessTokenIsDescribedByItsClaims() {
    Reply tokens = service.verified(ADA);

    Reply answer = ask(INTROSPECT, tokens.text("access_token")).expect(200);

    var json = answer.json();
    assertThat(json.path("active").asBoolean()).isTrue();
    assertThat(answer.text("token_use")).isEqualTo("access_token");
    assertThat(answer.text("token_type")).isEqualTo("Bearer");
    assertThat(answer.text("sub")).isEqualTo(tokens.json().path("user").path("id").asText());
    assertThat(answer.text("iss")).isEqualTo("http://localhost:" + service.port());
    assertThat(answer.text("sid")).isEqualTo(database.column("SELECT id FROM sessions").getFirst());
    assertThat(json.path("exp").asLong() - json.path("iat").asLong()).isEqualTo(1800);
    assertThat(answer.header("Cache-Control")).contains("no-store");
  }

  @Test
  void aRefreshTokenIsDescribedButNotUsed() {
    Reply tokens = service.verified(ADA);
    String refreshToken = tokens.text("refresh_token");

    for (String hint : List.of("", "&token_type_hint=access_token", "&token_type_hint=nonsense")) {
      Reply answer = form(INTROSPECT, "token=" + refreshToken + hint, basic()).expect(200);
      assertThat(answer.json().path("active").asBoolean()).isTrue();
      assertThat(answer.text("token_use")).isEqualTo("refresh_token");
      assertThat(answer.json().has("token_type")).isFalse();
      assertThat(answer.json().path("exp").asLong()).isPositive();
    }
    assertThat(database.column("SELECT current_number FROM sessions")).containsExactly("1");
    String next = service.refresh(refreshToken).expect(200).text("refresh_token");
    service.clock().advance(Duration.ofSeconds(31));
    String newest = service.refresh(next).expect(200).text("refresh_token");
    service.clock().advance(Duration.ofMinutes(10));

    inactive(refreshToken);
    assertThat(ask(INTROSPECT, newest).json().path("active").asBoolean()).isTrue();
    service.refresh(newest).expect(200);
  }

  @Test
  void nothingIsToldOfATokenThatIsNotGood() {
    Reply tokens = service.verified(ADA);
    String accessToken = tokens.text("access_token");
    String refreshToken = tokens.text("refresh_token");
    for (String foreign :
        List.of(
            "x",
            "a.b.c",
            accessToken + "x",
            accessToken.substring(0, accessToken.lastIndexOf('.') + 1),
            PythonService.ACCESS_TOKEN,
            PythonService.REFRESH_TOKEN,
            tokens.text("device_token"),
            "x".repeat(9000))) {
      inactive(foreign);
    }
    service.clock().advance(Duration.ofMinutes(31));
    inactive(accessToken);
    String fresh = service.refresh(refreshToken).text("access_token");
    service.database().execute("UPDATE users SET is_active = false;\n");
    inactive(fresh);
    inactive(refreshToken);
    service.database().execute("UPDATE users SET is_active = true;\n");
    assertThat(ask(INTROSPECT, fresh).json().path("active").asBoolean()).isTrue();
    service.logout(refreshToken, "local").expect(200);

    inactive(fresh);
    inactive(refreshToken);
  }

  @Test
  void revokingEitherTokenEndsTheSessionWithBoth() {
    for (String kind : List.of("access_token", "refresh_token")) {
      Reply tokens = kind.equals("access_token") ? service.verified(ADA) : login();
      String survivor = login().text("access_token");

      Reply answer = ask(REVOKE, tokens.text(kind)).expect(200);

      assertThat(answer.http().body()).isEmpty();
      service.profile(tokens.text("access_token")).expect(401, "token_invalid");
      service.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
      inactive(tokens.text("access_token"));
      ask(REVOKE, tokens.text(kind)).expect(200);
      service.profile(survivor).expect(200);
    }
    assertThat(database.column("SELECT count(*) FROM security_events WHERE type = 'session_ended'"))
        .containsExactly("2");
  }

  @Test
  void revokingWhatIsNoTokenOfOursIsNoError() {
    Reply tokens = service.verified(ADA);
    ask(REVOKE, "x").expect(200);
    ask(REVOKE, PythonService.REFRESH_TOKEN).expect(200);

    service.profile(tokens.text("access_token")).expect(200);
  }

  @Test
  void anAccessTokenWhoseSessionWasLostIsRevokedAlone() {
    Reply tokens = service.verified(ADA);
    database.execute("DELETE FROM sessions;\n");

    ask(REVOKE, tokens.text("access_token")).expect(200);

    service.profile(tokens.text("access_token")).expect(401, "token_invalid");
  }

  @Test
  void thePythonServicesTokensAreDescribedAndEndedToo() {
    try (TestDatabase adopted = engine.leftByPython();
        TestService taken =
            TestService.with(adopted)
                .set("SECRET_KEY", PythonService.SECRET_KEY)
                .set("API_CLIENTS", CLIENTS)
                .clock(new TestClock(Instant.parse("2034-12-31T23:50:00Z")))
                .start()) {
      for (String token : List.of(PythonService.ACCESS_TOKEN, PythonService.REFRESH_TOKEN)) {
        Reply good = form(taken, INTROSPECT, "token=" + token, basic()).expect(200);
        assertThat(good.json().path("active").asBoolean()).isTrue();
        assertThat(good.text("sub")).isEqualTo("1");
        assertThat(good.json().path("exp").asLong()).isEqualTo(2051222400L);

        form(taken, REVOKE, "token=" + token, basic()).expect(200);

        assertThat(form(taken, INTROSPECT, "token=" + token, basic()).http().body())
            .isEqualTo("{\"active\":false}");
      }
      taken.profile(PythonService.ACCESS_TOKEN).expect(401, "token_invalid");
      taken.refresh(PythonService.REFRESH_TOKEN).expect(401, "refresh_token_invalid");
      assertThat(adopted.column("SELECT jti FROM invalidated_tokens"))
          .contains(PythonService.REFRESH_JTI);
    }
  }

  @Test
  void aClientProvesItselfByHeaderOrBodyButNotByBoth() {
    String token = "token=" + service.verified(ADA).text("access_token");
    String posted = "&client_id=orders&client_secret=" + encoded(SECRET);
    form(INTROSPECT, token, basic("orders", SECRET)).expect(200);
    form(INTROSPECT, token, basic("orders", encoded(SECRET))).expect(200);
    form(INTROSPECT, token + posted).expect(200);

    refused(form(INTROSPECT, token + posted, basic()), 400, "invalid_request");
    for (Reply wrong :
        List.of(
            form(INTROSPECT, token),
            form(INTROSPECT, token + "&client_id=orders"),
            form(INTROSPECT, token + "&client_id=orders&client_secret=wrong"),
            form(INTROSPECT, token, basic("orders", "another-secret-0123456789")),
            form(INTROSPECT, token, basic("nobody", SECRET)),
            form(INTROSPECT, token, "Authorization", "Basic !!!"),
            form(INTROSPECT, token, "Authorization", "Bearer " + token.substring(6)),
            form(REVOKE, token, basic("orders", "")))) {
      refused(wrong, 401, "invalid_client");
      assertThat(wrong.header("WWW-Authenticate").orElseThrow()).startsWith("Basic realm=");
    }
    service.profile(token.substring(6)).expect(200);
    assertThat(
            database.column(
                "SELECT DISTINCT outcome FROM security_events"
                    + " WHERE type = 'client_authentication'"))
        .containsExactly("invalid_client");
  }

  @Test
  void aRequestThatIsNoProperFormIsRefusedInOauthsOwnForm() {
    refused(form(INTROSPECT, "", basic()), 400, "invalid_request");
    refused(form(INTROSPECT, "token=", basic()), 400, "invalid_request");
    refused(form(INTROSPECT, "token=a&token=b", basic()), 400, "invalid_request");
    refused(form(INTROSPECT, "token=%zz", basic()), 400, "invalid_request");
    refused(form(INTROSPECT, "token=%ff%fe", basic()), 400, "invalid_request");
    refused(
        service.post(INTROSPECT, Map.of("token", "x"), "Authorization", basic()[1]),
        400,
        "invalid_request");
    service.get(INTROSPECT).expect(405, "method_not_allowed");
  }

  @Test
  void withoutClientsNobodyIsAnswered() {
    try (TestService none = TestService.on(engine)) {
      refused(form(none, INTROSPECT, "token=x", basic()), 401, "invalid_client");
      refused(form(none, REVOKE, "token=x", basic("", "")), 401, "invalid_client");
    }
  }

  @Test
  void guessesAtAClientsSecretAreLimitedToTenAMinute() {
    String token = "token=x";
    for (int i = 0; i < 10; i++) {
      refused(form(INTROSPECT, token, basic("orders", "guess" + i)), 401, "invalid_client");
    }

    Reply limited = form(REVOKE, token, basic("orders", "guess")).expect(429, "rate_limited");

    assertThat(limited.header("Retry-After")).contains("6");
    // Else the answer would tell that this guess is right.
    form(INTROSPECT, token, basic()).expect(429, "rate_limited");
    form(INTROSPECT, token, basic("other", "another-secret-0123456789")).expect(200);
    service.clock().advance(Duration.ofSeconds(6));
    form(INTROSPECT, token, basic()).expect(200);
  }

  @Test
  void twoHundredParallelGuessesAreTenGuesses() {
    var guess = new AtomicInteger();

    List<Reply> replies =
        TestService.parallel(
            200, () -> form(INTROSPECT, "token=x", basic("orders", "g" + guess.incrementAndGet())));

    assertThat(replies.stream().filter(reply -> reply.status() == 401)).hasSize(10);
    assertThat(replies.stream().filter(reply -> reply.status() == 429)).hasSize(190);
  }

  @Test
  void onlyFailedCallsAreCountedByTheGeneralLimit() {
    try (TestService limited =
        TestService.with(engine)
            .set("API_CLIENTS", CLIENTS)
            .set("RATE_LIMIT_PER_MINUTE", "10")
            .start()) {
      for (int i = 0; i < 30; i++) {
        form(limited, INTROSPECT, "token=x", basic()).expect(200);
        form(limited, REVOKE, "token=x", basic()).expect(200);
      }
      for (int i = 9; i >= 0; i--) {
        Reply failed = form(limited, INTROSPECT, "", basic()).expect(400);
        assertThat(failed.header("RateLimit").orElseThrow()).startsWith("\"client\";r=" + i);
      }

      limited.get("/docs/errors").expect(429, "rate_limited");
      form(limited, INTROSPECT, "token=x", basic()).expect(429, "rate_limited");
    }
  }

  @Test
  void noSecretOfAClientIsShown() {
    assertThat(new Credentials("orders", org.authservice.secret.Secret.of(SECRET)).toString())
        .doesNotContain(SECRET);
  }

  private Reply login() {
    return service.login(ADA, TestService.PASSWORD).expect(200);
  }

  private void inactive(String token) {
    assertThat(ask(INTROSPECT, token).expect(200).http().body()).isEqualTo("{\"active\":false}");
  }

  private Reply ask(String path, String token) {
    return form(path, "token=" + token, basic());
  }

  private Reply form(String path, String body, String... headers) {
    return form(service, path, body, headers);
  }

  private static Reply form(TestService service, String path, String body, String... headers) {
    var all = new java.util.ArrayList<>(List.of(headers));
    all.add("Content-Type");
    all.add("application/x-www-form-urlencoded");
    return service.send("POST", path, body, all.toArray(String[]::new));
  }

  private static void refused(Reply reply, int status, String error) {
    assertThat(reply.expect(status).text("error")).isEqualTo(error);
    assertThat(reply.header("Content-Type")).contains("application/json");
    assertThat(reply.text("error_description")).isNotEmpty();
  }

  private static String[] basic() {
    return basic("orders", SECRET);
  }

  private static String[] basic(String id, String secret) {
    byte[] pair = (id + ":" + secret).getBytes(StandardCharsets.UTF_8);
    return new String[] {"Authorization", "Basic " + Base64.getEncoder().encodeToString(pair)};
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
