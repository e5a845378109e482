package org.authservice.json;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Reading what a login sends, and writing what it is answered. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class JsonBenchmark {
  private final byte[] login =
      "{\"email\": \"ada@example.com\", \"password\": \"Correct-Horse7!\"}"
          .getBytes(StandardCharsets.UTF_8);
  private final JsonObject tokens =
      JsonObject.of("access_token", "a".repeat(300))
          .put("refresh_token", "b".repeat(320))
          .put("token_type", "bearer")
          .put("expires_in", 1800);

  @Benchmark
  public Json.Parsed read() throws MalformedJson {
    return Json.parse(login);
  }

  @Benchmark
  public byte[] write() {
    return Json.write(tokens);
  }
}
