package org.authservice.audit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.authservice.testing.HttpTest;
import org.authservice.testing.TestService;
import org.authservice.testing.WebhookReceiver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is suspicious is noticed, and told to whoever is to look at it. */
class AlarmsTest extends HttpTest {
  private static final String WRONG = "Wrong-Horse7!";
  private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  private final WebhookReceiver receiver = new WebhookReceiver();
  private TestService site;

  @BeforeEach
  void startSite() {
    site =
        TestService.with(engine)
            .set("SECURITY_WEBHOOK_URL", receiver.url())
            .set("SECURITY_WEBHOOK_SECRET", SECRET)
            .set("SUSPICIOUS_ACCOUNTS_PER_ADDRESS", "12")
            .set("SUSPICIOUS_ACCOUNTS_PER_PASSWORD", "6")
            .set("TRUSTED_PROXIES", "[\"127.0.0.1\"]")
            .start();
  }

  @AfterEach
  void stopSite() {
    site.close();
    receiver.close();
  }

  @Test
  void aNewDeviceIsAnAlarmButNotTheFirst() throws IOException {
    String device = site.verified(ADA).text("device_token");
    site.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(200);
    assertThat(alarms()).isEmpty();

    site.login(ADA, TestService.PASSWORD).expect(200);

    JsonNode alarm = onlyAlarm();
    assertThat(alarm.path("type").asText()).isEqualTo("security.new_device");
    assertThat(alarm.path("data").path("user_id").asText()).isEqualTo("1");
    assertThat(alarm.path("data").path("address").asText()).isEqualTo("127.0.0.1");
  }

  @Test
  void aNewNetworkIsAnAlarmOnceAndAgainAfterHalfAYear() throws IOException {
    String device = site.verified(ADA).text("device_token");
    for (String address : List.of("127.0.0.2", "198.51.100.1", "198.51.100.99", "127.0.0.3")) {
      login(address, device);
    }
    assertThat(onlyAlarm().path("type").asText()).isEqualTo("security.new_network");

    site.clock().advance(Duration.ofDays(179));
    login("198.51.100.1", device);
    assertThat(alarms()).hasSize(1);
    site.clock().advance(Duration.ofDays(2));
    String other = login("198.51.100.1", device);
    login("127.0.0.1", other);
    assertThat(alarms().stream().filter(it -> it.body().contains("new_network"))).hasSize(2);
    assertThat(site.database().column("SELECT network FROM known_networks"))
        .allMatch(it -> Objects.toString(it).matches("[0-9a-f]{32}"));
  }

  @Test
  @Tag("one-node")
  void manyAccountsFromOneAddressAreAnAlarmOnceAnHour() throws IOException {
    for (int i = 0; i < 30; i++) {
      site.login("user" + i + "@example.com", WRONG + i, "X-Forwarded-For", "192.0.2.1");
    }
    assertThat(onlyAlarm().path("type").asText())
        .isEqualTo("security.many_accounts_from_one_address");
    assertThat(onlyAlarm().path("data").path("address").asText()).isEqualTo("192.0.2.1");

    site.clock().advance(Duration.ofMinutes(61));
    for (int i = 0; i < 30; i++) {
      site.login("user" + i + "@example.com", WRONG + i, "X-Forwarded-For", "192.0.2.1");
    }
    assertThat(alarms()).hasSize(2);
  }

  @Test
  @Tag("one-node")
  void onePasswordOnManyAccountsIsAnAlarmFromManyAddressesTooAndIsKeptNowhere() throws IOException {
    for (int i = 0; i < 10; i++) {
      site.login("user" + i + "@example.com", WRONG, "X-Forwarded-For", "192.0.2." + i);
    }

    assertThat(onlyAlarm().path("type").asText())
        .isEqualTo("security.one_password_on_many_accounts");
    assertThat(receiver.posted().getFirst().body()).doesNotContain(WRONG);
    assertThat(site.database().column("SELECT subject FROM throttles"))
        .noneMatch(it -> Objects.toString(it).contains(WRONG));
  }

  @Test
  void oneAccountGuessedAtFromManyAddressesIsNeither() {
    for (int i = 0; i < 40; i++) {
      site.login(ADA, WRONG + i, "X-Forwarded-For", "192.0.2." + i);
    }

    assertThat(alarms()).isEmpty();
  }

