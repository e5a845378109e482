package org.authservice.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/** A real nginx with what a test writes into its {@code http} block. */
public final class NginxProcess implements AutoCloseable {
  private final ProcessHandle nginx;

  private NginxProcess(ProcessHandle nginx) {
    this.nginx = nginx;
  }

  /**
   * Starts it; it listens when this returns, as nginx leaves for the background only then.
   *
   * @param folder for its files
   * @param http the content of the {@code http} block
   */
  public static NginxProcess start(Path folder, String http) {
    try {
      Path conf = folder.resolve("nginx.conf");
      Files.writeString(
          conf,
          """
          master_process off;
          pid %1$s/nginx.pid;
          error_log %1$s/error.log;
          events {}
          http {
            access_log off;
            client_body_temp_path %1$s/body;
            proxy_temp_path %1$s/proxy;
            fastcgi_temp_path %1$s/fastcgi;
            uwsgi_temp_path %1$s/uwsgi;
            scgi_temp_path %1$s/scgi;
            %2$s
          }
          """
              .formatted(folder, http));
      Path output = folder.resolve("nginx.out");
      Process start =
          new ProcessBuilder("nginx", "-p", folder.toString(), "-c", conf.toString())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      assertThat(start.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(start.exitValue()).as(Files.readString(output)).isZero();
      long pid = Long.parseLong(Files.readString(folder.resolve("nginx.pid")).strip());
      return new NginxProcess(ProcessHandle.of(pid).orElseThrow());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  /**
   * Starts it with the file as it is deployed, but for addresses and certificates.
   *
   * @param folder for its files
   * @param port where it listens
   * @param nodes host and port of each
   */
  public static NginxProcess deployed(Path folder, int port, List<String> nodes) {
    String upstream =
        nodes.stream()
            .map(it -> "server " + it + " max_fails=2 fail_timeout=5s;")
            .collect(Collectors.joining("\n"));
    try {
      String site =
          Files.readString(Path.of("deploy/nginx.conf"))
              .replaceFirst("(?s)server 10\\.0\\.0\\.11.*?server 10\\.0\\.0\\.12[^\n]*", upstream)
              .replace("listen 443 ssl;", "listen 127.0.0.1:" + port + ";")
              .replaceAll("(?m)^ *ssl_.*$", "");
      assertThat(site).contains(upstream, "listen 127.0.0.1:" + port);
      return start(folder, site);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  public void close() {
    nginx.destroy();
    try {
      nginx.onExit().get(10, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException failure) {
      throw new IllegalStateException("nginx does not end", failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
