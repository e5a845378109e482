package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.authservice.testing.Databases;
import org.authservice.testing.FreePort;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** docs/metrics.md is the whole list, and alerts and dashboard use nothing else. */
class MetricsTest {
  private static final Pattern DOCUMENTED = Pattern.compile("`([a-z_0-9]+)`(?=[^|]*\\|)");
  private static final Pattern OF_LIBRARIES = Pattern.compile("hikaricp_|jvm_|process_|system_");
  private static final Pattern IN_CODE =
      Pattern.compile("\"(?!auth\\.db\")((?:auth|http\\.server)\\.[a-z.]+)\"");
  private static final Pattern IN_QUERIES =
      Pattern.compile("\\b((?:auth|http|hikaricp|jvm|process|system)_\\w+)");

  @ParameterizedTest
  @EnumSource(Databases.class)
  void everyMetricThatIsServedIsDocumented(Databases engine) throws Exception {
    try (var service =
        TestService.with(engine)
            .set("MANAGEMENT_PORT", Integer.toString(FreePort.find()))
            .start()) {
      String refresh = service.verified("ada@example.com").text("refresh_token");
      service.refresh(refresh).expect(200);
      service.login("ada@example.com", "Wrong-Horse7!").expect(401);
      Set<String> documented = documented();
      assertThat(service.metrics().lines().filter(line -> line.startsWith("# TYPE ")))
          .isNotEmpty()
          .map(line -> line.split(" ")[2])
          .isSubsetOf(documented);
    }
  }

  @Test
  void theListAndTheCodeNameTheSame() throws IOException {
    Set<String> inCode = new TreeSet<>();
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(it -> it.toString().endsWith(".java")).toList()) {
        IN_CODE
            .matcher(Files.readString(file))
            .results()
            .forEach(found -> inCode.add(found.group(1).replace('.', '_')));
      }
    }
    Set<String> listed =
        documented().stream()
            .filter(name -> !OF_LIBRARIES.matcher(name).lookingAt())
            .map(name -> name.replaceAll("(_max)?$", ""))
            .map(name -> inCode.contains(name) ? name : name.replaceAll("_(total|seconds)$", ""))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(listed).isEqualTo(inCode);
  }

  @Test
  void theAlertsUseOnlyMetricsThatExist() throws IOException {
    String alerts = Files.readString(Path.of("deploy/alerts.yml"));
    Set<String> documented = documented();
    assertThat(IN_QUERIES.matcher(alerts).results().map(found -> found.group(1)))
        .isNotEmpty()
        .map(name -> name.replaceAll("_(bucket|count|sum)$", ""))
        .isSubsetOf(documented);
    for (String alert : alerts.split("- alert: ", -1)) {
      if (alert.contains("expr:")) {
        assertThat(alert).contains("severity:", "reason:", "first_step:");
      }
    }
  }

  @Test
  void theDashboardUsesOnlyMetricsThatExist() throws IOException {
    List<String> queries = new ArrayList<>();
    new ObjectMapper()
        .readTree(Path.of("deploy/grafana-dashboard.json").toFile())
        .findValues("expr")
        .forEach(query -> queries.add(query.asText()));
    Set<String> documented = documented();
    assertThat(queries)
        .hasSizeGreaterThan(20)
        .flatMap(query -> IN_QUERIES.matcher(query).results().map(found -> found.group(1)).toList())
        .map(name -> name.replaceAll("_(bucket|count|sum)$", ""))
        .isSubsetOf(documented);
  }

  private static Set<String> documented() throws IOException {
    Set<String> names = new TreeSet<>();
    for (String line : Files.readAllLines(Path.of("docs/metrics.md"))) {
      if (line.startsWith("| `")) {
        String first = line.split("\\|", -1)[1] + "|";
        DOCUMENTED.matcher(first).results().forEach(found -> names.add(found.group(1)));
      }
    }
    return names;
  }
}
