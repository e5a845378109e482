package org.authservice.account;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class ProfileTest extends HttpTest {

  @Test
  void theNameCanBeChangedAndCleared() {
    String token = service.verified(ADA).text("access_token");

    assertThat(put(token, "Ada Lovelace").expect(200).text("full_name")).isEqualTo("Ada Lovelace");
    assertThat(service.profile(token).text("full_name")).isEqualTo("Ada Lovelace");
    assertThat(put(token, null).expect(200).json().path("full_name").isNull()).isTrue();
  }

  @Test
  void aNameHasNoControlOrDirectionCharactersAndALimit() {
    String token = service.verified(ADA).text("access_token");
    for (String name :
        List.of("", "   ", "a\u0007b", "a\u202Eb", "a\u0000b", "line\nbreak", "x".repeat(201))) {
      put(token, name).expect(422, "validation_failed");
    }
    put(token, "x".repeat(200)).expect(200);
    put(token, "\uD83D\uDC69\u200D\uD83D\uDE80 Ada").expect(200);
    service
        .put("/auth/profile", Map.of(), "Authorization", "Bearer " + token)
        .expect(422, "validation_failed");
  }

  @Test
  void withoutATokenTheAnswerSaysWhatIsMissing() {
    Reply none = service.get("/auth/profile").expect(401, "token_invalid");
    Reply bad =
        service.get("/auth/profile", "Authorization", "Bearer x").expect(401, "token_invalid");

    assertThat(none.header("WWW-Authenticate")).contains("Bearer");
    assertThat(bad.header("WWW-Authenticate")).contains("Bearer error=\"invalid_token\"");
    service.get("/auth/profile", "Authorization", "Basic eDp5").expect(401, "token_invalid");
    service
        .send("PUT", "/auth/profile", "{broken", "Authorization", "Bearer x")
        .expect(401, "token_invalid");
  }

  @Test
  void anAccountThatIsSwitchedOffByPlainSqlHasNoProfile() {
    Reply tokens = service.verified(ADA);
    service.database().execute("UPDATE users SET is_active = false;\n");

    service.profile(tokens.text("access_token")).expect(401, "token_invalid");
    service.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
  }

  @Test
  void anOperatorCanSwitchAnAccountOffAndOnAndEraseIt() {
    Reply tokens = service.verified(ADA);
    var administration = service.service().administration();
    var account = administration.find(EmailAddress.parse(ADA).orElseThrow()).orElseThrow();

    assertThat(administration.deactivate(account)).isTrue();
    service.profile(tokens.text("access_token")).expect(401, "token_invalid");
    service.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
    service.login(ADA, TestService.PASSWORD).expect(403, "account_disabled");
    assertThat(administration.reactivate(account)).isTrue();
    service.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
    String again = service.login(ADA, TestService.PASSWORD).expect(200).text("access_token");

    administration.delete(account);

    service.profile(again).expect(401, "token_invalid");
    service.login(ADA, TestService.PASSWORD).expect(401, "invalid_credentials");
    assertThat(service.database().column("SELECT email FROM users").getFirst())
        .matches("deleted-[0-9a-f]{32}@invalid");
    assertThat(service.register(ADA).json().path("id").asLong()).isNotEqualTo(account.id());
  }

  @Test
  void whoeverHasJustSignedInMayEraseTheAccount() {
    Reply tokens = service.verified(ADA);
    String token = tokens.text("access_token");
    service.clock().advance(Duration.ofMinutes(5).plusSeconds(1));
    erase(token).expect(403, "login_required");
    String fresh = service.refresh(tokens.text("refresh_token")).text("access_token");
    erase(fresh).expect(403, "login_required");

    Reply again = service.login(ADA, TestService.PASSWORD).expect(200);
    erase(again.text("access_token")).expect(204);

    service.profile(fresh).expect(401, "token_invalid");
    erase(again.text("access_token")).expect(401, "token_invalid");
    service.refresh(again.text("refresh_token")).expect(401, "refresh_token_invalid");
    service.login(ADA, TestService.PASSWORD).expect(401, "invalid_credentials");
    service.service().worker("mail").runOnce(); // accounts for the mail that nobody gets now
    for (String table : List.of("sessions", "codes", "devices", "outbox", "registrations")) {
      assertThat(service.database().column("SELECT count(*) FROM " + table))
          .as(table)
          .containsExactly("0");
    }
    for (String column : List.of("address", "user_agent", "request_id")) {
      String sql = "SELECT max(" + column + ") FROM security_events WHERE user_id = 1";
      assertThat(service.database().column(sql)).as(column).containsExactly("");
    }
  }

  private Reply erase(String token) {
    return service.send("DELETE", "/auth/profile", null, "Authorization", "Bearer " + token);
  }

  private Reply put(String token, @org.jspecify.annotations.Nullable String name) {
    Map<String, Object> body = new HashMap<>();
    body.put("full_name", name);
    return service.put("/auth/profile", body, "Authorization", "Bearer " + token);
  }
}
