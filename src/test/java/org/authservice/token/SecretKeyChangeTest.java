package org.authservice.token;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.authservice.operations.SecretKeys;
import org.authservice.testing.Databases;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

/** Changing {@code SECRET_KEY} in two rolling restarts. */
class SecretKeyChangeTest extends HttpTest {
  private static final String OLD = "the-old-key-0123456789abcdefghijklmnop";
  private static final String NEW = "the-new-key-zyxwvutsrqponmlkjihgfedcba";

  private final TestDatabase database = engine.migrated();

  private TestService.Builder node(String current, String... previous) {
    var builder =
        TestService.with(database)
            .set("SECRET_KEY", current)
            .set("PUBLIC_BASE_URL", "http://localhost:8000");
    return previous.length == 0
        ? builder
        : builder.set("SECRET_KEY_PREVIOUS", "[\"" + String.join("\",\"", previous) + "\"]");
  }

  @Test
  void whatAnOldKeySignedGoesOnWorking() {
    Reply tokens;
    String otpId;
    String code;
    try (var before = node(OLD).start()) {
      tokens = before.verified(ADA);
      otpId = before.ask(ADA, "login").expect(200).text("otp_id");
      code = before.code(ADA);
    }
    try (var after = node(NEW, OLD).start()) {
      after.profile(tokens.text("access_token")).expect(200);
      after.ask(ADA, "login").expect(429, "otp_rate_limited");
      after.verify(ADA, "login", code, otpId).expect(200);
      Reply renewed = after.refresh(tokens.text("refresh_token")).expect(200);
      after.profile(renewed.text("access_token")).expect(200);
      after.refresh(renewed.text("refresh_token")).expect(200);
    }
  }

  @Test
  void aNodeThatLacksAKeyInUseAnswers503AndNever401() {
    Reply tokens;
    try (var before = node(OLD).start()) {
      tokens = before.verified(ADA);
      try (var wrong = node(NEW).clock(before.clock()).start()) {
        wrong.profile(tokens.text("access_token")).expect(503);
        wrong.refresh(tokens.text("refresh_token")).expect(503);
        wrong.login(ADA, TestService.PASSWORD).expect(503);
        wrong.get("/health").expect(200);
      }
      // It has announced nothing: who is right goes on.
      before.service().worker("secret-keys").runOnce();
      before.profile(tokens.text("access_token")).expect(200);
    }
  }

  @Test
  void anOldKeyMayGoOnceEverythingThatItSignedIsDead() {
    TestService before = node(OLD).start();
    before.verified(ADA);
    before.close();
    var between = node(NEW, OLD).clock(before.clock()).start();
    between.close();
    before.clock().advance(Duration.ofDays(8));
    try (var after = node(NEW).clock(before.clock()).start()) {
      after.login(ADA, TestService.PASSWORD).expect(200);
    }
  }

  @Test
  void whatADistrustedKeySignedIsRefusedAndWhatItEncryptedIsRead() {
    Reply tokens;
    try (var before = node(OLD).start()) {
      tokens = before.verified(ADA);
    }
    try (var after = node(NEW, OLD).start()) {
      after.profile(tokens.text("access_token")).expect(200);
      var keys = after.service().keys();
      keys.secretKeys().distrust(keys.keyring().all().getLast().id(), false);
      after.service().worker("secret-keys").runOnce();

      after.profile(tokens.text("access_token")).expect(401, "token_invalid");
      after.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
      Reply again = after.login(ADA, TestService.PASSWORD).expect(200);
      after.profile(again.text("access_token")).expect(200);
    }
  }

  /** What rows are found by would be derived from another root there. */
  @Test
  void aNodeThatStartedWithoutTheOldKeyIsNeverReadyUntilItStartsAgain() {
    node(OLD).start().close();
    try (var lacking = node(NEW).start();
        var both = node(NEW, OLD).clock(lacking.clock()).start()) {
      lacking.login(ADA, TestService.PASSWORD).expect(503, "database_unavailable");
      var keys = both.service().keys();
      keys.secretKeys().distrust(keys.keyring().all().getLast().id(), false);

      lacking.service().worker("secret-keys").runOnce();

      lacking.login(ADA, TestService.PASSWORD).expect(503, "database_unavailable");
      both.login(ADA, TestService.PASSWORD).expect(401, "invalid_credentials");
    }
    try (var again = node(NEW).start()) {
      again.login(ADA, TestService.PASSWORD).expect(401, "invalid_credentials");
    }
  }

