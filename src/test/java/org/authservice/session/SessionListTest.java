package org.authservice.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.authservice.account.EmailAddress;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class SessionListTest extends HttpTest {
  private static final String FIREFOX =
      "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0";
  private static final String IPHONE =
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
          + " (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
  private static final String EDGE =
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
          + " Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";

  @Test
  void usersSeeWhereTheyAreSignedIn() {
    service.verified(ADA);
    service.clock().advance(Duration.ofHours(3));
    Instant now = service.clock().instant();
    Reply phone = login(IPHONE);
    Reply browser = login(FIREFOX);

    List<JsonNode> sessions = list(browser.text("access_token"));

    assertThat(sessions).hasSize(3);
    assertThat(sessions.getFirst().path("device").asText()).isEqualTo("Firefox on Linux");
    assertThat(sessions)
        .extracting(it -> it.path("current").asBoolean())
        .containsExactly(true, false, false);
    assertThat(sessions.get(1).path("device").asText()).isEqualTo("Mobile Safari on iPhone");
    assertThat(sessions.get(1).path("address").asText()).isEqualTo("127.0.0.1");
    assertThat(Instant.parse(sessions.get(1).path("created_at").asText()))
        .isEqualTo(now.truncatedTo(ChronoUnit.MILLIS));
    String firstUse = sessions.get(2).path("last_used_at").asText();
    assertThat(Instant.parse(firstUse))
        .isEqualTo(now.minus(Duration.ofHours(3)).truncatedTo(ChronoUnit.HOURS));

    service.clock().advance(Duration.ofHours(1));
    String token = phone.text("refresh_token");
    service.post("/auth/refresh", Map.of("refresh_token", token), "User-Agent", IPHONE).expect(200);
    JsonNode refreshed = list(login(FIREFOX).text("access_token")).get(1);
    assertThat(refreshed.path("device").asText()).isEqualTo("Mobile Safari on iPhone");
    assertThat(Instant.parse(refreshed.path("last_used_at").asText()))
        .isEqualTo(now.plus(Duration.ofHours(1)).truncatedTo(ChronoUnit.HOURS));
  }

  @Test
  void aDeviceOfAnyKindHasAName() {
    service.verified(ADA);
    login(EDGE);
    login("okhttp/4.12.0");
    login("School-App/3.2 (build 7)");
    login("<script>alert(1)</script>");
    login(" ");
    String token = login("(".repeat(3000)).text("access_token");

    assertThat(list(token))
        .extracting(it -> it.path("device").asText())
        .contains("Edge on Windows", "okhttp", "School-App", "Unknown device")
        .noneMatch(name -> name.contains("<") || name.length() > 130);
  }

  @Test
  void endedAndExpiredSessionsAreNotListed() {
    service.verified(ADA);
    service.clock().advance(Duration.ofDays(7));
    Reply ended = login(FIREFOX);
    service.logout(ended.text("refresh_token"), "local").expect(200);

    assertThat(list(login(FIREFOX).text("access_token"))).hasSize(1);
  }

  @Test
  void oneOfManySessionsCanBeEnded() {
    Reply mine = service.verified(ADA);
    Reply lost = login(IPHONE);
    String id = list(mine.text("access_token")).get(1).path("id").asText();

    end(mine.text("access_token"), id).expect(204);

    service.profile(lost.text("access_token")).expect(401, "token_invalid");
    service.refresh(lost.text("refresh_token")).expect(401, "refresh_token_invalid");
    end(mine.text("access_token"), id).expect(404, "not_found");
    service.profile(mine.text("access_token")).expect(200);
    assertThat(list(mine.text("access_token"))).hasSize(1);
    assertThat(
            service
                .database()
                .column("SELECT session_id FROM security_events WHERE type = 'session_ended'"))
        .containsExactly(id);
  }

  @Test
  void theSessionThatAsksCanEndItself() {
    String token = service.verified(ADA).text("access_token");

    end(token, list(token).getFirst().path("id").asText()).expect(204);

    service.profile(token).expect(401, "token_invalid");
  }

  @Test
  void anothersSessionIsNotFound() {
    Reply ada = service.verified(ADA);
    String eve = service.verified("eve@example.com").text("access_token");
    String id = list(ada.text("access_token")).getFirst().path("id").asText();

    for (String foreign : List.of(id, "nonsense", "0".repeat(128))) {
      end(eve, foreign).expect(404, "not_found");
    }
    service.send("DELETE", "/auth/sessions/" + id, null).expect(401, "token_invalid");
    service.get("/auth/sessions").expect(401, "token_invalid");
    service.profile(ada.text("access_token")).expect(200);
    assertThat(list(eve)).hasSize(1);
  }

  @Test
  void anAccountThatIsSwitchedOffSeesAndEndsNothing() {
    String token = service.verified(ADA).text("access_token");
    String id = list(token).getFirst().path("id").asText();
    service.database().execute("UPDATE users SET is_active = false;\n");

    sessions(token).expect(401, "token_invalid");
    end(token, id).expect(401, "token_invalid");
  }

  @Test
  void anOperatorSeesAndEndsAnySession() {
    Reply one = service.verified(ADA);
    Reply other = login(FIREFOX);
    var administration = service.service().administration();
    var account = administration.find(EmailAddress.parse(ADA).orElseThrow()).orElseThrow();
    String id = list(one.text("access_token")).getFirst().path("id").asText();

    assertThat(administration.sessions(account)).hasSize(2);
    assertThat(administration.endSession(id)).isTrue();
    assertThat(administration.endSession(id)).isFalse();
    service.profile(one.text("access_token")).expect(401, "token_invalid");
    service.profile(other.text("access_token")).expect(200);
    administration.endSessions(account);
    service.profile(other.text("access_token")).expect(401, "token_invalid");
    assertThat(administration.sessions(account)).isEmpty();
  }

  private Reply login(String userAgent) {
    return service.login(ADA, TestService.PASSWORD, "User-Agent", userAgent).expect(200);
  }

  private Reply sessions(String accessToken) {
    return service.get("/auth/sessions", "Authorization", "Bearer " + accessToken);
  }

  private List<JsonNode> list(String accessToken) {
    List<JsonNode> sessions = new ArrayList<>();
    sessions(accessToken).expect(200).json().path("sessions").forEach(sessions::add);
    return sessions;
  }

  private Reply end(String accessToken, String id) {
    return service.send(
        "DELETE", "/auth/sessions/" + id, null, "Authorization", "Bearer " + accessToken);
  }
}
