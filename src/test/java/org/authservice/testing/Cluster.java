package org.authservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.authservice.AuthService;
import org.authservice.operations.Worker;
import redis.embedded.RedisServer;

/**
 * Several nodes on one database and one Redis behind the nginx of {@code deploy/nginx.conf}. The
 * HTTP suite enters by it when it is run with {@code -Dauth.nodes=3}.
 */
final class Cluster implements AutoCloseable {
  private final RedisServer redis;
  private final List<AuthService> nodes;
  private final NginxProcess nginx;
  private final int port;
  private final AtomicInteger turn = new AtomicInteger();

  private Cluster(RedisServer redis, List<AuthService> nodes, NginxProcess nginx, int port) {
    this.redis = redis;
    this.nodes = nodes;
    this.nginx = nginx;
    this.port = port;
  }

  /** How many nodes a test service has. */
  static int size() {
    return Integer.getInteger("auth.nodes", 1);
  }

  /**
   * Starts it.
   *
   * @param settings of each node; what a node behind a proxy needs is added
   * @param node starts one
   */
  static Cluster start(
      Path folder, Map<String, String> settings, Function<Map<String, String>, AuthService> node) {
    int port = FreePort.find();
    int redisPort = FreePort.find();
    settings.putIfAbsent("PUBLIC_BASE_URL", "http://localhost:" + port);
    settings.putIfAbsent("TRUSTED_PROXIES", "[\"127.0.0.1/32\"]");
    settings.putIfAbsent("REDIS_URL", "redis://127.0.0.1:" + redisPort);
    try {
      RedisServer redis =
          RedisServer.newRedisServer()
              .port(redisPort)
              .bind("127.0.0.1")
              .setting("save \"\"")
              .build();
      redis.start();
      List<AuthService> nodes = TestService.parallel(size(), () -> node.apply(settings));
      // Tests look at the development mailbox, and at the worker that posts alarms, of one node.
      Worker.stop(
          nodes.stream()
              .skip(1)
              .flatMap(it -> Stream.of(it.worker("mail"), it.worker("alarms")))
              .toList());
      var ports = nodes.stream().map(it -> "127.0.0.1:" + it.port()).toList();
      return new Cluster(redis, nodes, NginxProcess.deployed(folder, port, ports), port);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** The node to which tests look behind the front door. */
  AuthService first() {
    return nodes.getFirst();
  }

  /**
   * Where a request with those headers enters: nginx, which drops what a client claims about its
   * address; a claim of a test comes as from another proxy, to the nodes in turn.
   */
  int port(List<String> headers) {
    return headers.contains("X-Forwarded-For")
        ? nodes.get(Math.floorMod(turn.getAndIncrement(), nodes.size())).port()
        : port;
  }

  /**
   * Lets every node hear of what others did, as it does within a second. Tests ask the next moment.
   */
  void settle() {
    for (AuthService node : nodes) {
      node.worker("revocations").runOnce();
      node.worker("secret-keys").runOnce();
      node.keys().signingKeys().ifPresent(it -> it.follower().runOnce());
    }
  }

  @Override
  public void close() {
    nginx.close();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      nodes.forEach(it -> threads.execute(it::close));
    }
    try {
      redis.stop();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
