package org.authservice.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.authservice.testing.HttpTest;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

/** Whoever writes to the database can change the record of events, but not unnoticed. */
class SealsTest extends HttpTest {
  private static final String OLD_KEY = "a-key-for-tests-0123456789abcdefghijkl";

  @Test
  void whatNobodyTouchedVerifies() {
    live(5);

    Seals.Report report = verify(service);
    assertThat(report.findings()).isEmpty();
    assertThat(report.seals()).as("the beginning, and five minutes").isEqualTo(6);
    assertThat(Long.toString(report.events()))
        .isEqualTo(service.database().column("SELECT count(*) FROM security_events").getFirst());
  }

  @Test
  void anEditedEventIsFound() {
    for (String edit :
        List.of(
            "outcome = 'ok'",
            "at = at + 1",
            "type = 'code_check'",
            "user_id = 77",
            "session_id = 'x'",
            "address = '192.0.2.1'",
            "address = '', user_agent = '', request_id = ''",
            "personal = ''")) {
      live(3);
      service
          .database()
          .execute(
              """
              CREATE TABLE kept AS SELECT * FROM security_events;
              UPDATE security_events SET %s
                WHERE id = (SELECT min(id) FROM security_events WHERE type = 'login');
              """
                  .formatted(edit));
      assertThat(verify(service).findings()).as(edit).hasSize(1);
      service
          .database()
          .execute(
              """
              DELETE FROM security_events;
              INSERT INTO security_events SELECT * FROM kept;
              DROP TABLE kept;
              """);
      assertThat(verify(service).findings()).isEmpty();
    }
  }

  @Test
  void aDeletedEventIsFound() {
    live(3);
    service
        .database()
        .execute(
            """
            DELETE FROM security_events
              WHERE id = (SELECT min(id) FROM security_events WHERE type = 'login');
            """);

    assertThat(verify(service).findings())
        .singleElement()
        .asString()
        .contains("events were sealed, and");
  }

  @Test
  void anEventPutInLaterIsFound() {
    live(3);
    service
        .database()
        .execute(
            """
            INSERT INTO security_events (id, at, type, outcome, address, user_agent, request_id)
              SELECT 'ffffffffffffffffffffffffffffffff', min(at), 'login', 'ok', '', '', ''
              FROM security_events;
            """);

    assertThat(verify(service).findings()).hasSize(1);
  }

  @Test
  void sealsThatWereChangedOrTakenOutAreFound() {
    live(5);
    service.database().execute("UPDATE audit_seals SET events = events + 1 WHERE number = 3;\n");
    assertThat(verify(service).findings()).anyMatch(it -> it.contains("was changed"));

    service.database().execute("DELETE FROM audit_seals WHERE number = 3;\n");
    assertThat(verify(service).findings()).contains("the seals between 2 and 4 are gone");

    service.database().execute("DELETE FROM audit_seals WHERE number < 4;\n");
    assertThat(verify(service).findings())
        .contains("the seals before 4 are gone before their time");
  }

