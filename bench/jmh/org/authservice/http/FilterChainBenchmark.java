package org.authservice.http;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.slf4j.LoggerFactory;

/** All filters in their order around an endpoint that does nothing, with the log turned off. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FilterChainBenchmark {
  private final Principal ada =
      new Principal(7, Optional.of("0123456789abcdef0123456789abcdef"), Instant.EPOCH);
  private final Site site =
      new Site(
          List.of(Route.bearer("GET", "/auth/check", request -> Answer.empty(204))),
          new AccessLog(Duration.ofSeconds(1), new SimpleMeterRegistry()),
          new SecurityHeaders(true),
          new Cors(List.of("https://app.example.com")),
          new Failsafe(),
          (request, next) -> next.handle(request),
          token -> Optional.of(ada),
          (request, next) -> next.handle(request));
  private final Request request =
      new Request(
          "GET",
          "/auth/check",
          "/auth/check",
          Map.of(),
          Map.of(),
          Map.of("authorization", "Bearer token", "host", "auth.example.com"),
          new byte[0],
          new Client("192.0.2.1", "benchmark", Optional.empty(), "0123456789abcdef"),
          Optional.empty());

  @Setup
  public void turnLogOff() {
    ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.OFF);
  }

  @Benchmark
  public Answer chain() {
    return site.handle(request);
  }
}
