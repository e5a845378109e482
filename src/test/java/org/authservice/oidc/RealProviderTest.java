package org.authservice.oidc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import no.nav.security.mock.oauth2.MockOAuth2Server;
import no.nav.security.mock.oauth2.token.DefaultOAuth2TokenCallback;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Against a provider that we did not write. */
@ParameterizedClass
@EnumSource(Databases.class)
class RealProviderTest {
  private static final String CLIENT = "auth";
  private static final long LIFE = 600;

  @Parameter Databases engine = Databases.SQLITE;
  private final MockOAuth2Server server = new MockOAuth2Server();
  private final HttpClient browser = HttpClient.newHttpClient();
  private TestService service;

  @BeforeEach
  void startBoth() {
    server.start();
    service =
        TestService.with(engine)
            .set("GOOGLE_CLIENT_ID", CLIENT)
            .set("GOOGLE_CLIENT_SECRET", "its-secret")
            .set("GOOGLE_ISSUER", server.issuerUrl("default").toString())
            .realTime()
            .start();
  }

  @AfterEach
  void stopBoth() {
    service.close();
    browser.close();
    server.shutdown();
  }

  @Test
  void aBrowserSignsInAtAnOpenIdProvider() {
    Reply tokens = signIn(LIFE, Map.of()).expect(200);

    service.profile(tokens.text("access_token")).expect(200);
    assertThat(service.database().column("SELECT google_id FROM users"))
        .containsExactly("person-1");
  }

  @Test
  void whatItSignedForAnotherPurposeIsRefused() {
    signIn(-120, Map.of()).expect(502, "google_refused");
    signIn(LIFE, Map.of("aud", "another-client")).expect(502, "google_refused");
    signIn(LIFE, Map.of("nonce", "another")).expect(502, "google_refused");
    signIn(LIFE, Map.of("iss", "https://evil.example")).expect(502, "google_refused");
    signIn(LIFE, Map.of("email_verified", false)).expect(403, "google_email_unverified");
    assertThat(service.database().column("SELECT count(*) FROM users")).containsExactly("0");
  }

  private Reply signIn(long lifeSeconds, Map<String, Object> otherClaims) {
    Map<String, Object> claims =
        new HashMap<>(Map.of("email", "ada@gmail.com", "email_verified", true));
    claims.putAll(otherClaims);
    server.enqueueCallback(
        new DefaultOAuth2TokenCallback(
            "default", "person-1", "JWT", List.of(CLIENT), claims, lifeSeconds));
    Reply begun = service.get("/auth/google").expect(303);
    URI callback = URI.create(authorised(begun.header("Location").orElseThrow()));
    return service.get(
        callback.getRawPath() + "?" + callback.getRawQuery(),
        "Cookie",
        begun.header("Set-Cookie").orElseThrow().split(";", 2)[0]);
  }

  private String authorised(String url) {
    try {
      return browser
          .send(
              HttpRequest.newBuilder(URI.create(url)).build(),
              HttpResponse.BodyHandlers.discarding())
          .headers()
          .firstValue("location")
          .orElseThrow();
    } catch (IOException | InterruptedException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