  @Test
  void aChainForgedWithoutTheKeyIsFound() {
    live(1);
    Seal last =
        service.database().column("SELECT chain FROM audit_seals WHERE number = 1").stream()
            .map(chain ->
                new Seal(
                    1,
                    service.clock().instant(),
                    0,
                    "",
                    service.clock().instant(),
                    String.valueOf(chain),
                    ""))
            .findFirst()
            .orElseThrow();
    Seal forged =
        last.next(
            service.clock().instant(),
            new Seal.Contents(
                0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            service.clock().instant());
    service
        .database()
        .execute(
            """
            DELETE FROM security_events WHERE at >=
              (SELECT sealed_until FROM audit_seals WHERE number = 1);
            UPDATE audit_seals SET sealed_until = %d, events = 0, digest = '%s', kept_since = %d,
              chain = '%s' WHERE number = 2;
            """
                .formatted(
                    forged.until().toEpochMilli(),
                    forged.digest(),
                    forged.keptSince().toEpochMilli(),
                    forged.chain()));

    assertThat(verify(service).findings()).contains("the newest seal, 2, was not signed here");
  }

  @Test
  void anEndThatWasCutOffIsFoundByTimeByTheEventsLeftAndByANotedHead() {
    live(3);
    String head = verify(service).head();
    service.database().execute("DELETE FROM audit_seals WHERE number = 4;\n");
    assertThat(service.service().seals().verify(Optional.of(head)).findings())
        .contains("seal " + head + " is not in the chain");

    service.clock().advance(Duration.ofMinutes(30));
    assertThat(verify(service).findings())
        .anyMatch(it -> it.startsWith("nothing is sealed since"))
        .anyMatch(it -> it.endsWith("has no seal"));
  }

  @Test
  void anErasedAccountLeavesTheSealsWhole() {
    String access = service.verified(ADA).text("access_token");
    live(1);
    service.send("DELETE", "/auth/profile", null, "Authorization", "Bearer " + access).expect(204);
    live(1);

    assertThat(service.database().column("SELECT address FROM security_events WHERE user_id = 1"))
        .containsOnly("");
    assertThat(verify(service).findings()).isEmpty();
  }

  @Test
  void whatRetentionDeletedIsNotMissed() {
    live(3);
    service.clock().advance(Duration.ofDays(366));
    live(2);
    service
        .database()
        .execute(
            """
            DELETE FROM security_events WHERE at < (SELECT max(at) - 31600000000
              FROM security_events);
            DELETE FROM audit_seals WHERE number < 3;
            """);

    assertThat(verify(service).findings()).isEmpty();
  }

  @Test
  void aChangeOfTheSecretKeyLeavesTheSealsWhole() {
    String next = "another-key-for-tests-0123456789abcdefgh";
    try (TestDatabase database = engine.migrated()) {
      var clock = new TestClock();
      try (var before = TestService.with(database).clock(clock).start()) {
        live(before, 2);
      }
      TestService.Builder swapped = TestService.with(database).clock(clock);
      try (var between =
          swapped.set("SECRET_KEY", next).set("SECRET_KEY_PREVIOUS", OLD_KEY).start()) {
        assertThat(verify(between).findings()).isEmpty();
        live(between, 2);
        assertThat(verify(between).findings()).isEmpty();
      }
      clock.advance(Duration.ofDays(8));
      try (var after = TestService.with(database).clock(clock).set("SECRET_KEY", next).start()) {
        live(after, 1);
        assertThat(verify(after)).matches(it -> it.findings().isEmpty() && it.seals() == 6);
      }
    }
  }

  @Test
  void nodesThatSealTogetherMakeOneSeal() {
    try (var other = TestService.with(service.database()).clock(service.clock()).start()) {
      service.login(ADA, "Wrong-Horse7!").expect(401);
      service.clock().advance(Duration.ofMinutes(4));
      Callable<Boolean> seal =
          () -> {
            boolean here = Thread.currentThread().threadId() % 2 == 0;
            (here ? service : other).service().worker("audit seal").runOnce();
            return here;
          };
      TestService.parallel(8, seal);

      assertThat(verify(service)).matches(it -> it.findings().isEmpty() && it.seals() == 2);
    }
  }

  @Test
  void aChangedSettingIsAnEventOnce() {
    try (TestDatabase database = engine.migrated()) {
      for (String minutes : List.of("10", "10", "20", "20")) {
        TestService.with(database)
            .set("PUBLIC_BASE_URL", "http://localhost:8000")
            .set("ACCESS_TOKEN_EXPIRE_MINUTES", minutes)
            .start()
            .close();
      }

      assertThat(
              database.column("SELECT outcome FROM security_events WHERE type = 'setting_changed'"))
          .containsExactly("ACCESS_TOKEN_EXPIRE_MINUTES");
      assertThat(database.column("SELECT fingerprint FROM settings_seen"))
          .allMatch(it -> String.valueOf(it).matches("[0-9a-f]{64}"));
    }
  }

  @Test
  void aChangedSecretIsAnEventAndItsValueIsNowhere() {
    try (TestDatabase database = engine.migrated()) {
      for (String word :
          List.of("first-word-0123456789", "first-word-0123456789", "other-word-0123456789")) {
        TestService.with(database)
            .set("PUBLIC_BASE_URL", "http://localhost:8000")
            .set("MAIL_EVENTS_SECRET", word)
            .set("API_CLIENTS", "{\"shop\": \"" + word + "\"}")
            .set("GOOGLE_CLIENT_ID", "web")
            .set("GOOGLE_CLIENT_SECRET", word)
            .set("SMTP_USERNAME", "mailer")
            .set("SMTP_PASSWORD", word)
            .set("SMTP_HOST", "127.0.0.1")
            .set("MAIL_FROM", "no-reply@example.org")
            .set("SECURITY_WEBHOOK_URL", "http://127.0.0.1:1/")
            .set("SECURITY_WEBHOOK_SECRET", word + "-0123456789")
            .start()
            .close();
      }

      assertThat(
              database.column("SELECT outcome FROM security_events WHERE type = 'setting_changed'"))
          .containsExactlyInAnyOrder(
              "MAIL_EVENTS_SECRET",
              "API_CLIENTS shop",
              "GOOGLE_CLIENT_SECRET",
              "SMTP_PASSWORD",
              "SECURITY_WEBHOOK_SECRET");
      assertThat(database.column("SELECT setting || ' ' || fingerprint FROM settings_seen"))
          .noneMatch(it -> String.valueOf(it).contains("-word-"));
    }
  }

  /** Lets minutes pass in which something happens and is sealed. */
  private void live(int minutes) {
    live(service, minutes);
  }

  private static void live(TestService on, int minutes) {
    for (int i = 0; i < minutes; i++) {
      on.post("/auth/login", Map.of("email", ADA, "password", "Wrong-Horse7!"));
      on.clock().advance(Duration.ofMinutes(4));
      on.service().worker("audit seal").runOnce();
    }
  }

  private static Seals.Report verify(TestService on) {
    return on.service().seals().verify(Optional.empty());
  }
}
