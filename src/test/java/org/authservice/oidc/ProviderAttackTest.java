package org.authservice.oidc;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.authservice.testing.Reply;
import org.authservice.testing.TcpProxy;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class ProviderAttackTest extends ProviderTest {

  @Test
  void noTokenWithAWrongClaimIsAccepted() {
    Consumer<JWTClaimsSet.Builder> good = provider.claims;
    Map<String, Consumer<JWTClaimsSet.Builder>> wrong = new LinkedHashMap<>();
    wrong.put("iss", it -> it.issuer("https://evil.example"));
    wrong.put("iss with a slash", it -> it.issuer(provider.issuer() + "/"));
    wrong.put("no iss", it -> it.issuer(null));
    wrong.put("aud", it -> it.audience("another-client"));
    wrong.put("no aud", it -> it.audience((String) null));
    wrong.put("aud beside", it -> it.audience(List.of(TestProvider.CLIENT, "another")));
    wrong.put("azp", it -> it.claim("azp", "another-client"));
    wrong.put("azp of another type", it -> it.claim("azp", 7));
    wrong.put("nonce", it -> it.claim("nonce", "another"));
    wrong.put("no nonce", it -> it.claim("nonce", null));
    wrong.put("iat ahead", it -> it.issueTime(at(Duration.ofSeconds(120))));
    wrong.put("iat long ago", it -> it.issueTime(at(Duration.ofHours(-1))));
    wrong.put("no iat", it -> it.issueTime(null));
    wrong.put("exp", it -> it.expirationTime(at(Duration.ofSeconds(-61))));
    wrong.put("no exp", it -> it.expirationTime(null));
    wrong.put("nbf", it -> it.notBeforeTime(at(Duration.ofSeconds(120))));
    wrong.put("no sub", it -> it.subject(null));
    wrong.put("empty sub", it -> it.subject(""));
    wrong.put("long sub", it -> it.subject("s".repeat(256)));
    wrong.forEach((what, change) -> {
      provider.claims = good.andThen(change);
      assertThat(signIn().status()).as(what).isEqualTo(502);
    });
    assertNoAccount();
    provider.claims = good;
    signIn().expect(200);
  }

  @Test
  void noTokenWithAWrongSignatureIsAccepted() {
    provider.token = text -> text.substring(0, text.length() - 8) + "AAAAAAAA";
    signIn().expect(502, "google_refused");
    provider.token =
        text ->
            Base64URL.encode("{\"alg\":\"none\"}")
                + text.substring(text.indexOf('.'), text.lastIndexOf('.') + 1);
    signIn().expect(502, "google_refused");
    provider.token = text -> "garbage";
    signIn().expect(502, "google_refused");
    provider.token = text -> text;
    provider.signing = TestProvider.key("first"); // another key under a known name
    signIn().expect(502, "google_refused");
    provider.signing = provider.keys.getFirst();
    provider.header =
        key ->
            new JWSHeader.Builder(JWSAlgorithm.RS512)
                .keyID(key.getKeyID())
                .build(); // not announced
    signIn().expect(502, "google_refused");
    assertNoAccount();
  }

  @Test
  void changedKeysAreReadAgainButAtMostOnceAMinute() {
    signIn().expect(200);
    assertThat(provider.keyFetches).hasValue(1);
    provider.signing = TestProvider.key("stranger");
    service.clock().advance(Duration.ofSeconds(61));
    provider.now = service.clock().instant();
    for (int i = 0; i < 20; i++) {
      signIn().expect(502, "google_refused");
    }
    assertThat(provider.keyFetches).hasValue(2);

    provider.signing = TestProvider.key("second");
    provider.keys.add(provider.signing);
    service.clock().advance(Duration.ofSeconds(61));
    provider.now = service.clock().instant();

    signIn().expect(200);
    assertThat(provider.keyFetches).hasValue(3);
    provider.signing = provider.keys.getFirst();
    signIn().expect(200);
    provider.header = key -> new JWSHeader(JWSAlgorithm.RS256); // any of several keys
    signIn().expect(200);
    assertThat(provider.keyFetches).hasValue(3);
  }

  @Test
  void aFloodOfUnknownKeysAsksForTheKeysOnceAMinute() {
    signIn().expect(200);
    assertThat(provider.keyFetches).hasValue(1);
    for (int minute = 2; minute < 5; minute++) {
      service.clock().advance(Duration.ofSeconds(61));
      provider.now = service.clock().instant();
      List<String> tokens = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        String kid = "unknown-" + i;
        provider.header = key -> new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(kid).build();
        tokens.add(provider.idToken());
      }
      var next = new AtomicInteger();

      List<Reply> replies =
          TestService.parallel(
              tokens.size(),
              () ->
                  service.post(
                      "/auth/google/id-token",
                      Map.of("id_token", tokens.get(next.getAndIncrement()), "nonce", "any")));

      assertThat(replies).allSatisfy(reply -> reply.expect(401, "id_token_invalid"));
      assertThat(provider.keyFetches).hasValue(minute);
    }
  }

  @Test
  void theAddressMayComeFromUserinfoOfTheSamePersonOnly() {
    provider.claims = builder -> {};
    provider.userInfo.putAll(
        Map.of("sub", "subject-1", "email", "ada@gmail.com", "email_verified", "true"));
    provider.userInfo.put("sub", "another");
    signIn().expect(502, "google_refused");
    provider.userInfo.put("sub", "subject-1");
    signIn().expect(200);
    provider.userInfo.remove("email");
    provider.subject = "subject-2";
    provider.userInfo.put("sub", "subject-2");
    signIn().expect(502, "google_refused");
  }

  @Test
  void aStateIsGoodOnceInItsOwnBrowserForTenMinutes() {
    Flow mine = begin("");
    Flow theirs = begin("");
    callback(new Flow(mine.state(), theirs.cookie())).expect(400, "google_state_invalid");
    callback(new Flow(mine.state(), mine.cookie().split("=", 2)[0] + "=" + "0".repeat(64)))
        .expect(400, "google_state_invalid");
    service
        .get("/auth/google/callback?code=c&state=" + mine.state())
        .expect(400, "google_state_invalid");
    service
        .get("/auth/google/callback?code=c", "Cookie", mine.cookie())
        .expect(400, "google_state_invalid");
    service
        .get("/auth/google/callback?code=c&state=x", "Cookie", "auth-x=1")
        .expect(400, "google_state_invalid");
    Flow good = begin("");
    callback(good).expect(200);
    callback(good).expect(400, "google_state_invalid");
    Flow late = begin("");
    service.clock().advance(Duration.ofMinutes(10).plusSeconds(1));
    callback(late).expect(400, "google_state_invalid");
    assertThat(provider.tokenRequests).as("only a good state costs a request").hasValue(1);
  }

  @Test
  void aCallbackReplayedAtOnceSignsInOnce() {
    Flow flow = begin("");

    List<Reply> replies = TestService.parallel(10, () -> callback(flow));

    assertThat(replies.stream().filter(reply -> reply.status() == 200)).hasSize(1);
  }

  @Test
  void anotherProvidersAnswerIsRefused() {
    Flow flow = begin("");

    service
        .get(
            "/auth/google/callback?code=c&iss=https%3A%2F%2Fevil.example&state=" + flow.state(),
            "Cookie",
            flow.cookie())
        .expect(502, "google_refused");

    assertThat(provider.tokenRequests).hasValue(0);
  }

  @Test
  void theUsersNoAndTheProvidersErrorsAreTold() {
    Map.of(
            "access_denied", "google_denied",
            "temporarily_unavailable", "google_unavailable",
            "invalid_scope", "google_refused")
        .forEach((error, code) -> {
          Flow flow = begin(appQuery());
          Reply reply =
              service
                  .get(
                      "/auth/google/callback?error=" + error + "&state=" + flow.state(),
                      "Cookie",
                      flow.cookie())
                  .expect(303);
          assertThat(reply.header("Location"))
              .contains(APP + "?error=" + code + "&state=app-state");
        });
  }

  @Test
  void onlyTheExactUrlIsReturnedTo() {
    List<String> lookAlikes =
        List.of(
            APP + "/",
            APP + "?",
            APP + "#",
            APP + "?x=1",
            APP + "/../evil",
            APP + "%2f",
            APP + " ",
            " " + APP,
            APP + "\u0000",
            APP + "\n",
            APP.toUpperCase(java.util.Locale.ROOT),
            "HTTPS://app.example.com/signed-in",
            "https://APP.example.com/signed-in",
            "http://app.example.com/signed-in",
            "//app.example.com/signed-in",
            "https:/app.example.com/signed-in",
            "https:app.example.com/signed-in",
            "https://app.example.com:443/signed-in",
            "https://app.example.com:8443/signed-in",
            "https://app.example.com./signed-in",
            "https://app.example.com.evil.example/signed-in",
            "https://app.example.com@evil.example/signed-in",
            "https://evil.example@app.example.com/signed-in",
            "https://evil.example/https://app.example.com/signed-in",
            "https://evil.example?https://app.example.com/signed-in",
            "https://evil.example#https://app.example.com/signed-in",
            "https://evil.example\\@app.example.com/signed-in",
            "https://app.example.com\\signed-in",
            "https://app.example.com//signed-in",
            "https://app.example.com/./signed-in",
            "https://app.example.com/signed-in;x",
            "https://app.example.com/Signed-in",
            "https://app.example.com/signed%2din",
            "https://app.example.com/signed-in%00",
            "https://app.example.com/signed-i",
            "https://app.example.com",
            "https://app.example.com/",
            "https://xapp.example.com/signed-in",
            "https://app-example.com/signed-in",
            "https://арр.example.com/signed-in",
            "javascript:alert(1)//" + APP,
            "data:text/html," + APP,
            "null",
            "");
    for (String lookAlike : lookAlikes) {
      Reply reply =
          service.get(
              "/auth/google?code_challenge="
                  + CHALLENGE
                  + "&redirect_to="
                  + URLEncoder.encode(lookAlike, StandardCharsets.UTF_8));
      assertThat(reply.status()).as(lookAlike).isIn(422, 400);
      assertThat(reply.header("Location")).isEmpty();
    }
    assertThat(lookAlikes).hasSizeGreaterThan(40);
    begin(appQuery());
    String access = service.verified("bob@example.com").text("access_token");
    for (String lookAlike : lookAlikes) {
      assertThat(
              service
                  .post(
                      "/auth/google/link",
                      Map.of("redirect_to", lookAlike),
                      "Authorization",
                      "Bearer " + access)
                  .status())
          .as(lookAlike)
          .isEqualTo(422);
    }
  }

  @Test
  void anAppMustBringItsChallenge() {
    service.get("/auth/google?redirect_to=" + APP).expect(422, "validation_failed");
    service
        .get("/auth/google?redirect_to=" + APP + "&code_challenge=short")
        .expect(422, "validation_failed");
    service
        .get("/auth/google" + appQuery() + "&code_challenge_method=plain")
        .expect(422, "validation_failed");
    service.get("/auth/google?state=" + "x".repeat(513)).expect(422, "validation_failed");
  }

  @Test
  void whateverAProviderAnswersIsADefinedProblem() {
    var json = "application/json";
    for (String path : List.of("/token", "/.well-known/openid-configuration", "/keys")) {
      Map<TestProvider.Reply, String> answers = new LinkedHashMap<>();
      answers.put(new TestProvider.Reply(500, json, "{}"), "google_unavailable");
      answers.put(new TestProvider.Reply(429, json, "{}"), "google_unavailable");
      answers.put(new TestProvider.Reply(302, json, ""), "google_refused");
      answers.put(new TestProvider.Reply(200, json, "garbage"), "google_refused");
      answers.put(new TestProvider.Reply(200, json, "[".repeat(50_000)), "google_refused");
      answers.put(new TestProvider.Reply(200, "text/html", "<p>"), "google_refused");
      answers.put(new TestProvider.Reply(200, json, " ".repeat(300_000)), "google_refused");
      answers.put(
          new TestProvider.Reply(400, json, "{\"error\":\"invalid_grant\"}"), "google_refused");
      try (var fresh = configured(TestService.with(engine)).start()) {
        answers.forEach((answer, code) -> {
          provider.instead.put(path, answer);
          Reply begun = fresh.get("/auth/google");
          Reply last = begun;
          if (begun.status() == 303) {
            Flow flow = flow(begun, begun.header("Location").orElseThrow());
            last =
                fresh.get(
                    "/auth/google/callback?code=c&state=" + flow.state(), "Cookie", flow.cookie());
          }
          assertThat(last.text("code")).as(path + " " + answer.status()).isEqualTo(code);
        });
      }
      provider.instead.clear();
    }
    assertNoAccount();
    signIn().expect(200);
  }

  @Test
  void aFrozenProviderIsGivenUpAndHoldsNobodyElseUp() {
    try (var proxy = new TcpProxy(provider.port());
        var frozen =
            TestService.with(service.database())
                .set("GOOGLE_CLIENT_ID", TestProvider.CLIENT)
                .set("GOOGLE_CLIENT_SECRET", TestProvider.SECRET)
                .set("GOOGLE_ISSUER", "http://localhost:" + proxy.port())
                .start()) {
      proxy.freeze();
      holdsNobodyElseUp(
          frozen,
          Collections.nCopies(100, () -> frozen.get("/auth/google")),
          reply -> reply.expect(503, "google_unavailable"));
    }
  }

  @Test
  void aTokenEndpointThatNeverAnswersIsGivenUpAndHoldsNobodyElseUp() {
    signIn().expect(200); // the rest of the provider is known
    provider.silent.add("/token");
    callbacksAreGivenUp();
  }

  @Test
  void aTokenEndpointThatDripsIsGivenUpAndHoldsNobodyElseUp() {
    signIn().expect(200);
    provider.dripping.add("/token");
    callbacksAreGivenUp();
  }

  @Test
  void keysThatNeverComeAreGivenUpAndHoldNobodyElseUp() {
    provider.silent.add("/keys");
    callbacksAreGivenUp();
  }

  private void callbacksAreGivenUp() {
    List<Supplier<Reply>> callbacks = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Flow flow = begin(appQuery());
      callbacks.add(() -> callback(flow));
    }
    holdsNobodyElseUp(
        service,
        callbacks,
        reply ->
            assertThat(query(reply.expect(303).header("Location").orElseThrow()))
                .containsEntry("error", "google_unavailable"));
  }

  /**
   * Each request is answered within five seconds, and refreshes meanwhile as if there were none.
   */
  private void holdsNobodyElseUp(
      TestService asked, List<Supplier<Reply>> requests, Consumer<Reply> expectation) {
    String refresh = service.verified("bob@example.com").text("refresh_token");
    var next = new AtomicInteger();
    var waiting =
        CompletableFuture.supplyAsync(() ->
            TestService.parallel(
                requests.size(),
                () -> {
                  long before = System.nanoTime();
                  expectation.accept(requests.get(next.getAndIncrement()).get());
                  return Duration.ofNanos(System.nanoTime() - before);
                }));
    for (int i = 0; i < 20; i++) {
      long before = System.nanoTime();
      asked.refresh(refresh).expect(200);
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(1));
    }
    assertThat(waiting).as("they wait while others are answered").isNotDone();
    assertThat(waiting.join())
        .allSatisfy(took -> assertThat(took).isLessThan(Duration.ofSeconds(5)));
  }

  @Test
  void withoutSettingsThereIsNoGoogle() {
    try (var plain = TestService.on(engine)) {
      plain.get("/auth/google").expect(404, "google_disabled");
      plain.get("/auth/google/callback").expect(404, "google_disabled");
      plain.post("/auth/google/nonce", Map.of()).expect(404, "google_disabled");
      plain.post("/auth/google/id-token", Map.of()).expect(404, "google_disabled");
    }
  }

  private Date at(Duration fromNow) {
    return Date.from(provider.now.plus(fromNow));
  }
}
