package org.authservice.oidc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.authservice.account.EmailAddress;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

/** The table of docs/openid.md, row by row: who gets in where. */
class ProviderCasesTest extends ProviderTest {
  private static final String MINE = "subject-1";
  private static final String OTHERS = "subject-2";

  @Test
  void nobodyHasTheAddress() {
    row("none", "an account is made", "`google_email_unverified`");
    comesUnproven().expect(403, "google_email_unverified");
    assertNoAccount();

    Reply made = comesProven().expect(200);

    assertThat(made.json().path("user").path("is_verified").asBoolean()).isTrue();
    assertThat(googleId(ADA)).isEqualTo(MINE);
  }

  @Test
  void aVerifiedAccountHasIt() {
    row("verified", "linked, signed in, the owner is mailed", "`link_requires_login`");
    Reply before = service.verified(ADA);
    comesUnproven().expect(409, "link_requires_login");
    assertThat(googleId(ADA)).isEqualTo("null");

    Reply after = comesProven().expect(200);

    assertThat(userId(after)).isEqualTo(userId(before));
    assertThat(googleId(ADA)).isEqualTo(MINE);
    assertThat(service.mails(ADA))
        .extracting(it -> it.path("subject").asText())
        .anyMatch(it -> it.contains("sign-in method was added"));
    service.profile(before.text("access_token")).expect(200);
  }

  @Test
  void aVerifiedAccountHasItThatIsLinkedToAnother() {
    row(
        "verified, linked to another identity of this provider",
        "`link_requires_login`:",
        "`link_requires_login`");
    Reply owner = service.verified(ADA);
    linkAs(OTHERS, owner);

    comesUnproven().expect(409, "link_requires_login");
    comesProven().expect(409, "link_requires_login");

    assertThat(googleId(ADA)).isEqualTo(OTHERS);
    service.profile(owner.text("access_token")).expect(200);
    assertThat(liveSessions()).isEqualTo("1");
  }

  @Test
  void anUnverifiedAccountHasIt() {
    row("unverified", "passes to the one who comes", "`google_email_unverified`");
    Reply stranger = registered();
    comesUnproven().expect(403, "google_email_unverified");
    service.profile(stranger.text("access_token")).expect(200);

    Reply owner = comesProven().expect(200);

    assertPassedOn(stranger, owner);
  }

  @Test
  void anUnverifiedAccountHasItThatIsLinkedToAnother() {
    row(
        "unverified, linked to another identity",
        "the same: that link ends",
        "`google_email_unverified`");
    Reply stranger = registered();
    linkAs(OTHERS, stranger);
    comesUnproven().expect(403, "google_email_unverified");
    assertThat(googleId(ADA)).isEqualTo(OTHERS);

    Reply owner = comesProven().expect(200);

    assertPassedOn(stranger, owner);
    provider.user(OTHERS, "eve@example.com", true);
    assertThat(userId(signIn().expect(200))).isNotEqualTo(userId(owner));
  }

  @Test
  void anAccountHasItThatIsSwitchedOff() {
    row("switched off", "`account_disabled`", "as if it were not");
    service.verified(ADA);
    switchOff();

    comesProven().expect(403, "account_disabled");
    comesUnproven().expect(409, "link_requires_login");

    assertThat(googleId(ADA)).isEqualTo("null");
  }

  @Test
  void anUnverifiedAccountHasItThatIsSwitchedOff() {
    registered();
    switchOff();

    comesProven().expect(403, "account_disabled");
    comesUnproven().expect(403, "google_email_unverified");
  }

  @Test
  void theIdentityIsLinkedToAnAccountThatIsSwitchedOff() {
    linkAs(MINE, service.verified("bob@example.com"));
    String bobs = "bob@example.com";
    var administration = service.service().administration();
    administration.deactivate(
        administration.find(EmailAddress.parse(bobs).orElseThrow()).orElseThrow());

    comesProven().expect(403, "account_disabled");
    comesUnproven().expect(403, "account_disabled");

    assertThat(service.database().column("SELECT count(*) FROM users")).containsExactly("1");
  }

