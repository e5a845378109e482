package org.authservice.oidc;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import no.nav.security.mock.oauth2.MockOAuth2Server;
import no.nav.security.mock.oauth2.token.DefaultOAuth2TokenCallback;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Against a provider that we did not write. */
class RealProviderTest {

  @ParameterizedTest
  @EnumSource(Databases.class)
  void aBrowserSignsInAtAnOpenIdProvider(Databases engine) throws Exception {
    var server = new MockOAuth2Server();
    server.start();
    try (var browser = HttpClient.newHttpClient();
        var service =
            TestService.with(engine)
                .set("GOOGLE_CLIENT_ID", "auth")
                .set("GOOGLE_CLIENT_SECRET", "its-secret")
                .set("GOOGLE_ISSUER", server.issuerUrl("default").toString())
                .realTime()
                .start()) {
      server.enqueueCallback(
          new DefaultOAuth2TokenCallback(
              "default",
              "person-1",
              "JWT",
              List.of("auth"),
              Map.of("email", "ada@gmail.com", "email_verified", true)));
      Reply begun = service.get("/auth/google").expect(303);

      String back =
          browser
              .send(
                  HttpRequest.newBuilder(URI.create(begun.header("Location").orElseThrow()))
                      .build(),
                  HttpResponse.BodyHandlers.discarding())
              .headers()
              .firstValue("location")
              .orElseThrow();
      URI callback = URI.create(back);
      Reply tokens =
          service
              .get(
                  callback.getRawPath() + "?" + callback.getRawQuery(),
                  "Cookie",
                  begun.header("Set-Cookie").orElseThrow().split(";", 2)[0])
              .expect(200);

      service.profile(tokens.text("access_token")).expect(200);
      assertThat(service.database().column("SELECT google_id FROM users"))
          .containsExactly("person-1");
    } finally {
      server.shutdown();
    }
  }
}
