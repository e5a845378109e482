package org.authservice.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.authservice.testing.Databases;
import org.authservice.testing.ForgedTokens;
import org.authservice.testing.FreePort;
import org.authservice.testing.NginxProcess;
import org.authservice.testing.PublishedKeys;
import org.authservice.testing.Reply;
import org.authservice.testing.Snippets;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the page on verifying tokens says for Python, Node and nginx works as it stands there. */
@Tag("soak")
class ResourceServersTest {
  private static final String KEY = "a-key-for-tests-0123456789abcdefghijkl";
  private static final String ISSUER = "https://auth.example.com";
  private static final Path NODE = Path.of("target/node"); // where .ci/run installs jose

  @TempDir Path folder;

  private TestService service;
  private boolean serving = true;

  @BeforeEach
  void start() {
    service =
        TestService.with(Databases.SQLITE)
            .set("JWT_ISSUER", ISSUER)
            .set("API_CLIENTS", "{\"orders\": \"a-secret+of/orders%41\"}")
            .realTime()
            .start();
  }

  @AfterEach
  void stop() {
    if (serving) {
      service.close();
    }
  }

  @Test
  void pythonVerifiesByBothLibraries() throws Exception {
    for (String module : List.of("verify_with_jose", "verify_with_pyjwt")) {
      Snippets.write(module + ".py", folder);
      String program =
          """
          import sys
          from %s import user_id
          for token in sys.argv[3:]:
              try:
                  print(user_id(token, sys.argv[1], sys.argv[2]))
              except Exception as refusal:
                  print("refused")
          """
              .formatted(module);
      accepted(List.of("python3", "-c", program), folder);
    }
  }

  @Test
  void pythonVerifiesByThePublishedKeys() throws Exception {
    Snippets.write("verify_with_published_keys.py", folder);
    String program =
        """
        import sys
        from verify_with_published_keys import Verifier
        verifier = Verifier(*sys.argv[1:4])
        for token in sys.argv[4:]:
            try:
                print(verifier.user_id(token))
            except Exception as refusal:
                print("refused")
        """;
    acceptedByPublishedKeys(List.of("python3", "-c", program), folder);
  }

  @Test
  void nodeVerifiesByThePublishedKeys() throws Exception {
    Snippets.write("verify-published-keys.mjs", NODE);
    String program =
        """
        import { verifier } from "./verify-published-keys.mjs";
        const [uri, issuer, audience, ...tokens] = process.argv.slice(1);
        const userId = verifier(uri, issuer, audience);
        for (const token of tokens) {
          try { console.log(await userId(token)); } catch { console.log("refused"); }
        }
        """;
    acceptedByPublishedKeys(List.of("node", "--input-type=module", "-e", program, "--"), NODE);
  }

  @Test
  void nodeVerifies() throws Exception {
    Snippets.write("verify.mjs", NODE);
    String program =
        """
        import { userId } from "./verify.mjs";
        const [key, issuer, ...tokens] = process.argv.slice(1);
        for (const token of tokens) {
          try { console.log(await userId(token, key, issuer)); } catch { console.log("refused"); }
        }
        """;
    accepted(List.of("node", "--input-type=module", "-e", program, "--"), NODE);
  }

  @Test
  void pythonIntrospects() throws Exception {
    Snippets.write("introspect.py", folder);
    Reply tokens = service.verified("ada@example.com");
    String program =
        """
        import sys
        from introspect import user_id
        print([user_id(token, sys.argv[1], "orders", "a-secret+of/orders%41")
               for token in sys.argv[2:]])
        """;
    String url = "http://localhost:" + service.port();

    List<String> command = List.of("python3", "-c", program, url);
    String good = tokens.text("access_token");
    assertThat(run(with(command, good, tokens.text("refresh_token"), "x"), folder))
        .containsExactly("[1, None, None]");
    service.logout(tokens.text("refresh_token"), "local").expect(200);
    assertThat(run(with(command, good), folder)).containsExactly("[None]");
  }

  @Test
  void nginxAsksForEachRequest() throws Exception {
    var behind = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    behind.createContext(
        "/",
        exchange -> {
          String user = String.join(",", exchange.getRequestHeaders().get("X-Auth-User-Id"));
          byte[] body = ("hello " + user).getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    behind.start();
    int port = FreePort.find();
    try (var _ = nginx(port, behind.getAddress().getPort())) {
      Reply tokens = service.verified("ada@example.com");
      String good = tokens.text("access_token");
      assertThat(call(port, good).body()).isEqualTo("hello 1");
      for (String bad : ForgedTokens.of(tokens, KEY, ISSUER).values()) {
        HttpResponse<String> refused = call(port, bad);
        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(refused.headers().firstValue("WWW-Authenticate"))
            .contains("Bearer error=\"invalid_token\"");
      }
      service.logout(tokens.text("refresh_token"), "local").expect(200);
      assertThat(call(port, good).statusCode()).isEqualTo(401);
      service.close();
      serving = false;
      HttpResponse<String> away = call(port, good);
      assertThat(away.statusCode()).isEqualTo(503);
      assertThat(away.headers().firstValue("Retry-After")).contains("2");
    } finally {
      behind.stop(0);
    }
  }

  private void accepted(List<String> program, Path directory) throws Exception {
    Reply tokens = service.verified("user" + program.hashCode() + "@example.com");
    decides(with(program, KEY, ISSUER), tokens, ForgedTokens.of(tokens, KEY, ISSUER), directory);
  }

  private void acceptedByPublishedKeys(List<String> program, Path directory) throws Exception {
    try (var pairs =
            TestService.with(Databases.SQLITE)
                .set("JWT_ISSUER", ISSUER)
                .set("ALGORITHM", "ES256")
                .realTime()
                .start();
        var keys = new PublishedKeys(pairs)) {
      String audience = pairs.service().publicBaseUrl().toString();
      Reply tokens = pairs.verified("ada@example.com");
      Map<String, String> bad = ForgedTokens.of(tokens, keys.another(), ISSUER, audience);
      decides(with(program, keys.uri().toString(), ISSUER, audience), tokens, bad, directory);
    }
  }

  private static void decides(
      List<String> verifier, Reply tokens, Map<String, String> bad, Path directory)
      throws Exception {
    List<String> command = with(verifier, tokens.text("access_token"));
    command.addAll(bad.values());

    List<String> outcomes = run(command, directory);

    assertThat(outcomes.getFirst()).isEqualTo(tokens.json().path("user").path("id").asText());
    assertThat(outcomes).hasSize(bad.size() + 1);
    assertThat(outcomes.subList(1, outcomes.size())).as("%s", bad.keySet()).containsOnly("refused");
  }

  private NginxProcess nginx(int port, int behind) {
    return NginxProcess.start(
        folder,
        """
        upstream auth_service { server 127.0.0.1:%1$d; }
        upstream your_service { server 127.0.0.1:%2$d; }
        server {
          listen 127.0.0.1:%3$d;
          %4$s
        }
        """
            .formatted(service.port(), behind, port, Snippets.code("nginx.conf")));
  }

  private static HttpResponse<String> call(int port, String token) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/api/x"))
              .header("Authorization", "Bearer " + token)
              .header("X-Auth-User-Id", "99")
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  private static List<String> with(List<String> command, String... more) {
    List<String> all = new ArrayList<>(command);
    all.addAll(List.of(more));
    return all;
  }

  private static List<String> run(List<String> command, Path directory) throws Exception {
    Process process =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output.lines().toList();
  }
}
