package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;
import org.authservice.json.MalformedJson;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** The log loses no line, and no line of it breaks out of its object. */
class LogWriterTest {
  private final LoggerContext context = new LoggerContext();
  private final Logger logger = context.getLogger("access");
  private final Written written = new Written();

  @Test
  void everyLineOfManyThreadsIsWrittenOnceThoughTheLogIsStoppedAtOnce() throws Exception {
    LogWriter writer = started(written);
    TestService.parallel(
        8,
        () -> {
          for (int i = 0; i < 5_000; i++) {
            logger
                .atInfo()
                .addKeyValue("line", Thread.currentThread().threadId() + "-" + i)
                .log("request");
          }
          return true;
        });
    writer.stop();

    Set<Object> lines = new HashSet<>();
    for (JsonObject line : written.objects()) {
      assertThat(lines.add(line.get("line"))).isTrue();
    }
    assertThat(lines).hasSize(40_000);
    assertThat(written.calls).as("calls of the system").isLessThan(20_000);
  }

  @Test
  void whenWritingIsSlowWhoLogsWaitsAndNothingIsDropped() throws Exception {
    written.open = new CountDownLatch(1);
    LogWriter writer = started(written);
    Thread many =
        Thread.ofPlatform()
            .start(() -> {
              for (int i = 0; i < 30_000; i++) {
                logger.info("line {}", i);
              }
            });
    while (many.isAlive() && many.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    written.open.countDown();
    many.join();
    writer.stop();

    assertThat(written.objects()).hasSize(30_000);
  }

  @Test
  void whatClientsSendStaysInsideItsString() throws Exception {
    LogWriter writer = started(written);
    String hostile = "a\"b\\c\n\r\t\u0000\u001b\u007f ä 漢 \uD83D\uDE00";
    try (var _ = MDC.putCloseable("trace_id", "4bf9")) {
      logger
          .atWarn()
          .addKeyValue("user_agent", hostile)
          .addKeyValue("half", "x\uD800y")
          .addKeyValue("status", 200)
          .addKeyValue("ms", -1L)
          .addKeyValue("none", (Object) null)
          .setCause(new IllegalStateException(hostile))
          .log("slow {}", hostile);
    }
    writer.stop();

    JsonObject line = written.objects().getFirst();
    assertThat(line.get("message")).isEqualTo("slow " + hostile);
    assertThat(line.get("user_agent")).isEqualTo(hostile);
    assertThat(line.get("half")).isEqualTo("x?y");
    assertThat(line.get("status")).isEqualTo(200L);
    assertThat(line.get("ms")).isEqualTo(-1L);
    assertThat(line.get("none")).isNull();
    assertThat(line.get("trace_id")).isEqualTo("4bf9");
    assertThat(line.get("level")).isEqualTo("WARN");
    assertThat(line.get("level_value")).isEqualTo(30_000L);
    assertThat(line.get("logger_name")).isEqualTo("access");
    assertThat((String) line.get("@timestamp"))
        .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}(Z|[+-]\\d\\d:\\d\\d)");
    assertThat((String) line.get("stack_trace"))
        .startsWith("java.lang.IllegalStateException: a\"b");
  }

  private LogWriter started(OutputStream target) {
    context.setMDCAdapter(MDC.getMDCAdapter());
    var writer = new LogWriter(new JsonLines(), target);
    writer.setContext(context);
    writer.start();
    logger.setLevel(Level.INFO);
    logger.addAppender(writer);
    return writer;
  }

  /** Keeps what it is given, once it is open. */
  private static final class Written extends OutputStream {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private CountDownLatch open = new CountDownLatch(0);
    private int calls;

    @Override
    public void write(int one) throws IOException {
      write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] some, int offset, int length) throws IOException {
      try {
        open.await();
      } catch (InterruptedException interrupted) {
        throw new IOException(interrupted);
      }
      calls++;
      bytes.write(some, offset, length);
    }

    List<JsonObject> objects() throws MalformedJson {
      List<JsonObject> objects = new ArrayList<>();
      for (String line : bytes.toString(StandardCharsets.UTF_8).split("\n")) {
        objects.add((JsonObject) Json.parse(line.getBytes(StandardCharsets.UTF_8)).value());
      }
      return objects;
    }
  }
}
