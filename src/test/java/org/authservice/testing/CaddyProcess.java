package org.authservice.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real Caddy with {@code deploy/Caddyfile}, but for addresses and certificates. */
public final class CaddyProcess implements AutoCloseable {
  private static final String SERVING = "serving initial configuration";

  private final Process caddy;

  private CaddyProcess(Process caddy) {
    this.caddy = caddy;
  }

  /**
   * Starts it; it listens when this returns.
   *
   * @param folder for its files
   * @param port where it listens
   * @param nodes host and port of each
   * @param managementPort that of all of them
   */
  public static CaddyProcess deployed(
      Path folder, int port, List<String> nodes, int managementPort) {
    String upstream = String.join(" ", nodes);
    try {
      String site =
          Files.readString(Path.of("deploy/Caddyfile"))
              .replace("10.0.0.11:8000 10.0.0.12:8000", upstream)
              .replace("health_port 9000", "health_port " + managementPort)
              .replace("\nauth.example.com {", "\nhttp://localhost:" + port + " {");
      assertThat(site).contains(upstream, "http://localhost:" + port);
      Path file = folder.resolve("Caddyfile");
      Files.writeString(file, "{\n\tadmin off\n\tauto_https off\n}\n" + site);
      var builder =
          new ProcessBuilder("caddy", "run", "--config", file.toString(), "--adapter", "caddyfile");
      builder.environment().put("HOME", folder.toString());
      Process process = builder.redirectErrorStream(true).start();
      BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
      StringBuilder output = new StringBuilder();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        output.append(line).append('\n');
        if (line.contains(SERVING)) {
          Thread.ofVirtual().start(() -> drain(lines));
          return new CaddyProcess(process);
        }
      }
      throw new IllegalStateException("caddy did not start: " + output);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static void drain(BufferedReader lines) {
    try {
      while (lines.readLine() != null) {
        // a full pipe would hold it up
      }
    } catch (IOException ended) {
      return;
    }
  }

  @Override
  public void close() {
    caddy.destroy();
    try {
      assertThat(caddy.waitFor(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
