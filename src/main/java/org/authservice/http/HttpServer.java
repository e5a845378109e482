package org.authservice.http;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;
import org.authservice.settings.StartFailure;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A listener: Jetty's core on virtual threads. Its socket is bound when it is opened, so that an
 * occupied port is told before anything else begins; it serves once it is started.
 */
public final class HttpServer {
  /** How long a request's head, or its body, may take to arrive. */
  public static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final int MAX_HEADER_BYTES = 16 * 1024;
  private static final int MAX_CONNECTIONS = 20_000;
  private static final Duration SWEEP = Duration.ofSeconds(1);

  private final Server server;
  private final HttpConfiguration protocol = protocol();
  private final ListeningSocket connector;
  private final SlowClients slowClients;
  private final Duration patience;

  private HttpServer(Duration patience) {
    this.patience = patience;
    this.slowClients = new SlowClients(patience);
    var threads = new QueuedThreadPool(16, 4);
    threads.setName("http");
    threads.setReservedThreads(0);
    ThreadFactory requests = Thread.ofVirtual().name("request-", 0).factory();
    threads.setVirtualThreadsExecutor(task -> requests.newThread(task).start());
    this.server = new Server(threads);
    this.connector = new ListeningSocket(server, protocol);
  }

  /**
   * Binds the socket.
   *
   * @param port 0 takes any free one
   * @param patience how long a request's head or body may take; {@link #PATIENCE} but in tests
   * @throws StartFailure when the address cannot be bound
   */
  public static HttpServer open(String host, int port, Duration patience) {
    var http = new HttpServer(patience);
    http.connector.setHost(host);
    http.connector.setPort(port);
    http.connector.setIdleTimeout(patience.toMillis());
    http.connector.setShutdownIdleTimeout(1000);
    http.connector.setAcceptQueueSize(1024);
    http.connector.addBean(http.slowClients);
    http.server.addConnector(http.connector);
    http.server.addBean(new NetworkConnectionLimit(MAX_CONNECTIONS, http.server));
    try {
      http.connector.open();
      return http;
    } catch (IOException occupied) {
      throw new StartFailure(
          "Cannot listen on %s port %d (%s); stop what uses it, or set another port."
              .formatted(host, port, occupied.getMessage()),
          occupied);
    }
  }

  /** The port that was bound. */
  public int port() {
    return connector.getLocalPort();
  }

  /**
   * Begins to serve.
   *
   * @param publicBaseUrl where errors' descriptions are found
   */
  public void start(
      Site site,
      SecurityHeaders headers,
      ClientAddress addresses,
      Supplier<String> publicBaseUrl,
      Duration stopTimeout) {
    var rendering = new Rendering(publicBaseUrl);
    server.setHandler(new JettyExchange(site, rendering, addresses, slowClients));
    server.setErrorHandler(new EngineErrors(rendering, headers));
    server.setStopTimeout(stopTimeout.toMillis());
    try {
      server.start();
    } catch (Exception failure) {
      throw new IllegalStateException("the listener does not start", failure);
    }
    Duration interval = patience.compareTo(SWEEP) < 0 ? patience.dividedBy(4) : SWEEP;
    slowClients.sweep(connector.getScheduler(), interval);
  }

  /**
   * From now on every answer ends its connection, so that clients and proxies that keep theirs open
   * go to another node before this one stops.
   */
  public void letGo() {
    protocol.setPersistentConnectionsEnabled(false);
  }

  /**
   * Accepts no more, answers what is under way, and closes. What still comes on kept connections
   * meanwhile is answered too: to refuse it, as Jetty's {@code GracefulHandler} does, would fail a
   * request that a proxy sent in the very moment in which this began.
   */
  public void stop() {
    try {
      server.stop();
    } catch (Exception failure) {
      throw new IllegalStateException("the listener does not stop", failure);
    }
  }

  private static HttpConfiguration protocol() {
    var protocol = new HttpConfiguration();
    protocol.setSendServerVersion(false);
    protocol.setSendXPoweredBy(false);
    protocol.setRequestHeaderSize(MAX_HEADER_BYTES);
    // It keeps each connection's last fields in a trie, tokens among them, and to find one there
    // costs more than to read it.
    protocol.setHeaderCacheSize(0);
    protocol.setHttpCompliance(HttpCompliance.STRICT);
    protocol.setUriCompliance(UriCompliance.RFC3986);
    return protocol;
  }
}
