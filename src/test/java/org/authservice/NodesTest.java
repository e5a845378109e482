package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.authservice.account.EmailAddress;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two nodes on one PostgreSQL. */
class NodesTest {
  private static final String ADA = "ada@example.com";

  private TestDatabase database;
  private TestService one;
  private TestService other;

  NodesTest() {
    database = Databases.POSTGRES.migrated();
    one = node().start();
    other = node().clock(one.clock()).start();
  }

  private TestService.Builder node() {
    return TestService.with(database)
        .set("PUBLIC_BASE_URL", "http://localhost:8000")
        .set("API_CLIENTS", "{\"orders\": \"a-secret-0123456789\"}");
  }

  @BeforeEach
  void bothServe() {
    one.get("/health").expect(200);
    other.get("/health").expect(200);
  }

  @AfterEach
  void stop() {
    one.close();
    other.close();
    database.close();
  }

  @Test
  void afterLogoutNeitherTokenWorksOnAnyNodeWithinASecond() {
    diesEverywhere(
        one.verified(ADA), tokens -> one.logout(tokens.text("refresh_token"), "local").expect(200));
  }

  @Test
  void aSessionThatItsUserEndsFromTheListDiesEverywhere() {
    diesEverywhere(
        one.verified(ADA),
        tokens -> {
          String access = tokens.text("access_token");
          String id =
              one.get("/auth/sessions", "Authorization", "Bearer " + access)
                  .expect(200)
                  .json()
                  .path("sessions")
                  .get(0)
                  .path("id")
                  .asText();
          one.send("DELETE", "/auth/sessions/" + id, null, "Authorization", "Bearer " + access)
              .expect(204);
        });
  }

  @Test
  void whatAResourceServerRevokesDiesEverywhere() {
    for (String kind : List.of("access_token", "refresh_token")) {
      diesEverywhere(
          one.verified(kind + "@example.com"),
          tokens ->
              one.send(
                      "POST",
                      "/auth/revoke",
                      "client_id=orders&client_secret=a-secret-0123456789&token="
                          + tokens.text(kind),
                      "Content-Type",
                      "application/x-www-form-urlencoded")
                  .expect(200));
    }
  }

  @Test
  void whatAnOperatorEndsDiesEverywhere() {
    var operator = one.service().administration();
    diesEverywhere(
        one.verified(ADA),
        _ ->
            operator.endSessions(
                operator.find(EmailAddress.parse(ADA).orElseThrow()).orElseThrow()));
    Reply again = one.login(ADA, TestService.PASSWORD).expect(200);
    diesEverywhere(
        again,
        _ ->
            operator.deactivate(
                operator.find(EmailAddress.parse(ADA).orElseThrow()).orElseThrow()));
  }

  private void diesEverywhere(Reply tokens, Consumer<Reply> end) {
    other.profile(tokens.text("access_token")).expect(200);

    end.accept(tokens);

    one.profile(tokens.text("access_token")).expect(401, "token_invalid");
    other.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
    int status;
    do {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
      status = other.profile(tokens.text("access_token")).status();
    } while (status == 200 && System.nanoTime() < deadline);
    assertThat(status).isEqualTo(401);
  }

  @Test
  void aHundredParallelRefreshesOnTwoNodesGiveOneSuccessor() {
    String first = one.verified(ADA).text("refresh_token");
    for (int round = 0; round < 3; round++) {
      String token = first;
      List<Reply> replies =
          TestService.parallel(
              100, () -> (Thread.currentThread().threadId() % 2 == 0 ? one : other).refresh(token));

      assertThat(replies).allSatisfy(reply -> reply.expect(200));
      assertThat(replies.stream().map(reply -> reply.text("refresh_token")).distinct()).hasSize(1);
      first = replies.getFirst().text("refresh_token");
      one.clock().advance(Duration.ofSeconds(31));
    }
  }

  @Test
  void whileNodesRunWithDifferentGracesTheLongestCounts() {
    try (var strict = node().set("REFRESH_REUSE_GRACE_SECONDS", "0").clock(one.clock()).start()) {
      String first = one.verified(ADA).text("refresh_token");
      String second = strict.refresh(first).expect(200).text("refresh_token");
      one.clock().advance(Duration.ofSeconds(29));

      assertThat(strict.refresh(second).expect(200).text("refresh_token")).isEqualTo(second);
      assertThat(strict.refresh(first).expect(200).text("refresh_token")).isEqualTo(second);

      one.close();
      other.close();
      strict.service().worker("nodes").runOnce();
      assertThat(strict.refresh(second).expect(200).text("refresh_token")).isNotEqualTo(second);
    }
  }

