package org.authservice.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class DocsTest {
  private static final Pattern ASSET = Pattern.compile("(?:src|href)=\"([^\"]+)\"");
  private static final Pattern TEST = Pattern.compile("`(\\w+)#(\\w+)`");
  private static final Pattern TEST_ANNOTATION = Pattern.compile("@\\w*Test\\b");
  private static final Pattern LINK = Pattern.compile("]\\(([^)#:]+)(?:#[^)]*)?\\)");

  @Test
  void thePagesUseLocalAssetsOnly() {
    try (var service = TestService.on(Databases.SQLITE)) {
      for (String page : List.of("/docs", "/redoc", "/docs/errors")) {
        Reply reply = service.get(page).expect(200);
        assertThat(reply.header("Content-Security-Policy").orElseThrow())
            .contains("script-src 'self';");
        List<String> assets =
            ASSET.matcher(reply.http().body()).results().map(it -> it.group(1)).toList();
        assertThat(assets).allMatch(asset -> asset.startsWith("/") || asset.equals("data:,"));
        assertThat(assets).anyMatch(asset -> asset.startsWith("/docs/assets/"));
        assets.stream()
            .filter(asset -> asset.startsWith("/"))
            .forEach(asset -> service.get(asset).expect(200));
      }
    }
  }

  @Test
  void withoutDocsOnlyTheErrorPageIsServed() {
    try (var service = TestService.with(Databases.SQLITE).set("DOCS_ENABLED", "false").start()) {
      for (String page : List.of("/docs", "/redoc", "/openapi.json")) {
        service.get(page).expect(404, "not_found");
      }
      service.get("/docs/errors").expect(200);
    }
  }

  @Test
  void everyRuleIsAttackedByTestsThatExist() throws IOException {
    List<String> rules =
        Files.readString(Path.of("docs/attacks.md"))
            .lines()
            .filter(line -> line.startsWith("| ") && !line.startsWith("| rule |"))
            .toList();
    assertThat(rules).isNotEmpty();
    for (String rule : rules) {
      List<MatchResult> tests = TEST.matcher(rule).results().toList();
      assertThat(tests).as(rule).isNotEmpty();
      for (MatchResult test : tests) {
        assertThat(tests(test.group(1))).as(test.group()).contains(test.group(2));
      }
    }
  }

  /** The names of the methods of a test class that are tests. */
  private static List<String> tests(String testClass) throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
      Path file = files.filter(it -> it.endsWith(testClass + ".java")).findFirst().orElseThrow();
      String[] methods = Files.readString(file).split("\\bvoid ", -1);
      return IntStream.range(1, methods.length)
          .filter(i -> TEST_ANNOTATION.matcher(methods[i - 1]).find())
          .mapToObj(i -> methods[i].substring(0, methods[i].indexOf('(')))
          .toList();
    }
  }

  @Test
  void linksBetweenDocumentsLeadSomewhere() throws IOException {
    for (Path document : documents()) {
      List<String> links =
          LINK.matcher(Files.readString(document)).results().map(it -> it.group(1)).toList();
      for (String link : links) {
        assertThat(document.resolveSibling(link)).as("%s in %s", link, document).exists();
      }
    }
  }

  @Test
  void theTourNamesEveryPackage() throws IOException {
    String tour = Files.readString(Path.of("docs/tour.md"));
    try (Stream<Path> packages = Files.list(Path.of("src/main/java/org/authservice"))) {
      assertThat(packages.filter(Files::isDirectory))
          .allSatisfy(it -> assertThat(tour).contains("| `" + it.getFileName() + "` |"));
    }
  }

  @Test
  void theFirstScreenOfTheReadmeIsShort() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("README.md"));

    assertThat(lines.indexOf("## Settings")).isBetween(10, 45);
  }

  @Test
  void theErrorPageIsInTheContractsWords() throws IOException {
    List<String> anchors =
        Pattern.compile("<section id=\"([a-z_]+)\">")
            .matcher(ErrorPage.html())
            .results()
            .map((MatchResult it) -> it.group(1))
            .toList();

    assertThat(anchors).doesNotHaveDuplicates().contains("otp_invalid", "rate_limited");
  }

  private static List<Path> documents() throws IOException {
    try (Stream<Path> docs = Files.walk(Path.of("docs"));
        Stream<Path> root = Files.list(Path.of("."))) {
      return Stream.concat(docs, root).filter(path -> path.toString().endsWith(".md")).toList();
    }
  }
}