  @Test
  void aKeyThatIsLostForGoodIsGivenUpOnlyWhenTheOperatorSaysSo() {
    Reply tokens;
    String lost;
    try (var before = node(OLD).set("ALGORITHM", "ES256").start()) {
      tokens = before.verified(ADA);
      lost = before.service().keys().keyring().current().id();
    }
    try (var lacking = node(NEW).set("ALGORITHM", "ES256").start()) {
      var keys = lacking.service().keys().secretKeys();
      assertThat(keys.distrust(lost, false)).isEqualTo(SecretKeys.Distrusting.ELSEWHERE);
      assertThat(keys.distrust(lost, true)).isEqualTo(SecretKeys.Distrusting.DONE);
    }
    try (var after = node(NEW).set("ALGORITHM", "ES256").start()) {
      after.profile(tokens.text("access_token")).expect(401, "token_invalid");
      after.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
      Reply again = after.login(ADA, TestService.PASSWORD).expect(200);
      after.profile(again.text("access_token")).expect(200);
    }
  }

  @Test
  void whatIsSealedUnderAForeignKeyKeepsNobodyFromSigning() {
    try (var right = node(OLD).set("ALGORITHM", "ES256").start();
        var wrong = node(NEW).set("ALGORITHM", "ES256").clock(right.clock()).start()) {
      Reply tokens = right.verified(ADA);
      wrong.signingKeys().rotate(true);
      right.clock().advance(Duration.ofDays(2));
      right.service().worker("signing-keys").runOnce();
      right.refresh(tokens.text("refresh_token")).expect(200);

      right.clock().advance(Duration.ofDays(88).plusHours(1));
      wrong.service().worker("signing-keys").runOnce();
      right.service().worker("signing-keys").runOnce();

      assertThat(database.column("SELECT kid FROM signing_keys")).hasSize(3);
      Reply again = right.login(ADA, TestService.PASSWORD).expect(200);
      right.profile(again.text("access_token")).expect(200);
    }
  }

  @Test
  void signingKeysAreReadAfterTheChangeAndOutliveTheOldKey() {
    Reply tokens;
    TestService before = node(OLD).set("ALGORITHM", "ES256").start();
    tokens = before.verified(ADA);
    before.close();
    try (var both = node(NEW, OLD).set("ALGORITHM", "ES256").clock(before.clock()).start()) {
      both.profile(tokens.text("access_token")).expect(200);
      both.service().worker("signing-keys").runOnce();
    }
    before.clock().advance(Duration.ofDays(8));
    try (var after = node(NEW).set("ALGORITHM", "ES256").clock(before.clock()).start()) {
      Reply again = after.login(ADA, TestService.PASSWORD).expect(200);
      after.profile(again.text("access_token")).expect(200);
      assertThat(database.column("SELECT kid FROM signing_keys")).hasSize(1);
    }
  }

  /** Two nodes, each restarted twice, while clients go on at both. */
  @Test
  void nobodyIsLoggedOutByTwoRollingRestarts() throws InterruptedException {
    if (engine == Databases.SQLITE) {
      whatAnOldKeySignedGoesOnWorking(); // one node is all there is on SQLite
      return;
    }
    var nodes = new AtomicReference<>(List.of(node(OLD).start(), node(OLD).start()));
    var stop = new AtomicBoolean();
    List<String> failures = java.util.Collections.synchronizedList(new ArrayList<>());
    List<Thread> clients = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      String email = "user" + i + "@example.com";
      String first = nodes.get().getFirst().verified(email).text("refresh_token");
      int place = i;
      clients.add(
          Thread.ofVirtual().start(() -> keepRefreshing(nodes, place, first, stop, failures)));
    }
    try {
      for (Map.Entry<String, String> keys : List.of(Map.entry(OLD, NEW), Map.entry(NEW, OLD))) {
        for (int place = 0; place < 2; place++) {
          replace(nodes, place, node(keys.getKey(), keys.getValue()).start());
        }
      }
    } finally {
      stop.set(true);
      for (Thread client : clients) {
        client.join();
      }
      nodes.get().forEach(TestService::close);
    }
    assertThat(failures).isEmpty();
  }

  private static void replace(
      AtomicReference<List<TestService>> nodes, int place, TestService next) {
    TestService last = nodes.get().get(place);
    nodes.updateAndGet(now -> place == 0 ? List.of(next, now.get(1)) : List.of(now.get(0), next));
    last.service().worker("secret-keys").runOnce();
    last.close();
  }

  private static void keepRefreshing(
      AtomicReference<List<TestService>> nodes,
      int place,
      String first,
      AtomicBoolean stop,
      List<String> failures) {
    String token = first;
    for (int round = place; !stop.get(); round++) {
      try {
        Reply reply = nodes.get().get(round % 2).refresh(token);
        if (reply.status() == 200) {
          token = reply.text("refresh_token");
        } else {
          failures.add(reply.toString());
        }
      } catch (java.io.UncheckedIOException cut) {
        // The node was just replaced: the client asks the other one.
        Thread.onSpinWait();
      }
    }
  }
}