  @Test
  void aNodeThatFellSilentNoLongerCounts() {
    database.execute(
        "INSERT INTO nodes (id, reuse_grace_millis, seen_at) VALUES ('killed', 200000, "
            + one.clock().instant().toEpochMilli()
            + ")");
    String first = one.verified(ADA).text("refresh_token");
    String second = one.refresh(first).expect(200).text("refresh_token");
    one.clock().advance(Duration.ofSeconds(29));
    one.service().worker("nodes").runOnce();
    one.clock().advance(Duration.ofSeconds(2));
    assertThat(one.refresh(second).expect(200).text("refresh_token")).isEqualTo(second);

    one.service().worker("nodes").runOnce();

    assertThat(one.refresh(second).expect(200).text("refresh_token")).isNotEqualTo(second);
  }

  @Test
  void withoutAGraceAnyTokenButTheLastTwoEndsTheSessionOnEveryNode() {
    one.close();
    other.close();
    one = node().set("REFRESH_REUSE_GRACE_SECONDS", "0").start();
    other = node().set("REFRESH_REUSE_GRACE_SECONDS", "0").clock(one.clock()).start();
    one.register(ADA);
    for (int replayed = 0; replayed < 6; replayed++) {
      Reply tokens = one.login(ADA, TestService.PASSWORD).expect(200);
      List<String> given = new ArrayList<>(List.of(tokens.text("refresh_token")));
      for (int i = 0; i < 5; i++) {
        tokens = (i % 2 == 0 ? one : other).refresh(given.getLast()).expect(200);
        given.add(tokens.text("refresh_token"));
      }
      assertThat(given).doesNotHaveDuplicates();

      Reply replay = other.refresh(given.get(replayed));

      if (replayed >= 4) {
        replay.expect(200);
      } else {
        replay.expect(401, "refresh_token_invalid");
        one.refresh(given.getLast()).expect(401, "refresh_token_invalid");
        other.profile(tokens.text("access_token")).expect(401, "token_invalid");
      }
    }
  }

  @Test
  void wrongPasswordsAreCountedOverAllNodes() {
    one.register(ADA);
    for (int i = 0; i < 5; i++) {
      one.login(ADA, "Wrong-Horse7!").expect(401);
      other.login(ADA, "Wrong-Horse7!").expect(401);
    }

    one.login(ADA, TestService.PASSWORD).expect(429, "too_many_failures");
    other.login(ADA, TestService.PASSWORD).expect(429, "too_many_failures");
  }

  @Test
  void atMostTenOfManyWrongPasswordsAreComparedOverAllNodes() {
    one.register(ADA);

    List<Reply> replies = onBoth(40, "Wrong-Horse7!");

    assertThat(replies.stream().filter(reply -> reply.status() == 401)).hasSize(10);
    assertThat(replies).allMatch(reply -> List.of(401, 429, 503).contains(reply.status()));
  }

  @Test
  void aBurstOfRightPasswordsOnTwoNodesIsNeverRefusedForFailures() {
    one.register(ADA);

    List<Reply> replies = onBoth(40, TestService.PASSWORD);

    assertThat(replies).allMatch(reply -> List.of(200, 503).contains(reply.status()));
    assertThat(replies).anyMatch(reply -> reply.status() == 200);
  }

  private List<Reply> onBoth(int count, String password) {
    return TestService.parallel(
        count,
        () -> (Thread.currentThread().threadId() % 2 == 0 ? one : other).login(ADA, password));
  }

  @Test
  void twoHundredParallelRequestsNeverSee503() {
    String token = one.verified(ADA).text("access_token");

    List<Reply> replies = TestService.parallel(200, () -> one.profile(token));

    assertThat(replies).allSatisfy(reply -> reply.expect(200));
    List<Reply> codes =
        TestService.parallel(
            200,
            () -> one.ask("user" + Thread.currentThread().threadId() + "@example.com", "login"));
    assertThat(codes).allSatisfy(reply -> reply.expect(200));
  }
}
