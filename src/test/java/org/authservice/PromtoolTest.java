package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prometheus' own tool reads what is in {@code deploy/}. */
@Tag("soak")
class PromtoolTest {
  @TempDir Path folder;

  @Test
  void everyAlertFiresInTroubleAndNoneInQuietTimes() throws Exception {
    promtool("check", "rules", "deploy/alerts.yml");
    promtool("test", "rules", "deploy/alerts_test.yml");
    String tested = Files.readString(Path.of("deploy/alerts_test.yml"));
    assertThat(Files.readAllLines(Path.of("deploy/alerts.yml")))
        .filteredOn(line -> line.contains("- alert: "))
        .map(line -> line.replaceAll(".*- alert: ", ""))
        .isNotEmpty()
        .allSatisfy(alert -> assertThat(tested).contains(alert));
  }

  @Test
  void everyQueryOfTheDashboardIsWellFormed() throws Exception {
    var rules = new StringBuilder("groups:\n- name: dashboard\n  rules:\n");
    int number = 0;
    for (JsonNode query :
        new ObjectMapper()
            .readTree(Path.of("deploy/grafana-dashboard.json").toFile())
            .findValues("expr")) {
      String text = query.asText().replace("$__rate_interval", "5m").replace("$instance", ".*");
      rules.append("  - record: panel_").append(number++).append("\n    expr: |-\n");
      rules.append("      ").append(text).append('\n');
    }
    Path file = folder.resolve("dashboard.yml");
    Files.writeString(file, rules);
    promtool("check", "rules", file.toString());
  }

  private static void promtool(String... words) throws Exception {
    var command = new ArrayList<>(List.of("promtool"));
    command.addAll(List.of(words));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(said).isZero();
  }
}
