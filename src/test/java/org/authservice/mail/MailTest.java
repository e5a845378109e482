package org.authservice.mail;

import static org.assertj.core.api.Assertions.assertThat;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import jakarta.mail.MessagingException;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.authservice.testing.Databases;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource(Databases.class)
class MailTest {
  private static final String ADA = "ada@example.com";

  @Parameter Databases engine = Databases.SQLITE;
  private GreenMail smtp;

  @BeforeEach
  void startSmtp() {
    smtp = new GreenMail(new ServerSetup(0, "127.0.0.1", "smtp"));
    smtp.start();
  }

  @AfterEach
  void stopSmtp() {
    smtp.stop();
  }

  @Test
  void aCodeIsMailedAsTextAndHtmlWithCleanHeaders() throws MessagingException, IOException {
    try (var service = start(smtp.getSmtp().getPort())) {
      service.register(ADA);
      service.service().worker("mail").runOnce();

      MimeMessage mail = smtp.getReceivedMessages()[0];
      assertThat(mail.getAllRecipients()).hasSize(1);
      assertThat(mail.getAllRecipients()[0]).hasToString(ADA);
      assertThat(mail.getSubject()).matches("[0-9]{6} is your verification code");
      assertThat(mail.getHeader("Auto-Submitted")).containsExactly("auto-generated");
      assertThat(mail.getHeader("Message-ID")[0]).matches("<[0-9a-f]{32}@example.org>");
      assertThat(mail.getHeader("Date")).hasSize(1);
      var parts = (MimeMultipart) mail.getContent();
      String code = mail.getSubject().substring(0, 6);
      assertThat(parts.getBodyPart(0).getContent().toString()).contains(code);
      assertThat(parts.getBodyPart(1).getContentType()).startsWith("text/html");
      assertThat(parts.getBodyPart(1).getContent().toString()).contains(code);
      assertThat(service.database().column("SELECT state FROM outbox")).containsExactly("sent");
      assertThat(service.database().column("SELECT payload FROM outbox")).containsOnlyNulls();
    }
  }

  @Test
  void aServerThatIsAwayHoldsNothingUpAndIsTriedAgain() {
    int port = smtp.getSmtp().getPort();
    smtp.stop();
    try (var service = start(port)) {
      service.register(ADA);
      service.service().worker("mail").runOnce();
      assertThat(service.database().column("SELECT state FROM outbox")).containsExactly("queued");

      smtp = new GreenMail(new ServerSetup(port, "127.0.0.1", "smtp"));
      smtp.start();
      service.clock().advance(Duration.ofMinutes(3));
      service.service().worker("mail").runOnce();

      assertThat(smtp.getReceivedMessages()).hasSize(1);
      assertThat(service.database().column("SELECT state FROM outbox")).containsExactly("sent");
    }
  }

  @Test
  void nothingIsSentAfterTheCodeHasExpired() {
    int port = smtp.getSmtp().getPort();
    smtp.stop();
    try (var service = start(port)) {
      service.register(ADA);
      service.service().worker("mail").runOnce();
      smtp = new GreenMail(new ServerSetup(port, "127.0.0.1", "smtp"));
      smtp.start();
      service.clock().advance(Duration.ofMinutes(10));
      service.service().worker("mail").runOnce();

      assertThat(smtp.getReceivedMessages()).isEmpty();
      assertThat(service.database().column("SELECT state FROM outbox")).containsExactly("expired");
      assertThat(service.database().column("SELECT payload FROM outbox")).containsOnlyNulls();
    }
  }

