package org.authservice.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Map;
import javax.tools.ToolProvider;
import org.authservice.testing.Databases;
import org.authservice.testing.ForgedTokens;
import org.authservice.testing.PublishedKeys;
import org.authservice.testing.Reply;
import org.authservice.testing.Snippets;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page on verifying tokens gives Java code that works; bin/soak runs the other languages. */
class VerifyTokensTest {
  private static final String KEY = "a-key-for-tests-0123456789abcdefghijkl";
  private static final String ISSUER = "https://auth.example.com";

  @TempDir Path folder;

  /** Something that turns a token into the id of an account, or throws. */
  private interface Verifier {
    Object userId(String token) throws ReflectiveOperationException;
  }

  @Test
  void theJavaCodeAcceptsGoodTokensAndNoBadOnes() throws Exception {
    try (var loader = compiled("AccessTokenVerifier");
        var service =
            TestService.with(Databases.SQLITE).set("JWT_ISSUER", ISSUER).realTime().start()) {
      Verifier verifier = verifier(loader.loadClass("AccessTokenVerifier"), KEY, ISSUER);
      Reply tokens = service.verified("ada@example.com");

      decides(verifier, tokens, ForgedTokens.of(tokens, KEY, ISSUER));
    }
  }

  @Test
  void theJavaCodeForPublishedKeysAcceptsGoodTokensAndNoBadOnes() throws Exception {
    try (var loader = compiled("PublishedKeysVerifier");
        var service =
            TestService.with(Databases.SQLITE)
                .set("JWT_ISSUER", ISSUER)
                .set("ALGORITHM", "ES256")
                .realTime()
                .start();
        var keys = new PublishedKeys(service)) {
      String audience = service.service().publicBaseUrl().toString();
      Class<?> type = loader.loadClass("PublishedKeysVerifier");
      Verifier verifier = verifier(type, keys.uri().toURL(), ISSUER, audience);
      Reply tokens = service.verified("ada@example.com");

      decides(verifier, tokens, ForgedTokens.of(tokens, keys.another(), ISSUER, audience));
    }
  }

  private static void decides(Verifier verifier, Reply tokens, Map<String, String> bad)
      throws ReflectiveOperationException {
    assertThat(verifier.userId(tokens.text("access_token")))
        .isEqualTo(tokens.json().path("user").path("id").asLong());
    bad.forEach((what, token) ->
        assertThatThrownBy(() -> verifier.userId(token))
            .as(what)
            .isInstanceOf(InvocationTargetException.class));
  }

  private static Verifier verifier(Class<?> type, Object... arguments)
      throws ReflectiveOperationException {
    Object verifier = type.getConstructors()[0].newInstance(arguments);
    var userId = type.getMethod("userId", String.class);
    return token -> userId.invoke(verifier, token);
  }

  private URLClassLoader compiled(String name) throws Exception {
    Path source = Snippets.write(name + ".java", folder);
    int result =
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
    assertThat(result).isZero();
    var urls = new URL[] {URI.create(folder.toUri().toString()).toURL()};
    return new URLClassLoader(urls, getClass().getClassLoader());
  }
}
