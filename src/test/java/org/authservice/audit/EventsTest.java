package org.authservice.audit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.junit.jupiter.api.Test;

class EventsTest extends HttpTest {

  @Test
  void theOwnerSeesWhatHappenedToTheAccountNewestFirst() {
    String token = service.verified(ADA).text("access_token");
    service.clock().advance(Duration.ofMinutes(1));
    service.login(ADA, "Wrong-Horse7!").expect(401);
    service.register("eve@example.com");

    JsonNode events = events(token, "").expect(200).json().path("events");

    assertThat(events.path(0).path("type").asText()).isEqualTo("login");
    assertThat(events.path(0).path("outcome").asText()).isEqualTo("invalid_credentials");
    assertThat(events.path(0).path("address").asText()).isEqualTo("127.0.0.1");
    assertThat(types(events)).contains("registration", "code_check", "session_opened");
    assertThat(types(events)).filteredOn("registration"::equals).hasSize(1);
  }

  @Test
  void pagesFollowEachOtherWithoutGapsOrRepetitions() {
    String token = service.verified(ADA).text("access_token");
    for (int i = 0; i < 7; i++) {
      service.login(ADA, "Wrong-Horse7!").expect(401); // all at the same moment
    }
    List<String> ids = new ArrayList<>();
    String cursor = "";
    while (!cursor.equals("null")) {
      String from = cursor.isEmpty() ? "" : "&before=" + cursor;
      JsonNode page = events(token, "?limit=3" + from).expect(200).json();
      page.path("events").forEach(event -> ids.add(event.path("id").asText()));
      cursor = page.path("next").asText();
    }

    assertThat(new HashSet<>(ids)).hasSameSizeAs(ids);
    assertThat(ids)
        .containsExactlyInAnyOrderElementsOf(
            service.database().column("SELECT id FROM security_events WHERE user_id = 1"));
  }

  @Test
  void aStrangersWordsAreNoCursor() {
    String token = service.verified(ADA).text("access_token");
    for (String query :
        List.of("?limit=0", "?limit=101", "?limit=x", "?before=x", "?before=1-'", "?limit=-1")) {
      events(token, query).expect(422, "validation_failed");
    }
    service.get("/auth/events").expect(401, "token_invalid");
  }

  @Test
  void aDisabledAccountSeesNothing() {
    String token = service.verified(ADA).text("access_token");
    service.database().execute("UPDATE users SET is_active = false;\n");

    events(token, "").expect(401, "token_invalid");
  }

  private Reply events(String token, String query) {
    return service.get("/auth/events" + query, "Authorization", "Bearer " + token);
  }

  private static List<String> types(JsonNode events) {
    List<String> types = new ArrayList<>();
    events.forEach(event -> types.add(event.path("type").asText()));
    return types;
  }
}
