package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
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
    String printed =
        java(
            System.getProperty("java.class.path"),
            root.resolve("bench/Bench.java").toString(),
            "--root",
            root.toString(),
            "--smoke");
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

  @Test
  void theHotPiecesCanBeMeasuredByThemselves() throws Exception {
    String path = System.getProperty("java.class.path");
    List<String> command =
        new ArrayList<>(
            List.of("-nowarn", "-d", folder.toString(), "-cp", path, "-processorpath", path));
    command.addAll(List.of("-processor", "org.openjdk.jmh.generators.BenchmarkProcessor"));
    try (Stream<Path> files = Files.walk(Path.of("bench/jmh"))) {
      files.map(Path::toString).filter(it -> it.endsWith(".java")).forEach(command::add);
    }
    assertThat(
            ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, command.toArray(String[]::new)))
        .isZero();

    String printed =
        java(
            folder + File.pathSeparator + path,
            "org.openjdk.jmh.Main",
            "-f=0",
            "-wi=0",
            "-i=1",
            "-r=1ms",
            "-foe=true");

    assertThat(printed.lines().filter(line -> line.contains(" avgt ")))
        .as(printed)
        .extracting(line -> line.split(" ")[0].replaceAll("^.*\\.(?=[A-Z])", ""))
        .containsExactly(
            "FilterChainBenchmark.chain",
            "JsonBenchmark.read",
            "JsonBenchmark.write",
            "RefreshDecisionBenchmark.current",
            "RefreshDecisionBenchmark.used",
            "TokenBenchmark.signAccess",
            "TokenBenchmark.signRefresh",
            "TokenBenchmark.verifyAccess",
            "TokenBenchmark.verifyRefresh");
  }

  /** What a program prints, which ends well and in time. */
  private String java(String classPath, String... words) throws Exception {
    Path output = folder.resolve("output");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                classPath));
    command.addAll(List.of(words));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(4, TimeUnit.MINUTES);
    process.destroyForcibly();
    String printed = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(ended).as(printed).isTrue();
    assertThat(process.waitFor()).as(printed).isZero();
    return printed;
  }
}
