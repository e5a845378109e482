package org.authservice.mail;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.authservice.mail.UnreliableSmtp.Tls;
import org.authservice.testing.Databases;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Codes go only to a server whose certificate names it, under an authority that is trusted. */
class MailTlsTest {
  private static final String STORE_PASSWORD = "changeit";

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(names = {"STARTTLS", "FROM_THE_START"})
  void aServerUnderATrustedAuthorityGetsMail(Tls tls) throws Exception {
    try (var smtp = server(tls, "dns:localhost");
        var service = ServiceProcess.serve(trusting(smtp, tls), folder)) {
      register(service);

      assertThat(smtp.awaitNews()).isEqualTo("taken");
      assertThat(smtp.taken.getFirst().recipient()).isEqualTo("ada@example.com");
    }
  }

  @Test
  void aServerThatTheCertificateDoesNotNameGetsNoMail() throws Exception {
    try (var smtp = server(Tls.STARTTLS, "dns:other.example");
        var service = ServiceProcess.serve(trusting(smtp, Tls.STARTTLS), folder)) {
      register(service);

      assertThat(smtp.awaitNews()).isEqualTo("TLS failed");
      assertThat(smtp.recipients).hasValue(0);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"STARTTLS", "FROM_THE_START"})
  void aServerUnderAnAuthorityThatNobodyTrustsGetsNoMail(Tls tls) throws Exception {
    try (var smtp = server(tls, "dns:localhost");
        var service = settings(TestService.with(Databases.SQLITE), smtp, tls).start()) {
      service.register("ada@example.com");

      assertThat(smtp.awaitNews()).isEqualTo("TLS failed");
      service.service().worker("mail").runOnce();
      assertThat(smtp.recipients).hasValue(0);
      assertThat(service.database().column("SELECT state FROM outbox")).containsExactly("queued");
    }
  }

  private static void register(ServiceProcess service) {
    String body =
        "{\"email\":\"ada@example.com\",\"password\":\"%s\"}".formatted(TestService.PASSWORD);
    assertThat(service.post("/auth/register", body)).isEqualTo(201);
  }

  private Map<String, String> trusting(UnreliableSmtp smtp, Tls tls) {
    Map<String, String> settings = new HashMap<>();
    settings.put("PORT", "0");
    settings.put("MANAGEMENT_PORT", "0");
    settings.put("SMTP_HOST", "localhost");
    settings.put("SMTP_PORT", Integer.toString(smtp.port()));
    settings.put("SMTP_TLS", tls == Tls.STARTTLS ? "starttls" : "tls");
    settings.put("MAIL_FROM", "no-reply@example.org");
    // As docs/mail.md tells operators who have an authority of their own.
    settings.put(
        "JAVA_TOOL_OPTIONS",
        "-Djavax.net.ssl.trustStore="
            + folder.resolve("trust.p12")
            + " -Djavax.net.ssl.trustStorePassword="
            + STORE_PASSWORD);
    return settings;
  }

  private static TestService.Builder settings(
      TestService.Builder builder, UnreliableSmtp smtp, Tls tls) {
    return builder
        .set("SMTP_HOST", "localhost")
        .set("SMTP_PORT", Integer.toString(smtp.port()))
        .set("SMTP_TLS", tls == Tls.STARTTLS ? "starttls" : "tls")
        .set("MAIL_FROM", "no-reply@example.org");
  }

  /** A server with a certificate for that name, under an authority made for this test. */
  private UnreliableSmtp server(Tls tls, String name)
      throws IOException, GeneralSecurityException, InterruptedException {
    Path keys = folder.resolve("keys.p12");
    keytool(
        keys, "-genkeypair", "-alias", "ca", "-keyalg", "EC", "-dname", "CN=CA", "-ext", "bc:c");
    keytool(
        keys,
        "-genkeypair",
        "-alias",
        "server",
        "-keyalg",
        "EC",
        "-dname",
        "CN=mail",
        "-signer",
        "ca",
        "-ext",
        "san=" + name);
    Path authority = folder.resolve("ca.pem");
    keytool(keys, "-exportcert", "-alias", "ca", "-rfc", "-file", authority.toString());
    keytool(
        folder.resolve("trust.p12"),
        "-importcert",
        "-noprompt",
        "-alias",
        "ca",
        "-file",
        authority.toString());
    return new UnreliableSmtp(Clock.systemUTC(), tls, Optional.of(context(keys)));
  }

  private static SSLContext context(Path keys) throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(keys)) {
      store.load(in, STORE_PASSWORD.toCharArray());
    }
    store.deleteEntry("ca");
    var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(store, STORE_PASSWORD.toCharArray());
    var context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  private static void keytool(Path store, String... words)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(words));
    command.addAll(List.of("-keystore", store.toString(), "-storepass", STORE_PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
  }
}