  @Test
  void anAlarmIsSignedAndDated() throws GeneralSecurityException {
    site.verified(ADA);
    site.login(ADA, TestService.PASSWORD).expect(200);
    var posted = alarms().getFirst();

    String timestamp = posted.header("webhook-timestamp");
    assertThat(timestamp).isEqualTo(Long.toString(site.clock().instant().getEpochSecond()));
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(
        new SecretKeySpec(Base64.getDecoder().decode(SECRET.substring(6)), mac.getAlgorithm()));
    String signed = posted.header("webhook-id") + "." + timestamp + "." + posted.body();
    byte[] code = mac.doFinal(signed.getBytes(StandardCharsets.UTF_8));
    assertThat(posted.header("webhook-signature"))
        .isEqualTo("v1," + Base64.getEncoder().encodeToString(code));
  }

  @Test
  void whatIsNotTakenIsTriedAgainWithTheSameIdForADay() {
    receiver.answer(500);
    site.verified(ADA);
    site.login(ADA, TestService.PASSWORD).expect(200);
    assertThat(alarms()).hasSize(1);
    assertThat(alarms()).as("not before its time").hasSize(1);

    site.clock().advance(Duration.ofSeconds(11));
    receiver.answer(204);
    assertThat(alarms()).hasSize(2);
    assertThat(receiver.posted().get(1).header("webhook-id"))
        .isEqualTo(receiver.posted().getFirst().header("webhook-id"));
    assertThat(states()).containsExactly("sent");
    assertThat(site.database().column("SELECT payload FROM alarms")).containsOnlyNulls();

    receiver.answer(503);
    site.login(ADA, TestService.PASSWORD).expect(200);
    for (int i = 0; i < 30; i++) {
      alarms();
      site.clock().advance(Duration.ofHours(1));
    }
    assertThat(states()).containsExactlyInAnyOrder("sent", "expired");
  }

  @Test
  void whatIsWaitingIsNotReadableInTheDatabase() {
    receiver.answer(500);
    site.verified(ADA);
    site.login(ADA, TestService.PASSWORD, "User-Agent", "a-telling-name").expect(200);
    alarms();

    assertThat(site.database().column("SELECT payload FROM alarms"))
        .noneMatch(it -> Objects.toString(it).contains("a-telling-name"));
  }

  @Test
  void aReceiverThatIsGoneIsNotAskedAgain() {
    receiver.answer(410);
    site.verified(ADA);
    site.login(ADA, TestService.PASSWORD).expect(200);

    alarms();
    site.clock().advance(Duration.ofHours(1));
    assertThat(alarms()).hasSize(1);
    assertThat(states()).containsExactly("dead");
  }

  @Test
  void withoutAWebhookEventsAreRecordedAndNothingIsQueued() {
    service.verified(ADA);
    service.login(ADA, TestService.PASSWORD).expect(200);

    assertThat(
            service.database().column("SELECT type FROM security_events WHERE type = 'new_device'"))
        .hasSize(1);
    assertThat(service.database().column("SELECT id FROM alarms")).isEmpty();
  }

  @Test
  void anErasedAccountsNetworksAreForgotten() {
    String access = site.verified(ADA).text("access_token");
    site.send("DELETE", "/auth/profile", null, "Authorization", "Bearer " + access).expect(204);

    assertThat(site.database().column("SELECT network FROM known_networks")).isEmpty();
  }

  /** Signs in, and gives the token of the device that is known now. */
  private String login(String address, String device) {
    return site.login(ADA, TestService.PASSWORD, "X-Forwarded-For", address, "Device-Token", device)
        .expect(200)
        .text("device_token");
  }

  private List<WebhookReceiver.Posted> alarms() {
    site.service().worker("alarms").runOnce();
    return receiver.posted();
  }

  private JsonNode onlyAlarm() throws IOException {
    assertThat(alarms()).hasSize(1);
    return new ObjectMapper().readTree(receiver.posted().getFirst().body());
  }

  private List<String> states() {
    return site.database().column("SELECT state FROM alarms").stream()
        .map(Objects::toString)
        .toList();
  }
}
