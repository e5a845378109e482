package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogFileTest {
  private static final int REQUESTS = 8_000;

  @TempDir Path folder;

  @Test
  void aLogFileIsFollowedByTheNextWhenItIsFullAndLosesNoLine() throws IOException {
    LocalDate today = LocalDate.ofInstant(new TestClock().instant(), ZoneId.systemDefault());
    Path old = folder.resolve("auth.log." + today.minusDays(3) + ".0");
    Path kept = folder.resolve("auth.log." + today.minusDays(1) + ".0");
    Files.createFile(old);
    var mode = PosixFilePermissions.fromString("rw-------");
    Files.createFile(kept, PosixFilePermissions.asFileAttribute(mode));
    try (var service = ServiceProcess.serve(settings("auth.log"), folder)) {
      TestService.parallel(
          8,
          () -> {
            for (int i = 0; i < REQUESTS / 8; i++) {
              assertThat(service.post("/nothing", "{}")).isEqualTo(404);
            }
            return true;
          });
      assertThat(service.terminate()).isEqualTo(143);
    }
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> logs =
          files.filter(it -> it.getFileName().toString().startsWith("auth.log")).toList();
      assertThat(logs).hasSizeGreaterThan(2).contains(kept).doesNotContain(old);
      for (Path log : logs) {
        assertThat(Files.size(log)).isLessThan(2 * 1024 * 1024);
        lines.addAll(Files.readAllLines(log));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(log)))
            .as("%s", log)
            .isEqualTo("rw-------");
      }
    }
    assertThat(lines.stream().filter(line -> line.contains(" access: "))).hasSize(REQUESTS);
  }

  @Test
  void aLogFileThatCannotBeWrittenStopsTheStart() {
    var ended = ServiceProcess.run(settings("no/such/folder/auth.log"), folder, "", "serve");

    assertThat(ended.exitCode()).isEqualTo(1);
    assertThat(ended.err()).contains("LOG_FILE: cannot write");
  }

  private static Map<String, String> settings(String file) {
    return Map.of(
        "LOG_FILE", file,
        "LOG_FILE_MEGABYTES", "1",
        "LOG_FILE_DAYS", "1",
        "RATE_LIMIT_PER_MINUTE", "0",
        "PORT", "0",
        "MANAGEMENT_PORT", "0");
  }
}