  @Test
  void theIdentityIsLinkedAndItsAddressIsAnotherAccountsByNow() {
    Reply bob = service.verified("bob@example.com");
    linkAs(MINE, bob);
    service.verified(ADA);

    assertThat(userId(comesProven().expect(200))).isEqualTo(userId(bob));
    assertThat(userId(comesUnproven().expect(200))).isEqualTo(userId(bob));
  }

  @Test
  void theProviderNamesNoAddress() {
    provider.claims = builder -> builder.claim("email_verified", true);

    signIn().expect(502, "google_refused");

    linkAs(MINE, service.verified(ADA));
    provider.claims = builder -> {};
    provider.userInfo.put("sub", MINE);
    signIn().expect(200);
  }

  @Test
  void theRegisteringDeviceLosesNothing() {
    Reply registered =
        service.post(
            "/auth/register",
            Map.of("email", ADA, "password", TestService.PASSWORD, "full_name", "Ada"));
    Reply session = service.login(ADA, TestService.PASSWORD).expect(200);

    callback(begin(""), "Device-Token", registered.text("device_token")).expect(200);

    service.profile(session.text("access_token")).expect(200);
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  @Test
  void whoeverIsSignedInToTheAccountLosesNothing() {
    Reply session = registered();
    String nonce = service.post("/auth/google/nonce", Map.of()).expect(200).text("nonce");
    provider.nonce = nonce;

    service
        .post(
            "/auth/google/id-token",
            Map.of("id_token", provider.idToken(), "nonce", nonce),
            bearer(session))
        .expect(200);

    service.profile(session.text("access_token")).expect(200);
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  private Reply comesProven() {
    provider.user(MINE, ADA, true);
    return signIn();
  }

  private Reply comesUnproven() {
    provider.user(MINE, ADA, false);
    return signIn();
  }

  /** A stranger registers the address and signs in with the password. */
  private Reply registered() {
    service.post(
        "/auth/register",
        Map.of("email", ADA, "password", TestService.PASSWORD, "full_name", "Eve"));
    return service.login(ADA, TestService.PASSWORD).expect(200);
  }

  private void assertPassedOn(Reply stranger, Reply owner) {
    assertThat(userId(owner)).isEqualTo(userId(stranger));
    assertThat(owner.json().path("user").path("full_name").isNull()).isTrue();
    assertThat(googleId(ADA)).isEqualTo(MINE);
    service.profile(stranger.text("access_token")).expect(401, "token_invalid");
    service.refresh(stranger.text("refresh_token")).expect(401, "refresh_token_invalid");
    service.login(ADA, TestService.PASSWORD).expect(403, "password_unconfirmed");
    assertThat(liveSessions()).isEqualTo("1");
  }

  private void linkAs(String subject, Reply session) {
    provider.user(subject, "eve@example.com", true);
    Reply begun = service.post("/auth/google/link", Map.of(), bearer(session)).expect(200);
    callback(flow(begun, begun.text("authorization_url"))).expect(200);
    provider.user(MINE, ADA, true);
  }

  private void switchOff() {
    var administration = service.service().administration();
    administration.deactivate(
        administration.find(EmailAddress.parse(ADA).orElseThrow()).orElseThrow());
  }

  private String liveSessions() {
    return String.valueOf(
        service
            .database()
            .column("SELECT count(*) FROM sessions WHERE ended_at IS NULL")
            .getFirst());
  }

  /** Holds the page to what is tested here. */
  private static void row(String account, String counts, String doesNot) {
    Optional<List<String>> row =
        page()
            .lines()
            .filter(line -> line.startsWith("| " + account + " |"))
            .map(line -> List.of(line.split("\\|", -1)))
            .findFirst();
    assertThat(row).as(account).isPresent();
    assertThat(row.get().get(2).strip()).startsWith(counts);
    assertThat(row.get().get(3).strip()).isEqualTo(doesNot);
  }

  private static String page() {
    try {
      return Files.readString(Path.of("docs/openid.md"));
    } catch (IOException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private static String userId(Reply tokens) {
    return tokens.json().path("user").path("id").asText();
  }

  private static String[] bearer(Reply session) {
    return new String[] {"Authorization", "Bearer " + session.text("access_token")};
  }
}
