package org.authservice.oidc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.authservice.account.EmailAddress;
import org.authservice.testing.PythonService;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class ProviderSigninTest extends ProviderTest {

  @Test
  void aNewPersonGetsAVerifiedAccountWithoutPassword() {
    Reply tokens = signIn().expect(200);

    var user = tokens.json().path("user");
    assertThat(user.path("email").asText()).isEqualTo(ADA);
    assertThat(user.path("is_verified").asBoolean()).isTrue();
    assertThat(user.path("full_name").asText()).isEqualTo("Ada Lovelace");
    assertThat(service.database().column("SELECT hashed_password FROM users")).containsOnlyNulls();
    assertThat(googleId(ADA)).isEqualTo("subject-1");
    service.profile(tokens.text("access_token")).expect(200);
    service.refresh(tokens.text("refresh_token")).expect(200);
    assertThat(signIn().expect(200).json().path("user").path("id")).isEqualTo(user.path("id"));
  }

  @Test
  void theBrowserGoesToTheProviderWithEverythingThatBindsTheFlow() {
    Reply reply = service.get("/auth/google").expect(303);

    var parameters = query(reply.header("Location").orElseThrow());
    assertThat(parameters)
        .containsEntry("response_type", "code")
        .containsEntry("client_id", TestProvider.CLIENT)
        .containsEntry("code_challenge_method", "S256")
        .containsEntry("redirect_uri", service.service().publicBaseUrl() + "/auth/google/callback")
        .containsKeys("nonce", "code_challenge");
    assertThat(parameters.get("state")).hasSizeGreaterThanOrEqualTo(32);
    assertThat(reply.header("Set-Cookie").orElseThrow())
        .contains("HttpOnly", "SameSite=Lax", "Path=/")
        .doesNotContain("__Host-");
  }

  @Test
  void behindHttpsTheCookieIsPrefixedAndSecure() {
    try (var https =
        configured(TestService.with(engine))
            .set("PUBLIC_BASE_URL", "https://auth.example.com")
            .start()) {
      assertThat(https.get("/auth/google").expect(303).header("Set-Cookie").orElseThrow())
          .startsWith("__Host-")
          .contains("; Secure");
    }
  }

  @Test
  void anApiClientGetsTheUrlInTheBody() {
    Reply reply = service.get("/auth/google", "Accept", "application/json").expect(200);

    callback(flow(reply, reply.text("authorization_url"))).expect(200);
  }

  @Test
  void anAppCollectsTheSigninWithItsVerifier() {
    Flow flow = begin(appQuery());
    Reply back = callback(flow).expect(303);
    String location = back.header("Location").orElseThrow();
    assertThat(location).startsWith(APP + "?code=").doesNotContain("token");
    assertThat(query(location)).containsEntry("state", "app-state");

    Reply tokens = exchange(query(location).getOrDefault("code", ""), VERIFIER).expect(200);

    service.profile(tokens.text("access_token")).expect(200);
    exchange(query(location).getOrDefault("code", ""), VERIFIER)
        .expect(400, "exchange_code_invalid");
  }

  @Test
  void aWrongVerifierBurnsTheCodeAndAMinuteEndsIt() {
    String burnt =
        query(callback(begin(appQuery())).header("Location").orElseThrow())
            .getOrDefault("code", "");
    exchange(burnt, "another-verifier").expect(400, "exchange_code_invalid");
    exchange(burnt, VERIFIER).expect(400, "exchange_code_invalid");
    String late =
        query(callback(begin(appQuery())).header("Location").orElseThrow())
            .getOrDefault("code", "");
    service.clock().advance(Duration.ofSeconds(61));
    exchange(late, VERIFIER).expect(400, "exchange_code_invalid");
  }

  @Test
  void manyExchangesOfOneCodeOpenOneSession() {
    String code =
        query(callback(begin(appQuery())).header("Location").orElseThrow())
            .getOrDefault("code", "");

    List<Reply> replies = TestService.parallel(20, () -> exchange(code, VERIFIER));

    assertThat(replies.stream().filter(reply -> reply.status() == 200)).hasSize(1);
    assertThat(service.database().column("SELECT count(*) FROM sessions")).containsExactly("1");
  }

  @Test
  void whatEndsAnAccountsCredentialsEndsItsExchangeCodes() {
    signIn().expect(200);
    String code =
        query(callback(begin(appQuery())).header("Location").orElseThrow())
            .getOrDefault("code", "");
    String other = signIn().text("refresh_token");

    service.logout(other, "global").expect(200);

    exchange(code, VERIFIER).expect(400, "exchange_code_invalid");
    assertThat(service.database().column("SELECT count(*) FROM exchange_codes"))
        .containsExactly("0");
  }

  @Test
  void aVerifiedAccountIsLinkedToAnAddressThatCounts() {
    service.verified(ADA);

    signIn().expect(200);

    assertThat(googleId(ADA)).isEqualTo("subject-1");
    service.login(ADA, TestService.PASSWORD).expect(200);
    assertThat(service.mails(ADA))
        .extracting(it -> it.path("subject").asText())
        .anyMatch(it -> it.contains("sign-in method was added"));
  }

  @Test
  void anAddressThatDoesNotCountOpensNothing() {
    provider.user("subject-1", ADA, false);
    signIn().expect(403, "google_email_unverified");
    assertNoAccount();
    service.register(ADA);
    signIn().expect(403, "google_email_unverified");
    service.verify(ADA, "verification", service.code(ADA)).expect(200);
    signIn().expect(409, "link_requires_login");
    assertThat(googleId(ADA)).isEqualTo("null");
  }

  @Test
  void googlesWordCountsForItsOwnAddressesAndHostedDomainsOnly() {
    provider.claims =
        builder -> builder.claim("email", "ada@elsewhere.example").claim("email_verified", true);
    signIn().expect(403, "google_email_unverified");
    provider.claims =
        builder ->
            builder
                .claim("email", "ada@elsewhere.example")
                .claim("email_verified", true)
                .claim("hd", "where.example");
    signIn().expect(403, "google_email_unverified");
    provider.claims =
        builder -> builder.claim("email", "ada@gmail.com").claim("email_verified", true);
    signIn().expect(200);
  }

  @Test
  void anotherPersonWithTheSameAddressIsNotLetIn() {
    signIn().expect(200);
    provider.subject = "subject-2";

    signIn().expect(409, "link_requires_login");

    assertThat(googleId(ADA)).isEqualTo("subject-1");
  }

  @Test
  void aLinkedPersonComesInWhateverTheirAddressIsByNow() {
    Reply first = signIn().expect(200);
    provider.user("subject-1", "new@example.com", false);

    Reply second = signIn().expect(200);

    assertThat(second.json().path("user").path("id"))
        .isEqualTo(first.json().path("user").path("id"));
    assertThat(second.json().path("user").path("email").asText()).isEqualTo(ADA);
  }

  @Test
  void anAccountThatIsSwitchedOffStaysSo() {
    signIn().expect(200);
    var administration = service.service().administration();
    administration.deactivate(
        administration.find(EmailAddress.parse(ADA).orElseThrow()).orElseThrow());

    signIn().expect(403, "account_disabled");
    String location = callback(begin(appQuery())).expect(303).header("Location").orElseThrow();

    assertThat(query(location)).containsEntry("error", "account_disabled");
    provider.user("subject-9", ADA, true);
    signIn().expect(403, "account_disabled");
  }

  @Test
  void whoeverRegisteredAVictimsAddressLosesItWhenTheVictimComes() {
    service.post(
        "/auth/register",
        Map.of("email", ADA, "password", TestService.PASSWORD, "full_name", "Eve"));
    Reply attacker = service.login(ADA, TestService.PASSWORD).expect(200);
    provider.user("attackers", "eve@example.com", true);
    link(attacker.text("access_token"), "{}").expect(200);
    assertThat(googleId(ADA)).isEqualTo("attackers");
    provider.user("subject-1", ADA, true);

    Reply victim = signIn().expect(200);

    service.profile(attacker.text("access_token")).expect(401, "token_invalid");
    service.refresh(attacker.text("refresh_token")).expect(401, "refresh_token_invalid");
    service.login(ADA, TestService.PASSWORD).expect(403, "password_unconfirmed");
    assertThat(victim.json().path("user").path("full_name").isNull()).isTrue();
    assertThat(googleId(ADA)).isEqualTo("subject-1");
    provider.user("attackers", "eve@example.com", true);
    Reply eve = signIn().expect(200);
    assertThat(eve.json().path("user").path("email").asText()).isEqualTo("eve@example.com");
    service.refresh(victim.text("refresh_token")).expect(200);
  }

  @Test
  void manyFirstSigninsAtOnceMakeOneAccount() {
    List<String> nonces =
        IntStream.range(0, 8)
            .mapToObj(it -> service.post("/auth/google/nonce", Map.of()).expect(200).text("nonce"))
            .toList();
    var next = new AtomicInteger();
    List<String> tokens =
        nonces.stream()
            .map(nonce -> {
              provider.nonce = nonce;
              return provider.idToken();
            })
            .toList();

    List<Reply> replies =
        TestService.parallel(
            8,
            () -> {
              int i = next.getAndIncrement();
              return idToken(tokens.get(i), nonces.get(i));
            });

    assertThat(replies).allSatisfy(reply -> reply.expect(200));
    assertThat(service.database().column("SELECT count(*) FROM users")).containsExactly("1");
  }

  @Test
  void aNativeAppSignsInWithAnIdTokenOverItsNonceOnce() {
    String nonce = service.post("/auth/google/nonce", Map.of()).expect(200).text("nonce");
    provider.nonce = nonce;
    String token = provider.idToken();

    idToken(token, "another").expect(401, "id_token_invalid");
    idToken(token, nonce).expect(200);
    idToken(token, nonce).expect(401, "id_token_invalid");

    provider.nonce = "made-up";
    idToken(provider.idToken(), "made-up").expect(401, "id_token_invalid");
  }

  @Test
  void aNativeAppsAudienceMustBeListed() {
    try (var app =
        configured(TestService.with(engine)).set("GOOGLE_CLIENT_IDS", "[\"android\"]").start()) {
      for (String audience : List.of("android", "ios")) {
        provider.nonce = app.post("/auth/google/nonce", Map.of()).text("nonce");
        provider.claims = provider.claims.andThen(builder -> builder.audience(audience));
        int status =
            app.post(
                    "/auth/google/id-token",
                    Map.of("id_token", provider.idToken(), "nonce", provider.nonce))
                .status();
        assertThat(status).isEqualTo(audience.equals("android") ? 200 : 401);
      }
    }
  }

  @Test
  void linkingNeedsAFreshProofAndTellsTheOwner() {
    Reply tokens = service.verified(ADA);
    provider.user("subject-7", "work@example.com", true);
    service.clock().advance(Duration.ofMinutes(5).plusSeconds(1));
    service
        .post("/auth/google/link", Map.of(), bearer(tokens.text("access_token")))
        .expect(403, "login_required");
    String access = service.login(ADA, TestService.PASSWORD).text("access_token");
    provider.now = service.clock().instant();

    link(access, "{}").expect(200);

    assertThat(service.mails(ADA))
        .extracting(it -> it.path("subject").asText())
        .anyMatch(it -> it.contains("sign-in method was added"));
    assertThat(signIn().expect(200).json().path("user").path("email").asText()).isEqualTo(ADA);
    assertThat(googleId(ADA)).isEqualTo("subject-7");
  }

  @Test
  void anIdentityBelongsToOneAccount() {
    signIn().expect(200);
    String bob = service.verified("bob@example.com").text("access_token");

    link(bob, "{}").expect(409, "identity_taken");

    assertThat(googleId("bob@example.com")).isEqualTo("null");
  }

  @Test
  void linkingEndsWithTheCredentialsThatBeganIt() {
    Reply tokens = service.verified(ADA);
    Reply begun = service.post("/auth/google/link", Map.of(), bearer(tokens.text("access_token")));
    Flow flow = flow(begun, begun.text("authorization_url"));

    service.logout(tokens.text("refresh_token"), "global").expect(200);

    callback(flow).expect(400, "google_state_invalid");
    assertThat(googleId(ADA)).isEqualTo("null");
  }

  @Test
  void unlinkingSaysWhenOnlyCodesAreLeft() {
    Reply tokens = signIn().expect(200);
    String[] bearer = bearer(tokens.text("access_token"));

    assertThat(service.send("DELETE", "/auth/google", null, bearer).expect(200).text("message"))
        .contains("codes mailed");

    assertThat(googleId(ADA)).isEqualTo("null");
    service.send("DELETE", "/auth/google", null, bearer).expect(404, "not_found");
    assertThat(service.mails(ADA).getFirst().path("subject").asText())
        .contains("sign-in method was removed");
  }

  @Test
  void theLastWayToSignInIsNotRemoved() {
    Reply tokens = signIn().expect(200);
    service.database().execute("UPDATE users SET is_verified = false;\n");

    service
        .send("DELETE", "/auth/google", null, bearer(tokens.text("access_token")))
        .expect(409, "last_sign_in_method");

    assertThat(googleId(ADA)).isEqualTo("subject-1");
  }

  @Test
  void erasingAnAccountTakesItsIdentitiesAlong() {
    Reply tokens = signIn().expect(200);
    callback(begin(appQuery())).expect(303);

    service.send("DELETE", "/auth/profile", null, bearer(tokens.text("access_token"))).expect(204);

    for (String table : List.of("identities", "exchange_codes")) {
      assertThat(service.database().column("SELECT count(*) FROM " + table)).containsExactly("0");
    }
    assertThat(signIn().expect(200).json().path("user").path("id"))
        .isNotEqualTo(tokens.json().path("user").path("id"));
  }

  @Test
  void anAccountThatThePythonServiceLinkedSignsInAndItsChangesCount() {
    try (var database = engine.leftByPython();
        var adopted =
            configured(TestService.with(database))
                .set("SECRET_KEY", PythonService.SECRET_KEY)
                .start()) {
      var fresh = service;
      service = adopted;
      provider.user(PythonService.OAUTH_GOOGLE_ID, "moved@example.com", false);
      provider.now = adopted.clock().instant();
      assertThat(signIn().expect(200).json().path("user").path("email").asText())
          .isEqualTo("oauth@example.com");
      database.execute(
          "UPDATE users SET google_id = 'python-wrote' WHERE email = 'oauth@example.com';\n");
      provider.subject = "python-wrote";
      assertThat(signIn().expect(200).json().path("user").path("email").asText())
          .isEqualTo("oauth@example.com");
      provider.subject = PythonService.OAUTH_GOOGLE_ID;
      signIn().expect(403, "google_email_unverified");
      service = fresh;
    }
  }

  @Test
  void otherProvidersSignInByTheSameRules() {
    String list =
        "[{\"name\":\"school\",\"issuer\":\"%s\",\"client_id\":\"%s\",\"client_secret\":\"s\"}]";
    try (var other =
        TestService.with(engine)
            .set("OIDC_PROVIDERS", list.formatted(provider.issuer(), TestProvider.CLIENT))
            .start()) {
      Reply begun = other.get("/auth/oidc/school").expect(303);
      Flow flow = flow(begun, begun.header("Location").orElseThrow());
      String path = "/auth/oidc/school/callback?code=c&state=" + flow.state();
      other.get(path, "Cookie", flow.cookie()).expect(403, "google_email_unverified");
      other.get("/auth/oidc/unknown").expect(404, "not_found");
      other.get("/auth/oidc/google").expect(404, "not_found");
      other.get("/auth/google").expect(404, "google_disabled");
    }
    try (var trusting =
        TestService.with(engine)
            .set(
                "OIDC_PROVIDERS",
                list.replace("\"s\"", "\"s\",\"trust_email\":true")
                    .formatted(provider.issuer(), TestProvider.CLIENT))
            .start()) {
      Reply begun = trusting.get("/auth/oidc/school").expect(303);
      Flow flow = flow(begun, begun.header("Location").orElseThrow());
      String path = "/auth/oidc/school/callback?code=c&state=" + flow.state();
      trusting.get(path, "Cookie", flow.cookie()).expect(200);
      provider.nonce = trusting.post("/auth/oidc/school/nonce", Map.of()).text("nonce");
      trusting
          .post(
              "/auth/oidc/school/id-token",
              Map.of("id_token", provider.idToken(), "nonce", provider.nonce))
          .expect(200);
      trusting.post("/auth/oidc/unknown/nonce", Map.of()).expect(404, "not_found");
      assertThat(trusting.database().column("SELECT google_id FROM users")).containsOnlyNulls();
    }
  }

  private Reply link(String access, String body) {
    Reply begun = service.send("POST", "/auth/google/link", body, bearer(access)).expect(200);
    return callback(flow(begun, begun.text("authorization_url")));
  }

  private Reply idToken(String token, String nonce) {
    return service.post("/auth/google/id-token", Map.of("id_token", token, "nonce", nonce));
  }

  private static String[] bearer(String access) {
    return new String[] {"Authorization", "Bearer " + access};
  }
}
