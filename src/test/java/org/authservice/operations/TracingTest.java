package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.authservice.testing.Databases;
import org.authservice.testing.OtlpReceiver;
import org.authservice.testing.Reply;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

class TracingTest {
  private static final String ADA = "ada@example.com";
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String CALLER = "b7ad6b7169203331";

  @TempDir Path folder;

  private static TestService.Builder traced(Databases engine, OtlpReceiver receiver) {
    return TestService.with(engine)
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .set("OTEL_BSP_SCHEDULE_DELAY", "50");
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void aRequestIsASpanOfItsCallersTraceWithItsStatementsBelow(Databases engine) {
    var access = (Logger) LoggerFactory.getLogger("access");
    var lines =
        new ListAppender<ILoggingEvent>() {
          @Override
          protected void append(ILoggingEvent line) {
            line.prepareForDeferredProcessing(); // as an appender that queues does
            super.append(line);
          }
        };
    lines.start();
    Level before = access.getLevel();
    access.setLevel(Level.INFO);
    try (var receiver = new OtlpReceiver();
        var service = traced(engine, receiver).set("REFRESH_REUSE_GRACE_SECONDS", "0").start()) {
      Reply tokens = service.verified(ADA);
      access.addAppender(lines);
      service
          .post(
              "/auth/refresh",
              Map.of("refresh_token", tokens.text("refresh_token")),
              "traceparent",
              "00-" + TRACE + "-" + CALLER + "-01")
          .expect(200);

      var request = receiver.await(it -> it.traceId().equals(TRACE) && it.parent().equals(CALLER));
      assertThat(request.name()).isEqualTo("POST /auth/refresh");
      assertThat(request.attributes())
          .containsEntry("http.route", "/auth/refresh")
          .containsEntry("http.request.method", "POST");
      var statement =
          receiver.await(it -> it.traceId().equals(TRACE) && it.name().equals("UPDATE sessions"));
      assertThat(ancestors(receiver, statement)).contains(request.id());
      assertThat(lines.list)
          .filteredOn(line -> line.getLoggerName().equals("access"))
          .extracting(line -> line.getMDCPropertyMap().get("trace_id"))
          .containsExactly(TRACE);
    } finally {
      access.detachAppender(lines);
      access.setLevel(before);
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void statementsInATransactionAreBelowIt(Databases engine) {
    try (var receiver = new OtlpReceiver();
        var service = traced(engine, receiver).start()) {
      service.register(ADA);
      var insert = receiver.await(it -> it.name().equals("INSERT users"));
      var transaction = receiver.await(it -> it.id().equals(insert.parent()));
      assertThat(transaction.name()).isEqualTo("transaction");
      var request = receiver.await(it -> it.id().equals(transaction.parent()));
      assertThat(request.name()).isEqualTo("POST /auth/register");
    }
  }

  @Test
  void aMailThatIsSentIsASpan() {
    var smtp = new GreenMail(new ServerSetup(0, "127.0.0.1", "smtp"));
    smtp.start();
    try (var receiver = new OtlpReceiver();
        var service =
            traced(Databases.SQLITE, receiver)
                .set("SMTP_HOST", "127.0.0.1")
                .set("SMTP_PORT", Integer.toString(smtp.getSmtp().getPort()))
                .set("SMTP_TLS", "none")
                .set("MAIL_FROM", "no-reply@example.com")
                .start()) {
      service.register(ADA);
      service.service().worker("mail").runOnce();
      var span = receiver.await(it -> it.name().equals("SMTP send"));
      assertThat(span.attributes()).containsEntry("server.address", "127.0.0.1");
    } finally {
      smtp.stop();
    }
  }

  @Test
  void aProviderIsToldWhichTraceACallBelongsTo() throws Exception {
    List<String> received = new CopyOnWriteArrayList<>();
    var provider = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    provider.createContext(
        "/",
        exchange -> {
          received.add(
              Objects.toString(exchange.getRequestHeaders().getFirst("traceparent"), "none"));
          exchange.sendResponseHeaders(500, -1);
          exchange.close();
        });
    provider.start();
    try (var receiver = new OtlpReceiver();
        var service =
            traced(Databases.SQLITE, receiver)
                .set("GOOGLE_CLIENT_ID", "id")
                .set("GOOGLE_CLIENT_SECRET", "secret")
                .set("GOOGLE_ISSUER", "http://127.0.0.1:" + provider.getAddress().getPort())
                .start()) {
      service.get("/auth/google", "traceparent", "00-" + TRACE + "-" + CALLER + "-01");
      var call = receiver.await(it -> it.name().equals("GET google"));
      assertThat(call.traceId()).isEqualTo(TRACE);
      assertThat(received).first().isEqualTo("00-" + TRACE + "-" + call.id() + "-01");
    } finally {
      provider.stop(0);
    }
  }

  @Test
  void noSpanHoldsWhatIsSecretOrPersonal() {
    try (var receiver = new OtlpReceiver();
        var service = traced(Databases.SQLITE, receiver).start()) {
      Reply tokens = service.verified(ADA);
      service.login(ADA, "Wrong-Horse7!").expect(401);
      service.refresh(tokens.text("refresh_token")).expect(200);
      service.send("GET", "/nothing/" + ADA, null).expect(404);
      receiver.await(it -> it.name().equals("HTTP"));
      assertThat(receiver.spans().toString())
          .doesNotContain(ADA, "Wrong-Horse7!", TestService.PASSWORD, "/nothing")
          .doesNotContain(tokens.text("refresh_token"), tokens.text("access_token"));
    }
  }

  @Test
  void aCollectorThatIsAwayHarmsNoRequest() {
    try (var service =
        TestService.with(Databases.SQLITE)
            .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
            .set("OTEL_BSP_SCHEDULE_DELAY", "50")
            .start()) {
      Reply tokens = service.verified(ADA);
      service.refresh(tokens.text("refresh_token")).expect(200);
    }
  }

  @Test
  void aWrongVariableStopsTheStart() {
    var ended =
        ServiceProcess.run(
            Map.of(
                "OTEL_EXPORTER_OTLP_ENDPOINT", "not an address",
                "PORT", "0",
                "MANAGEMENT_PORT", "0"),
            folder,
            "",
            "serve");
    assertThat(ended.exitCode()).isEqualTo(1);
    assertThat(ended.err()).contains("OTEL_");
  }

  @Test
  void withoutACollectorNothingOfOpenTelemetryIsLoaded() throws Exception {
    Path classes = folder.resolve("classes");
    try (var service =
        ServiceProcess.serve(
            Map.of(
                "PORT", "0",
                "MANAGEMENT_PORT", "0",
                "JDK_JAVA_OPTIONS", "-Xlog:class+load:file=" + classes),
            folder)) {
      String body = "{\"email\":\"%s\",\"password\":\"%s\"}".formatted(ADA, TestService.PASSWORD);
      assertThat(service.post("/auth/register", body)).isEqualTo(201);
      assertThat(service.post("/auth/login", body)).isEqualTo(200);
      assertThat(service.terminate()).isEqualTo(143);
    }
    assertThat(Files.readString(classes))
        .contains("org.authservice.AuthService ")
        .doesNotContain("io.opentelemetry");
  }

  private static List<String> ancestors(OtlpReceiver receiver, OtlpReceiver.Span span) {
    List<String> ids = new CopyOnWriteArrayList<>();
    String parent = span.parent();
    while (!parent.isEmpty() && !parent.equals(CALLER)) {
      ids.add(parent);
      String id = parent;
      parent = receiver.await(it -> it.id().equals(id)).parent();
    }
    return ids;
  }
}
