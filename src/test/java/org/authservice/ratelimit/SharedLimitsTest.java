package org.authservice.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisClient;
import java.io.IOException;
import java.time.Duration;
import org.authservice.testing.Databases;
import org.authservice.testing.FreePort;
import org.authservice.testing.TcpProxy;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.embedded.RedisServer;

/** Two nodes that share their limits on a real Redis, and what Redis can do to them. */
class SharedLimitsTest {
  private final TestClock clock = new TestClock();
  private final int port = FreePort.find();
  private final RedisServer redis = started(port);
  private final TcpProxy proxy = new TcpProxy(port);
  private final TestDatabase database = Databases.SQLITE.migrated();
  private final TestService one = node();
  private final TestService other = node();
  private int addresses;

  /** Until both nodes are connected, each counts for itself. */
  @BeforeEach
  void awaitSharing() {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    int passed = 0;
    while (passed != 50 && System.nanoTime() < deadline) {
      addresses++;
      passed = passed(one, "192.0.2." + addresses) + passed(other, "192.0.2." + addresses);
    }
    assertThat(passed).isEqualTo(50);
  }

  @AfterEach
  void stop() throws IOException {
    one.close();
    other.close();
    database.close();
    proxy.close();
    redis.stop();
  }

  @Test
  void nodesShareOneLimit() {
    assertThat(passed(one, "198.51.100.1") + passed(other, "198.51.100.1")).isEqualTo(50);
    clock.advance(Duration.ofSeconds(6));
    assertThat(passed(other, "198.51.100.1") + passed(one, "198.51.100.1")).isEqualTo(5);
  }

  @Test
  void withRedisKilledEachNodeLimitsByItself() throws IOException {
    redis.stop();

    limitsByItselfWithinTwoSeconds();
  }

  @Test
  void withRedisCutOffEachNodeLimitsByItselfAndSharesAgainAfterwards() {
    proxy.cut();
    limitsByItselfWithinTwoSeconds();

    proxy.restore();
    awaitSharing();
  }

  @Test
  void withRedisFrozenEachNodeLimitsByItself() {
    proxy.freeze();

    limitsByItselfWithinTwoSeconds();
    proxy.thaw();
  }

  @Test
  void withRedisFullEachNodeLimitsByItself() {
    var client = RedisClient.create("redis://127.0.0.1:" + port);
    try (var connection = client.connect()) {
      connection.sync().configSet("maxmemory-policy", "noeviction");
      connection.sync().configSet("maxmemory", "1");
    } finally {
      client.shutdown();
    }

    limitsByItselfWithinTwoSeconds();
  }

  private void limitsByItselfWithinTwoSeconds() {
    long start = System.nanoTime();
    assertThat(passed(one, "198.51.100.2")).isEqualTo(50);
    assertThat(passed(other, "198.51.100.2")).isEqualTo(50);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    long again = System.nanoTime();
    one.get("/docs/errors", "X-Forwarded-For", "198.51.100.3").expect(200);
    assertThat(Duration.ofNanos(System.nanoTime() - again)).isLessThan(Duration.ofSeconds(2));
  }

  /** How many requests pass; every other is 429, and none is 5xx. */
  private static int passed(TestService node, String address) {
    int passed = 0;
    while (true) {
      int status = node.get("/docs/errors", "X-Forwarded-For", address).status();
      if (status == 429) {
        return passed;
      }
      assertThat(status).isEqualTo(200);
      passed++;
    }
  }

  private TestService node() {
    return TestService.with(database)
        .clock(clock)
        .set("RATE_LIMIT_PER_MINUTE", "50")
        .set("TRUSTED_PROXIES", "[\"127.0.0.1\"]")
        .set("REDIS_URL", "redis://127.0.0.1:" + proxy.port())
        .start();
  }

  private static RedisServer started(int port) {
    try {
      var server =
          RedisServer.newRedisServer().port(port).bind("127.0.0.1").setting("save \"\"").build();
      server.start();
      return server;
    } catch (IOException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
