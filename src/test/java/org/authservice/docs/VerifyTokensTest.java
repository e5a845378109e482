package org.authservice.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import javax.tools.ToolProvider;
import org.authservice.testing.Databases;
import org.authservice.testing.ForgedTokens;
import org.authservice.testing.Snippets;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page on verifying tokens gives Java code that works; bin/soak runs the other languages. */
class VerifyTokensTest {
  private static final String KEY = "a-key-for-tests-0123456789abcdefghijkl";
  private static final String ISSUER = "https://auth.example.com";

  @TempDir Path folder;

  @Test
  void theJavaCodeAcceptsGoodTokensAndNoBadOnes() throws Exception {
    Path source = Snippets.write("AccessTokenVerifier.java", folder);
    int compiled =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                folder.toString(),
                source.toString());
    assertThat(compiled).isZero();
    var urls = new URL[] {URI.create(folder.toUri().toString()).toURL()};
    try (var loader = new URLClassLoader(urls, getClass().getClassLoader());
        var service =
            TestService.with(Databases.SQLITE).set("JWT_ISSUER", ISSUER).realTime().start()) {
      Class<?> type = loader.loadClass("AccessTokenVerifier");
      Object verifier = type.getConstructor(String.class, String.class).newInstance(KEY, ISSUER);
      var userId = type.getMethod("userId", String.class);
      var tokens = service.verified("ada@example.com");

      assertThat(userId.invoke(verifier, tokens.text("access_token")))
          .isEqualTo(tokens.json().path("user").path("id").asLong());
      ForgedTokens.of(tokens, KEY, ISSUER)
          .forEach((what, token) ->
              assertThatThrownBy(() -> userId.invoke(verifier, token)).as(what).isNotNull());
    }
  }
}
