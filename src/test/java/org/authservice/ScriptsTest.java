package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the scripts in {@code bin} give to the JVM. */
class ScriptsTest {
  /** The JVM refuses a heap that begins larger than it may become. */
  @ParameterizedTest
  @CsvSource({"'', 112.00M, 192.00M", "-Xmx96m, -, 96.00M", "-Xms150m, 150.00M, 192.00M"})
  void theHeapIsAsLargeAsTheOperatorSays(String options, String least, String most)
      throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String script =
        "source bin/.java; exec \"$0\" \"${jvm_flags[@]}\" $JAVA_OPTS -XshowSettings:vm -version";
    var builder = new ProcessBuilder("bash", "-c", script, java).redirectErrorStream(true);
    builder.environment().put("JAVA_OPTS", options);
    Process process = builder.start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(printed).isZero();
    assertThat(printed).contains("Max. Heap Size: " + most);
    if (!least.equals("-")) {
      assertThat(printed).contains("Min. Heap Size: " + least);
    }
  }
}
