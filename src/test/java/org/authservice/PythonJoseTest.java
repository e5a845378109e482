package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.authservice.testing.Databases;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The Python service's own library reads our tokens as its rules say. */
@Tag("soak")
class PythonJoseTest {
  private static final String KEY = "a-key-for-tests-0123456789abcdefghijkl";

  @Test
  void pythonJoseDecodesAnAccessTokenAndTheRefreshRuleRefusesIt() throws Exception {
    try (var service = TestService.with(Databases.SQLITE).realTime().start()) {
      var tokens = service.verified("ada@example.com");

      assertThat(python("access", tokens.text("access_token")))
          .isEqualTo("accepted for " + tokens.json().path("user").path("id").asText());
      assertThat(python("refresh", tokens.text("access_token"))).isEqualTo("refused: no jti");
      assertThat(python("access", tokens.text("refresh_token"))).startsWith("refused: ");
    }
  }

  private static String python(String rule, String token) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("python3", Path.of("src/soak/verify.py").toString(), rule, KEY, token)
            .redirectErrorStream(true)
            .start();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
  }
}
