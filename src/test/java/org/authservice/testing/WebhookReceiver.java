package org.authservice.testing;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** A place that webhooks are posted to, on this machine. */
public final class WebhookReceiver implements AutoCloseable {
  private final HttpServer server;
  private final List<Posted> posted = new CopyOnWriteArrayList<>();
  private volatile int status = 204;

  /** What was posted. */
  public record Posted(Map<String, List<String>> headers, String body) {
    /** A header's only value. */
    public String header(String name) {
      List<String> values = headers.getOrDefault(name, List.of());
      if (values.size() != 1) {
        throw new AssertionError(name + " is there " + values.size() + " times");
      }
      return values.getFirst();
    }
  }

  /** Listens on a free port. */
  public WebhookReceiver() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    server.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          posted.add(new Posted(exchange.getRequestHeaders(), body));
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
    server.start();
  }

  /** Where to post. */
  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/alarms?team=1";
  }

  /** Answers with that status from now on. */
  public void answer(int other) {
    status = other;
  }

  /** What has come, oldest first. */
  public List<Posted> posted() {
    return posted;
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