  @Test
  void aMailThatTheServerRefusesForGoodIsDeadAndHoldsUpNoOther() throws IOException {
    try (var refusing = new ScriptedSmtp(Map.of("bad@example.com", "550 5.1.1 no such user"));
        var service = start(refusing.port())) {
      service.register("bad@example.com");
      service.register(ADA);
      service.service().worker("mail").runOnce();

      assertThat(
              service
                  .database()
                  .column("SELECT state FROM outbox WHERE recipient = 'bad@example.com'"))
          .containsExactly("dead");
      assertThat(
              service
                  .database()
                  .column("SELECT reason FROM outbox WHERE recipient = 'bad@example.com'"))
          .containsExactly("the server refused it with 550 5.1.1");
      assertThat(
              service.database().column("SELECT state FROM outbox WHERE recipient = '" + ADA + "'"))
          .containsExactly("sent");
    }
  }

  @Test
  void aMailThatTheServerPutsOffIsTriedAgain() throws IOException {
    try (var busy = new ScriptedSmtp(Map.of(ADA, "451 4.7.1 later"));
        var service = start(busy.port())) {
      service.register(ADA);
      service.service().worker("mail").runOnce();

      assertThat(service.database().column("SELECT state FROM outbox")).containsExactly("queued");
      assertThat(service.database().column("SELECT attempts FROM outbox").getFirst())
          .isNotEqualTo("0");
    }
  }

  @Test
  void twoNodesNeverSendOneMailTwice() {
    try (var one = start(smtp.getSmtp().getPort());
        var other =
            smtpSettings(TestService.with(one.database()), smtp.getSmtp().getPort())
                .clock(one.clock())
                .start()) {
      for (int i = 0; i < 20; i++) {
        one.register("user" + i + "@example.com");
      }
      List.of(one, other).parallelStream().forEach(it -> it.service().worker("mail").runOnce());

      assertThat(smtp.getReceivedMessages()).hasSize(20);
    }
  }

  @Test
  void aTlsServerIsDemandedUnlessTheSettingSaysNo() {
    try (var service =
        smtpSettings(TestService.with(engine), smtp.getSmtp().getPort())
            .set("SMTP_TLS", "starttls")
            .start()) {
      service.register(ADA);
      service.service().worker("mail").runOnce();

      assertThat(smtp.getReceivedMessages()).isEmpty();
      assertThat(service.database().column("SELECT state FROM outbox")).containsExactly("queued");
    }
  }

  private TestService start(int port) {
    return smtpSettings(TestService.with(engine), port).start();
  }

  private static TestService.Builder smtpSettings(TestService.Builder builder, int port) {
    return builder
        .set("SMTP_HOST", "127.0.0.1")
        .set("SMTP_PORT", Integer.toString(port))
        .set("SMTP_TLS", "none")
        .set("MAIL_FROM", "Auth <no-reply@example.org>");
  }

  /** An SMTP server that answers some recipients as it is told. */
  private static final class ScriptedSmtp implements AutoCloseable {
    private final ServerSocket server;

    ScriptedSmtp(Map<String, String> replies) throws IOException {
      server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      Thread.ofVirtual()
          .start(() -> {
            while (!server.isClosed()) {
              try (Socket client = server.accept()) {
                talk(client, replies);
              } catch (IOException closed) {
                return;
              }
            }
          });
    }

    int port() {
      return server.getLocalPort();
    }

    private static void talk(Socket client, Map<String, String> replies) throws IOException {
      var in =
          new BufferedReader(
              new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
      reply(client, "220 ready");
      boolean data = false;
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (data) {
          data = !line.equals(".");
          if (!data) {
            reply(client, "250 taken");
          }
        } else if (line.startsWith("DATA")) {
          data = true;
          reply(client, "354 go on");
        } else if (line.startsWith("RCPT TO:<")) {
          String recipient = line.substring(9, line.indexOf('>'));
          reply(client, replies.getOrDefault(recipient, "250 fine"));
        } else {
          reply(client, line.startsWith("QUIT") ? "221 bye" : "250 fine");
        }
      }
    }

    private static void reply(Socket client, String text) throws IOException {
      client.getOutputStream().write((text + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void close() {
      try {
        server.close();
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
  }
}
