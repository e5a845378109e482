package org.authservice.mail;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The mail provider's webhook, and what follows for the addresses it names. */
@ParameterizedClass
@EnumSource(Databases.class)
class MailEventsTest {
  private static final String ADA = "ada@example.com";
  private static final String KEY = "a-key-of-mail-events-0123456789";
  private static final String BOUNCED = "{\"type\":\"bounced\",\"address\":\"" + ADA + "\"}";

  @Parameter Databases engine = Databases.SQLITE;
  private TestService service;

  @BeforeEach
  void start() {
    service =
        TestService.with(engine)
            .set("MAIL_EVENTS_SECRET", KEY)
            .set("OTP_RATE_LIMIT_MINUTES", "0")
            .start();
  }

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void anAddressThatBouncedOrComplainedGetsNoMailForAWhile() {
    service.verified(ADA);
    service.verified("bob@example.com");
    int before = service.mails(ADA).size();
    tell(BOUNCED).expect(204);
    tell("{\"type\":\"complained\",\"address\":\"BOB@Example.com\"}").expect(204);

    Reply known = service.ask(ADA, "login").expect(200);
    Reply unknown = service.ask("nobody@example.com", "login").expect(200);
    service.ask("bob@example.com", "login").expect(200);

    assertThat(known.json().properties().stream().map(Map.Entry::getKey))
        .containsExactlyElementsOf(
            unknown.json().properties().stream().map(Map.Entry::getKey).toList());
    assertThat(service.mails(ADA)).hasSize(before);
    assertThat(service.database().column("SELECT reason FROM outbox WHERE state = 'dead'"))
        .containsExactlyInAnyOrder("suppressed: bounced", "suppressed: complained");
    service.clock().advance(Duration.ofDays(7).plusSeconds(1));
    service.ask(ADA, "login").expect(200);
    assertThat(service.mails(ADA)).hasSize(before + 1);
  }

  @Test
  void whatElseHappensToMailsChangesNothing() {
    tell("{\"type\":\"delivered\",\"address\":\"" + ADA + "\"}").expect(204);
    tell("{\"type\":\"opened\",\"address\":\"" + ADA + "\",\"more\":{\"x\":[1]}}").expect(204);

    assertSuppressed();
  }

  @Test
  void aRequestWithoutAGoodSignatureIsRefused() {
    long now = service.clock().instant().getEpochSecond();
    String good = signature(now, BOUNCED, KEY);
    List<String> bad =
        List.of(
            "",
            good.substring(1),
            good.replace("v1=", "v0="),
            good.replace("t=" + now, "t=" + (now + 1)),
            good.substring(0, good.length() - 1),
            good + "0",
            good.toUpperCase(java.util.Locale.ROOT),
            good + "," + good,
            "t=" + now + ",v1=" + "0".repeat(64),
            "t=99999999999999999999,v1=" + "0".repeat(64),
            "t=-1,v1=" + "0".repeat(64),
            signature(now, BOUNCED, KEY + "x"),
            signature(now, BOUNCED + " ", KEY),
            signature(now - 301, BOUNCED, KEY),
            signature(now + 301, BOUNCED, KEY));
    for (String header : bad) {
      service
          .send("POST", "/mail/events", BOUNCED, "Mail-Signature", header)
          .expect(401, "signature_invalid");
    }
    service.send("POST", "/mail/events", BOUNCED).expect(401, "signature_invalid");
    service.send("POST", "/mail/events", "{").expect(401, "signature_invalid");
    assertSuppressed();
    service.send("POST", "/mail/events", BOUNCED, "Mail-Signature", good).expect(204);
  }

  @Test
  void aRequestThatWasRecordedIsRefused() {
    String signature = signature(service.clock().instant().getEpochSecond(), BOUNCED, KEY);
    String[] headers = {"Mail-Signature", signature};

    List<Reply> replies =
        TestService.parallel(10, () -> service.send("POST", "/mail/events", BOUNCED, headers));

    assertThat(replies.stream().filter(reply -> reply.status() == 204)).hasSize(1);
    assertThat(replies.stream().filter(reply -> reply.status() == 401)).hasSize(9);
    for (int minute = 0; minute < 20; minute++) {
      service.clock().advance(Duration.ofMinutes(1));
      service.send("POST", "/mail/events", BOUNCED, headers).expect(401, "signature_invalid");
    }
    tell(BOUNCED).expect(204);
  }

  @Test
  void aBodyMustBeAnEventOfUsualSize() {
    tell("{}").expect(422, "validation_failed");
    tell("[]").expect(422, "validation_failed");
    tell("{\"type\":\"bounced\"}").expect(422, "validation_failed");
    tell("{\"type\":\"bounced\",\"address\":7}").expect(422, "validation_failed");
    tell("{\"type\":\"bounced\",\"address\":\"nobody\"}").expect(422, "validation_failed");
    tell("{\"type\":\"bounced\",\"address\":\"" + "a".repeat(320) + "@b\"}")
        .expect(422, "validation_failed");
    tell("garbage").expect(400, "malformed_json");
    tell(BOUNCED + " ".repeat(70_000)).expect(413, "payload_too_large");
    assertSuppressed();
  }

  @Test
  void erasingAnAccountForgetsThatItsAddressBounced() {
    Reply tokens = service.verified(ADA);
    tell(BOUNCED).expect(204);
    tell("{\"type\":\"bounced\",\"address\":\"bob@example.com\"}").expect(204);

    service
        .send(
            "DELETE",
            "/auth/profile",
            null,
            "Authorization",
            "Bearer " + tokens.text("access_token"))
        .expect(204);

    assertSuppressed("bob@example.com");
  }

  @Test
  void withoutAKeyThereIsNoWebhook() {
    try (var plain = TestService.on(engine)) {
      String signature = signature(plain.clock().instant().getEpochSecond(), BOUNCED, "");
      plain
          .send("POST", "/mail/events", BOUNCED, "Mail-Signature", signature)
          .expect(404, "not_found");
    }
  }

  private Reply tell(String body) {
    String signature = signature(service.clock().instant().getEpochSecond(), body, KEY);
    return service.send("POST", "/mail/events", body, "Mail-Signature", signature);
  }

  private void assertSuppressed(String... addresses) {
    assertThat(service.database().column("SELECT address FROM mail_suppressions"))
        .containsExactly(addresses);
  }

  private static String signature(long seconds, String body, String key) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      byte[] bytes = key.isEmpty() ? new byte[1] : key.getBytes(StandardCharsets.UTF_8);
      mac.init(new SecretKeySpec(bytes, "HmacSHA256"));
      byte[] code = mac.doFinal((seconds + "." + body).getBytes(StandardCharsets.UTF_8));
      return "t=" + seconds + ",v1=" + HexFormat.of().formatHex(code);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
