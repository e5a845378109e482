package org.authservice.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.authservice.settings.LimitSettings.Rate;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class RequestRatesTest {
  @Test
  void aClientMayAskSoOftenAMinute() {
    try (var service =
        TestService.with(Databases.SQLITE).set("RATE_LIMIT_PER_MINUTE", "10").start()) {
      for (int left = 9; left >= 0; left--) {
        Reply reply = service.get("/docs/errors").expect(200);
        assertThat(reply.header("RateLimit").orElseThrow()).startsWith("\"client\";r=" + left);
        assertThat(reply.header("RateLimit-Policy")).contains("\"client\";q=10;w=60");
      }
      Reply refused = service.get("/docs/errors").expect(429, "rate_limited");
      assertThat(refused.header("Retry-After")).contains("6");
      assertThat(refused.json().path("retry_after").asInt()).isEqualTo(6);
      service.get("/health").expect(200);

      service.clock().advance(Duration.ofSeconds(6));
      service.get("/docs/errors").expect(200);
      service.get("/docs/errors").expect(429);
    }
  }

  @Test
  void noWindowsEdgeLetsTwiceTheLimitPassAtOnce() {
    try (var service =
        TestService.with(Databases.SQLITE).set("RATE_LIMIT_PER_MINUTE", "100").start()) {
      int first = accepted(service);
      service.clock().advance(Duration.ofSeconds(2));
      int second = accepted(service);
      service.clock().advance(Duration.ofSeconds(57));
      int third = accepted(service);

      assertThat(first + second).isLessThanOrEqualTo(105);
      assertThat(first + second + third).isLessThanOrEqualTo(200);
    }
  }

  @Test
  void anAccountIsCountedByItsTokenAndAFailedTokenByItsAddress() {
    try (var service =
        TestService.with(Databases.SQLITE).set("RATE_LIMIT_PER_MINUTE", "20").start()) {
      String token = service.verified("ada@example.com").text("access_token");
      for (int i = 0; i < 20; i++) {
        service.profile(token).expect(200);
      }
      service.profile(token).expect(429, "rate_limited");
      service.clock().advance(Duration.ofSeconds(1));
      service.profile("wrong").expect(401);
    }
  }

  @Test
  void anEndpointMayHaveALimitOfItsOwn() {
    try (var service =
        TestService.with(Databases.SQLITE)
            .set("RATE_LIMITS", "{\"POST /auth/login\": \"2/minute\"}")
            .start()) {
      service.login("ada@example.com", "x").expect(401);
      service.login("ada@example.com", "x").expect(401);
      service.login("eve@example.com", "x").expect(429, "rate_limited");
      service.post("/auth/refresh", Map.of("refresh_token", "x")).expect(401);
    }
  }

  @Test
  void anAnswerThatRefusesTheRequestsShapeTellsTheLimitsToo() {
    try (var service =
        TestService.with(Databases.SQLITE)
            .set("RATE_LIMIT_PER_MINUTE", "10")
            .set("RATE_LIMITS", "{\"POST /auth/login\": \"5/minute\"}")
            .start()) {
      Reply reply = service.post("/auth/login", Map.of()).expect(422);

      assertThat(reply.header("RateLimit-Policy"))
          .contains("\"endpoint\";q=5;w=60, \"client\";q=10;w=60");
      assertThat(reply.header("RateLimit").orElseThrow())
          .startsWith("\"endpoint\";r=4;")
          .contains(", \"client\";r=9;");
    }
  }

  @Test
  void theSmallestNetworkThatHoldsAnAddressCounts() {
    try (var service =
        TestService.with(Databases.SQLITE)
            .set("RATE_LIMIT_PER_MINUTE", "10")
            .set("TRUSTED_PROXIES", "[\"127.0.0.1\"]")
            .set(
                "RATE_LIMIT_NETWORKS",
                "{\"203.0.0.0/16\": 50, \"203.0.113.0/24\": 5000, \"0.0.0.0/0\": 20}")
            .start()) {
      assertThat(policy(service, "203.0.113.9")).contains("\"client\";q=5000;w=60");
      assertThat(policy(service, "203.0.7.9")).contains("\"client\";q=50;w=60");
      assertThat(policy(service, "198.51.100.1")).contains("\"client\";q=20;w=60");
      assertThat(policy(service, "2001:db8::1")).contains("\"client\";q=10;w=60");
    }
  }

  @Test
  void aHeadIsCountedAsTheGetThatItIsAnsweredAs() {
    try (var service =
        TestService.with(Databases.SQLITE)
            .set("RATE_LIMITS", "{\"GET /docs/errors\": \"1/minute\"}")
            .start()) {
      service.send("HEAD", "/docs/errors", null).expect(200);
      service.get("/docs/errors").expect(429, "rate_limited");
    }
  }

  @Test
  void noTwoSecondsPassMoreThanATwentiethAboveTheLimitWhereverTheyBegin() {
    var clock = new TestClock();
    var buckets = new Buckets(clock, new SimpleMeterRegistry());
    var key = new Buckets.Key("203.0.113.9", "", new Rate(100, Duration.ofMinutes(1)));
    List<Integer> tenths = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      int passed = 0;
      // Bursts and pauses: the worst of them is a burst into a bucket that has just filled up.
      boolean asks = i % 700 > 20 || i < 20;
      while (asks && buckets.take(key).isConsumed()) {
        passed++;
      }
      tenths.add(passed);
      clock.advance(Duration.ofMillis(100));
    }

    assertThat(most(tenths, 20)).isLessThanOrEqualTo(105);
    assertThat(most(tenths, 600)).isLessThanOrEqualTo(200);
  }

  @Test
  void aMillionAddressesLeaveAHundredThousandEntriesAndNoOffenderIsForgotten() {
    var clock = new TestClock();
    var buckets = new Buckets(clock, new SimpleMeterRegistry());
    var rate = new Rate(1, Duration.ofMinutes(1));
    long before = used();
    for (int i = 0; i < 45_000; i++) {
      var offender = new Buckets.Key("offender " + i, "", rate);
      buckets.take(offender);
      assertThat(buckets.take(offender).isConsumed()).isFalse();
    }
    for (int i = 0; i < 1_000_000; i++) {
      buckets.take(new Buckets.Key("2001:db8:%x:%x::/64".formatted(i >> 16, i & 0xffff), "", rate));
    }
    buckets.settle();

    assertThat(buckets.size()).isLessThanOrEqualTo(100_000);
    assertThat(used() - before).isLessThanOrEqualTo(50L << 20);
    for (int i = 0; i < 45_000; i++) {
      assertThat(buckets.take(new Buckets.Key("offender " + i, "", rate)).isConsumed()).isFalse();
    }
    clock.advance(Duration.ofMinutes(1));
    assertThat(buckets.take(new Buckets.Key("offender 0", "", rate)).isConsumed()).isTrue();
  }

  private static long used() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static int most(List<Integer> counts, int window) {
    int most = 0;
    for (int i = 0; i + window <= counts.size(); i++) {
      most = Math.max(most, counts.subList(i, i + window).stream().mapToInt(it -> it).sum());
    }
    return most;
  }

  private static Optional<String> policy(TestService service, String address) {
    return service.get("/docs/errors", "X-Forwarded-For", address).header("RateLimit-Policy");
  }

  private static int accepted(TestService service) {
    int count = 0;
    while (service.get("/docs/errors").status() == 200) {
      count++;
    }
    return count;
  }
}
