package org.authservice.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
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

  private static int accepted(TestService service) {
    int count = 0;
    while (service.get("/docs/errors").status() == 200) {
      count++;
    }
    return count;
  }
}
