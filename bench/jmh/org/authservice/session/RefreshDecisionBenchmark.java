package org.authservice.session;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What presenting a refresh token decides, without reading or writing anything. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RefreshDecisionBenchmark {
  private static final Duration GRACE = Duration.ofSeconds(30);

  private final Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final Numbers numbers =
      new Numbers(9, 8, 7, now.minus(Duration.ofMinutes(5)), Instant.EPOCH);

  @Benchmark
  public Numbers.Decision current() {
    return numbers.present(9, now, GRACE);
  }

  @Benchmark
  public Numbers.Decision used() {
    return numbers.present(3, now, GRACE);
  }
}
