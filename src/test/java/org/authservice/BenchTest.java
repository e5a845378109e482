package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The benchmark goes through all of its rows, so that it does not rot. What it measures here,
 * beside other tests and for a moment each, says nothing and is not looked at.
 */
class BenchTest {
  @TempDir private Path folder;

  @Test
  void theBenchmarkMeasuresEveryRowAndNoRequestFails() throws Exception {
    Path root = Path.of("").toAbsolutePath();
    Path output = folder.resolve("output");
    Process bench =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                root.resolve("bench/Bench.java").toString(),
                "--root",
                root.toString(),
                "--smoke")
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();

    boolean ended = bench.waitFor(4, TimeUnit.MINUTES);
    bench.destroyForcibly();

    String printed = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(ended).as(printed).isTrue();
    assertThat(bench.waitFor()).as(printed).isZero();
    assertThat(
            printed.lines().filter(line -> line.contains("= ")).map(line -> line.split(" {2}")[0]))
        .as(printed)
        .containsExactly(
            "refresh, durable",
            "refresh inside the grace",
            "GET /auth/check",
            "login",
            "refresh p99 beside logins",
            "generate-otp",
            "start on SQLite, s",
            "memory after start, MB",
            "memory under load, MB",
            "growth to 2000: refresh",
            "growth to 2000: check",
            "growth to 2000: login",
            "growth to 2000: clean-up");
    assertThat(printed).contains("requests failed: 0\n");
  }
}
