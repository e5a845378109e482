package org.authservice.mail;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.authservice.testing.Databases;
import org.authservice.testing.RawConnection;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DevMailTest {
  private TestService service;
  private String url = "";

  @BeforeEach
  void start() throws IOException {
    service = TestService.on(Databases.SQLITE);
    Path key = service.folder().resolve(".auth-dev-key");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
        .isEqualTo("rw-------");
    url = "/dev/mail?key=" + Files.readString(key).strip();
    service.register("ada@example.com");
    service.service().worker("mail").runOnce();
  }

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void theMailboxShowsMailsToWhoeverHoldsTheKey() {
    Reply reply = service.get(url).expect(200);

    assertThat(reply.json().path("mails")).hasSize(1);
    for (String member : List.of("id", "to", "subject", "text", "html", "sent_at")) {
      assertThat(reply.json().at("/mails/0/" + member).asText()).as(member).isNotEmpty();
    }
    assertThat(service.get(url + "&to=other@example.com").json().path("mails")).isEmpty();
  }

  @Test
  void aBrowserGetsAPageWithoutScripts() {
    Reply page = service.get(url, "Accept", "text/html,*/*").expect(200);

    assertThat(page.header("Content-Type")).contains("text/html; charset=utf-8");
    assertThat(page.header("Content-Security-Policy").orElseThrow())
        .contains("default-src 'none'")
        .doesNotContain("script-src");
    assertThat(page.http().body())
        .contains("is your verification code")
        .contains("<iframe sandbox");
  }

  @Test
  void nobodyElseSeesThatThereIsOne() {
    service.get("/dev/mail").expect(404, "not_found");
    service.get("/dev/mail?key=wrong").expect(404, "not_found");
    for (String header :
        List.of(
            "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Anything", "Via")) {
      service.get(url, header, "x").expect(404, "not_found");
    }
    for (String host : List.of("evil.example", "localhost.evil.example", "127.0.0.2", "")) {
      try (var connection = new RawConnection(service.port())) {
        String answer =
            connection
                .send("GET " + url + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
                .readAll();
        assertThat(answer).as(host).doesNotContain("verification code");
      }
    }
  }

  @Test
  void withSmtpOrAPublicAddressThereIsNone() {
    try (var mailing =
            TestService.with(Databases.SQLITE)
                .set("SMTP_HOST", "127.0.0.1")
                .set("MAIL_FROM", "a@example.org")
                .start();
        var open =
            TestService.with(Databases.SQLITE)
                .set("PUBLIC_BASE_URL", "https://auth.example.com")
                .start()) {
      mailing.get(url).expect(404, "not_found");
      open.get(url).expect(404, "not_found");
      assertThat(open.folder().resolve(".auth-dev-key")).doesNotExist();
    }
  }
}
