package org.authservice.oidc;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A test that signs in at a provider, on each database. */
@ParameterizedClass
@EnumSource(Databases.class)
abstract class ProviderTest {
  static final String ADA = "ada@example.com";
  static final String APP = "https://app.example.com/signed-in";
  static final String VERIFIER = "a-verifier-that-only-the-app-knows-0123456789";
  static final String CHALLENGE = challenge(VERIFIER);

  @Parameter Databases engine = Databases.SQLITE;
  TestProvider provider;
  TestService service;

  @BeforeEach
  void startBoth() {
    provider = new TestProvider();
    service = configured(TestService.with(engine)).start();
    provider.now = service.clock().instant();
    provider.user("subject-1", ADA, true);
  }

  @AfterEach
  void stopBoth() {
    service.close();
    provider.close();
  }

  TestService.Builder configured(TestService.Builder builder) {
    return builder
        .set("GOOGLE_CLIENT_ID", TestProvider.CLIENT)
        .set("GOOGLE_CLIENT_SECRET", TestProvider.SECRET)
        .set("GOOGLE_ISSUER", provider.issuer())
        .set("LOGIN_REDIRECT_URLS", "[\"" + APP + "\"]");
  }

  /** A browser that has begun a flow. */
  record Flow(String state, String cookie) {}

  Flow begin(String query, String... headers) {
    Reply reply = service.get("/auth/google" + query, headers).expect(303);
    return flow(reply, reply.header("Location").orElseThrow());
  }

  Flow flow(Reply reply, String authorization) {
    Map<String, String> parameters = query(authorization);
    provider.nonce = parameters.getOrDefault("nonce", "");
    String cookie = reply.header("Set-Cookie").orElseThrow().split(";", 2)[0];
    return new Flow(parameters.getOrDefault("state", ""), cookie);
  }

  Reply callback(Flow flow, String... headers) {
    String[] all = new String[headers.length + 2];
    all[0] = "Cookie";
    all[1] = flow.cookie();
    System.arraycopy(headers, 0, all, 2, headers.length);
    return service.get("/auth/google/callback?code=c&state=" + flow.state(), all);
  }

  /** Signs in without an app. */
  Reply signIn() {
    return callback(begin(""));
  }

  String appQuery() {
    return "?redirect_to=" + APP + "&state=app-state&code_challenge=" + CHALLENGE;
  }

  Reply exchange(String code, String verifier) {
    return service.post("/auth/exchange", Map.of("code", code, "code_verifier", verifier));
  }

  static Map<String, String> query(String url) {
    Map<String, String> parameters = new HashMap<>();
    for (String pair : URI.create(url).getRawQuery().split("&", -1)) {
      int equals = pair.indexOf('=');
      parameters.put(
          pair.substring(0, equals),
          URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
    }
    return parameters;
  }

  static String challenge(String verifier) {
    try {
      return java.util.Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(
              java.security.MessageDigest.getInstance("SHA-256")
                  .digest(verifier.getBytes(StandardCharsets.UTF_8)));
    } catch (java.security.NoSuchAlgorithmException missing) {
      throw new IllegalStateException(missing);
    }
  }

  String googleId(String email) {
    return String.valueOf(
        service
            .database()
            .column("SELECT google_id FROM users WHERE email = '" + email + "'")
            .getFirst());
  }

  void assertNoAccount() {
    assertThat(service.database().column("SELECT count(*) FROM users")).containsExactly("0");
  }
}
