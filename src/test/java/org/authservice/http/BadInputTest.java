package org.authservice.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class BadInputTest extends HttpTest {

  /** Each endpoint that takes a body, with a body that is right. */
  private static final Map<String, Map<String, String>> BODIES = new LinkedHashMap<>();

  static {
    BODIES.put(
        "POST /auth/register",
        Map.of("email", "eve@example.com", "password", "Correct-Horse7!", "full_name", "Eve"));
    BODIES.put(
        "POST /auth/login", Map.of("email", "eve@example.com", "password", "Correct-Horse7!"));
    BODIES.put("POST /auth/generate-otp", Map.of("email", "eve@example.com", "purpose", "login"));
    BODIES.put(
        "POST /auth/verify-otp",
        Map.of(
            "email", "eve@example.com", "otp_code", "123456", "purpose", "login", "otp_id", "x"));
    BODIES.put(
        "POST /auth/reset-password", Map.of("reset_token", "x", "new_password", "Correct-Horse7!"));
    BODIES.put("POST /auth/refresh", Map.of("refresh_token", "x"));
    BODIES.put("POST /auth/logout", Map.of("refresh_token", "x", "scope", "local"));
    BODIES.put(
        "POST /auth/change-password",
        Map.of("current_password", "Correct-Horse7!", "new_password", "Another-Horse8?"));
    BODIES.put("PUT /auth/profile", Map.of("full_name", "Ada"));
  }

  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "7",
          "-1.5e300",
          "[]",
          "[\"x\"]",
          "{}",
          "{\"a\":1}",
          "\"\"",
          "\"\\u0000\"",
          "\"a\\u0000b\"",
          "\"\\ud800\"",
          "\"\u202Eevil\"",
          "\"\\r\\nBcc: x\"",
          "\"\uD83D\uDE00\"",
          "\"" + "x".repeat(60_000) + "\"",
          "\"' OR 1=1 --\"",
          "\"%s%n\"",
          "1e99999",
          "99999999999999999999999999");

  @Test
  void everyFieldRefusesWhatItIsNotWithACode() {
    String token = service.verified(ADA).text("access_token");
    for (var endpoint : BODIES.entrySet()) {
      for (String field : endpoint.getValue().keySet()) {
        for (String value : VALUES) {
          Reply reply = send(endpoint.getKey(), body(endpoint.getValue(), field, value), token);
          assertThat(reply.status())
              .as("%s %s=%.40s: %s", endpoint.getKey(), field, value, reply)
              .isLessThan(500);
          if (reply.status() >= 400) {
            assertThat(reply.text("code")).isNotEmpty();
          }
        }
      }
    }
  }

  @Test
  void aBodyThatIsNoJsonObjectIsRefused() {
    String token = service.verified(ADA).text("access_token");
    for (String endpoint : BODIES.keySet()) {
      for (String body :
          List.of("", " ", "{", "{\"a\":1}x", "{'a':1}", "\uFEFF{}", "NaN", "{\"a\":01}")) {
        send(endpoint, body, token).expect(400, "malformed_json");
      }
      send(endpoint, "{\"a\":" + "[".repeat(40) + "]".repeat(40) + "}", token)
          .expect(400, "malformed_json");
      for (String body : List.of("[]", "\"text\"", "7", "null", "true")) {
        send(endpoint, body, token).expect(422, "validation_failed");
      }
      String field = BODIES.getOrDefault(endpoint, Map.of()).keySet().iterator().next();
      send(endpoint, "{\"" + field + "\":\"a\",\"" + field + "\":\"b\"}", token)
          .expect(422, "validation_failed");
      send(endpoint, "{\"other\":{\"x\":1,\"x\":2}}", token).expect(422, "validation_failed");
      send(endpoint, "{\"other\":\"\\u0000\"}", token).expect(422, "validation_failed");
    }
  }

  @Test
  void aBodyOfAnotherTypeOrTooLargeIsRefused() {
    String token = service.verified(ADA).text("access_token");
    for (String endpoint : BODIES.keySet()) {
      String[] parts = endpoint.split(" ");
      String bearer = "Bearer " + token;
      service
          .send(parts[0], parts[1], "{}", "Content-Type", "text/plain", "Authorization", bearer)
          .expect(415, "unsupported_media_type");
      service
          .send(
              parts[0],
              parts[1],
              "a=b",
              "Content-Type",
              "application/x-www-form-urlencoded",
              "Authorization",
              bearer)
          .expect(415, "unsupported_media_type");
      for (int size : new int[] {70_000, 10_000_000}) {
        send(endpoint, "{\"x\":\"" + "y".repeat(size) + "\"}", token)
            .expect(413, "payload_too_large");
      }
    }
  }

  @Test
  void nothingIsLeftOfRefusedRegistrations() {
    for (String value : VALUES) {
      for (String field : List.of("email", "password")) {
        send(
            "POST /auth/register",
            body(BODIES.getOrDefault("POST /auth/register", Map.of()), field, value),
            "x");
      }
    }

    for (String table : List.of("users", "codes", "outbox", "devices", "registrations")) {
      assertThat(service.database().column("SELECT count(*) FROM " + table))
          .as(table)
          .containsExactly("0");
    }
  }

  @Test
  void addressesThatAreNotOnePlainAddressAreRefused() {
    for (String address :
        List.of(
            "plain",
            "@example.com",
            "a@",
            "a@b@c.com",
            "a b@example.com",
            "\"a b\"@example.com",
            "a@[127.0.0.1]",
            "a(c)@example.com",
            "Ada <ada@example.com>",
            "a@example.com,b@x.com",
            "a@example.com\r\nBcc: b@x.com",
            "a@exa_mple.com",
            "a@-x.com",
            "a@localhost",
            ".a@x.com",
            "a..b@x.com",
            "x".repeat(65) + "@example.com",
            "a@" + "x".repeat(260) + ".com")) {
      service
          .post("/auth/register", Map.of("email", address, "password", TestService.PASSWORD))
          .expect(422, "validation_failed");
    }
    assertThat(service.register("Ünïcode@bücher.example").text("email"))
        .isEqualTo("ünïcode@xn--bcher-kva.example");
  }

  private static String body(Map<String, String> fields, String changed, String value) {
    List<String> members = new ArrayList<>();
    fields.forEach((name, text) ->
        members.add("\"" + name + "\":" + (name.equals(changed) ? value : "\"" + text + "\"")));
    return "{" + String.join(",", members) + "}";
  }

  private Reply send(String endpoint, String body, String token) {
    String[] parts = endpoint.split(" ");
    return service.send(parts[0], parts[1], body, "Authorization", "Bearer " + token);
  }
}
