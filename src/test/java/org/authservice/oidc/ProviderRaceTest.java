package org.authservice.oidc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.authservice.account.EmailAddress;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What happens at the same moment: an attacker gets in, by whatever they set up before, while the
 * victim proves the mailbox, or while the account's credentials end.
 */
class ProviderRaceTest extends ProviderTest {
  private static final boolean SHORT = Boolean.getBoolean("soak.short");
  private static final String EVE = "eve@example.com";
  private static final String EVES_SUBJECT = "eves-subject";

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);

  @Test
  void noSessionOfAnAttackerSurvivesTheVictimsCode() {
    victimsComeByCode(2);
  }

  @Test
  @Tag("soak")
  void noSessionOfAnAttackerSurvivesTheVictimsCodeManyTimes() {
    victimsComeByCode(SHORT ? 5 : 60);
  }

  @Test
  void noSessionOfAnAttackerSurvivesTheVictimsComingByGoogle() {
    victimsComeByGoogle(2);
  }

  @Test
  @Tag("soak")
  void noSessionOfAnAttackerSurvivesTheVictimsComingByGoogleManyTimes() {
    victimsComeByGoogle(SHORT ? 5 : 60);
  }

  @Test
  void signinsAmongADeactivationLeaveNothingAlive() {
    signIn().expect(200);
    var administration = service.service().administration();
    var account = administration.find(EmailAddress.parse(ADA).orElseThrow()).orElseThrow();
    List<Supplier<Reply>> actions = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      actions.add(nativeSignIn());
    }
    actions.add(() -> {
      administration.deactivate(account);
      return service.get("/health");
    });

    assertDead(atOnce(actions));

    assertThat(liveSessions(ADA)).isEqualTo("0");
  }

  @Test
  void exchangesAmongAResetLeaveNothingAlive() {
    signIn().expect(200);
    String otpId = service.ask(ADA, "password_reset").expect(200).text("otp_id");
    String resetToken =
        service
            .verify(ADA, "password_reset", service.code(ADA), otpId)
            .expect(200)
            .text("reset_token");
    List<Supplier<Reply>> actions = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      String code = exchangeCode();
      actions.add(() -> exchange(code, VERIFIER));
    }
    var reset = Map.of("reset_token", resetToken, "new_password", TestService.PASSWORD);
    actions.add(() -> service.post("/auth/reset-password", reset).expect(200));

    assertDead(atOnce(actions));

    assertThat(liveSessions(ADA)).isEqualTo("0");
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  private void victimsComeByCode(int rounds) {
    for (int round = 0; round < rounds; round++) {
      String victim = "victim" + round + "@example.com";
      List<Supplier<Reply>> attacks = attacks(victim);
      List<Supplier<Reply>> atAsking = attacks.subList(0, attacks.size() / 2);
      List<Supplier<Reply>> atEntering = attacks.subList(attacks.size() / 2, attacks.size());
      service.clock().advance(java.time.Duration.ofSeconds(61));
      List<Supplier<Reply>> first = new ArrayList<>(atAsking);
      first.add(() -> service.ask(victim, "login").expect(200));

      List<Reply> replies = new ArrayList<>(atOnce(first));
      String otpId =
          replies.stream()
              .filter(reply -> reply.status() == 200 && reply.json().has("resend_after"))
              .findFirst()
              .orElseThrow()
              .text("otp_id");
      String code = service.code(victim);
      List<Supplier<Reply>> second = new ArrayList<>(atEntering);
      second.add(() -> service.verify(victim, "login", code, otpId).expect(200));
      replies.addAll(atOnce(second));

      assertOnlyOwnersSessionLives(victim, replies);
      assertThat(googleId(victim)).isEqualTo("null");
    }
  }

  private void victimsComeByGoogle(int rounds) {
    for (int round = 0; round < rounds; round++) {
      String victim = "victim" + round + "@example.com";
      List<Supplier<Reply>> all = attacks(victim);
      provider.user("victims-subject-" + round, victim, true);
      all.add(nativeSignIn());

      List<Reply> replies = atOnce(all);

      assertOnlyOwnersSessionLives(victim, replies);
      assertThat(googleId(victim)).isEqualTo("victims-subject-" + round);
    }
  }

  /** Every way in that an attacker can have prepared who registered the victim's address. */
  private List<Supplier<Reply>> attacks(String victim) {
    service.register(victim);
    Reply session = service.login(victim, TestService.PASSWORD).expect(200);
    provider.now = service.clock().instant();
    provider.user(EVES_SUBJECT, EVE, true);
    Reply begun = service.post("/auth/google/link", Map.of(), bearer(session)).expect(200);
    callback(flow(begun, begun.text("authorization_url"))).expect(200);
    List<Supplier<Reply>> attacks = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      String code = exchangeCode();
      attacks.add(() -> exchange(code, VERIFIER));
      attacks.add(nativeSignIn());
      attacks.add(() -> service.login(victim, TestService.PASSWORD));
      attacks.add(() -> service.login(victim, TestService.PASSWORD));
      attacks.add(() -> service.refresh(session.text("refresh_token")));
    }
    String nonce = nonce();
    String token = provider.idToken();
    attacks.add(() ->
        service.post(
            "/auth/google/link", Map.of("id_token", token, "nonce", nonce), bearer(session)));
    return attacks;
  }

  /** One session is left on the account: the victim's, and its tokens are in one answer only. */
  private void assertOnlyOwnersSessionLives(String victim, List<Reply> replies) {
    assertThat(liveSessions(victim)).as("seed %d", seed).isEqualTo("1");
    long living =
        replies.stream()
            .filter(reply -> reply.status() == 200 && reply.json().has("access_token"))
            .filter(reply -> reply.json().at("/user/email").asText().equals(victim))
            .filter(reply -> service.profile(reply.text("access_token")).status() == 200)
            .count();
    assertThat(living).as("seed %d", seed).isEqualTo(1);
    service.login(victim, TestService.PASSWORD).expect(403, "password_unconfirmed");
    provider.user(EVES_SUBJECT, EVE, true);
    assertThat(nativeSignIn().get().expect(200).json().at("/user/email").asText()).isEqualTo(EVE);
    service.database().execute("DELETE FROM identities;\n");
    service.database().execute("UPDATE users SET google_id = NULL WHERE email = '" + EVE + "';\n");
  }

  private void assertDead(List<Reply> replies) {
    for (Reply reply : replies) {
      if (reply.status() == 200 && reply.json().has("access_token")) {
        service.profile(reply.text("access_token")).expect(401, "token_invalid");
        service.refresh(reply.text("refresh_token")).expect(401, "refresh_token_invalid");
      }
    }
  }

  /** Does all of it at the same time, begun in any order. */
  private List<Reply> atOnce(List<Supplier<Reply>> actions) {
    List<Supplier<Reply>> shuffled = new ArrayList<>(actions);
    Collections.shuffle(shuffled, random);
    var next = new AtomicInteger();
    return TestService.parallel(shuffled.size(), () -> shuffled.get(next.getAndIncrement()).get());
  }

  /** Whoever the provider knows now signs in from an app. */
  private Supplier<Reply> nativeSignIn() {
    String nonce = nonce();
    String token = provider.idToken();
    return () -> service.post("/auth/google/id-token", Map.of("id_token", token, "nonce", nonce));
  }

  private String nonce() {
    provider.nonce = service.post("/auth/google/nonce", Map.of()).expect(200).text("nonce");
    return provider.nonce;
  }

  private String exchangeCode() {
    String location = callback(begin(appQuery())).expect(303).header("Location").orElseThrow();
    return query(location).getOrDefault("code", "");
  }

  private String liveSessions(String email) {
    return String.valueOf(
        service
            .database()
            .column(
                "SELECT count(*) FROM sessions WHERE ended_at IS NULL AND user_id = (SELECT id"
                    + " FROM users WHERE email = '"
                    + email
                    + "')")
            .getFirst());
  }

  private static String[] bearer(Reply session) {
    return new String[] {"Authorization", "Bearer " + session.text("access_token")};
  }
}
