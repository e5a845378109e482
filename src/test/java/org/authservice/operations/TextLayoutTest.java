package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

class TextLayoutTest {
  private static final String FORGED =
      "x\n12:00:00.000 INFO  Forged: \r\u001b[31m\u0085\u2028\u202e";

  @Test
  void anEventIsOneReadableLine() {
    assertThat(line("user {} did it", null, 7))
        .matches("\\d\\d:\\d\\d:\\d\\d\\.\\d{3} INFO  Name: user 7 did it k=\"v ä\"\n");
  }

  @Test
  void nothingThatAClientSendsBeginsALine() {
    var failure = new IllegalStateException(FORGED, new IllegalArgumentException(FORGED));
    failure.addSuppressed(new RuntimeException(FORGED));

    String text = line("{}", failure, FORGED);

    assertThat(text.lines())
        .allMatch(line ->
            line.matches("\\d\\d:.* Name: x\\\\n12:00.*")
                || line.matches("(Caused by: |Suppressed: )?java\\.lang\\.\\w+: x\\\\n12:00.*")
                || line.startsWith("\tat ")
                || line.startsWith("\t... "));
    assertThat(text).contains("Caused by: ").contains("Suppressed: ");
    assertThat(text).contains("\\r\\u001b[31m\\u0085\\u2028\\u202e");
    assertThat(text).doesNotContain("\r", "\u001b", "\u0085", "\u2028", "\u202e");
  }

  private static String line(String message, @Nullable Throwable thrown, Object argument) {
    var event =
        new LoggingEvent(
            "",
            new LoggerContext().getLogger("org.authservice.Name"),
            Level.INFO,
            message,
            thrown,
            new Object[] {argument});
    event.addKeyValuePair(new KeyValuePair("k", "v ä"));
    return new TextLayout().lines(event);
  }
}
