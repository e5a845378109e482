package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import com.atlassian.oai.validator.OpenApiInteractionValidator;
import com.atlassian.oai.validator.model.Request.Method;
import com.atlassian.oai.validator.model.SimpleRequest;
import com.atlassian.oai.validator.model.SimpleResponse;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.authservice.http.ErrorCode;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Holds the published contract to the running service, and the service to the contract. */
class ContractTest {
  private static final String ADA = "ada@example.com";

  private TestService service;

  @BeforeEach
  void start() {
    service = TestService.on(Databases.SQLITE);
  }

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void everyEndpointOfTheServiceIsInTheContractAndTheOtherWayRound() {
    Set<String> described = new TreeSet<>();
    JsonNode paths = service.get("/openapi.json").expect(200).json().path("paths");
    paths
        .fieldNames()
        .forEachRemaining(path ->
            paths
                .path(path)
                .fieldNames()
                .forEachRemaining(method ->
                    described.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path)));
    Set<String> served = new TreeSet<>(Set.of("GET /health"));
    service.service().routes().stream()
        .filter(route -> !route.template().startsWith("/docs/assets/"))
        .forEach(route -> served.add(route.method() + " " + route.template()));

    assertThat(served).isEqualTo(described);
  }

  @Test
  void everyErrorCodeIsInTheContractAndOnTheErrorPage() {
    Set<String> codes = new TreeSet<>();
    for (ErrorCode code : ErrorCode.values()) {
      codes.add(code.code());
    }
    Set<String> described = new TreeSet<>();
    service
        .get("/openapi.json")
        .json()
        .at("/components/schemas/Problem/properties/code/enum")
        .forEach(code -> described.add(code.asText()));
    String page = service.get("/docs/errors").expect(200).http().body();

    assertThat(described).isEqualTo(codes);
    assertThat(codes)
        .allSatisfy(code -> assertThat(page).contains("<section id=\"" + code + "\">"));
  }

  @Test
  void requestsAndAnswersAreAsDescribed() throws Exception {
    var validator =
        OpenApiInteractionValidator.createForInlineApiSpecification(
                Files.readString(Path.of("src/main/resources/openapi.yaml")))
            .build();
    List<String> findings = new ArrayList<>();
    Drive drive =
        (method, path, body, reply) -> {
          var request = new SimpleRequest.Builder(method, path);
          if (body != null && reply.status() < 400) {
            request.withContentType("application/json").withBody(body);
            request.withAuthorization("Bearer x");
            validator
                .validateRequest(request.build())
                .getMessages()
                .forEach(message -> findings.add(method + " " + path + ": " + message));
          }
          var response =
              SimpleResponse.Builder.status(reply.status())
                  .withBody(reply.http().body())
                  .withContentType(reply.header("Content-Type").orElse(""));
          validator
              .validateResponse(path, method, response.build())
              .getMessages()
              .forEach(message -> findings.add(method + " " + path + " " + reply + ": " + message));
        };

    everyAnswer(drive);

    assertThat(findings).isEmpty();
  }

  /** Takes note of one exchange. */
  private interface Drive {
    void took(
        Method method, String path, @org.jspecify.annotations.Nullable String body, Reply reply);
  }

  private void everyAnswer(Drive drive) {
    String password = TestService.PASSWORD;
    Reply registered = post(drive, "/auth/register", Map.of("email", ADA, "password", password));
    post(drive, "/auth/register", Map.of("email", ADA, "password", password));
    post(drive, "/auth/register", Map.of("email", "x@example.com", "password", "weak"));
    post(drive, "/auth/register", Map.of("email", "x"));
    Map<String, String> proof =
        Map.of(
            "email",
            ADA,
            "otp_code",
            service.code(ADA),
            "purpose",
            "verification",
            "otp_id",
            registered.text("otp_id"));
    Reply tokens = post(drive, "/auth/verify-otp", proof);
    post(drive, "/auth/verify-otp", proof);
    post(drive, "/auth/login", Map.of("email", ADA, "password", password));
    post(drive, "/auth/login", Map.of("email", ADA, "password", "wrong"));
    post(drive, "/auth/login", Map.of());
    post(drive, "/auth/refresh", Map.of("refresh_token", tokens.text("refresh_token")));
    post(drive, "/auth/refresh", Map.of("refresh_token", "x"));
    post(drive, "/auth/generate-otp", Map.of("email", ADA, "purpose", "password_reset"));
    post(drive, "/auth/generate-otp", Map.of("email", ADA, "purpose", "password_reset"));
    Reply reset =
        post(
            drive,
            "/auth/verify-otp",
            Map.of("email", ADA, "otp_code", service.code(ADA), "purpose", "password_reset"));
    String bearer = "Bearer " + tokens.text("access_token");
    drive.took(Method.GET, "/auth/profile", null, service.profile(tokens.text("access_token")));
    drive.took(Method.GET, "/auth/profile", null, service.get("/auth/profile"));
    drive.took(Method.GET, "/auth/sessions", null, bearer(bearer, "GET", "/auth/sessions"));
    drive.took(Method.GET, "/auth/sessions", null, service.get("/auth/sessions"));
    String unknown = "/auth/sessions/unknown";
    drive.took(Method.DELETE, unknown, null, bearer(bearer, "DELETE", unknown));
    for (String path : List.of("/auth/introspect", "/auth/revoke")) {
      drive.took(Method.POST, path, null, service.send("POST", path, "{}"));
      drive.took(
          Method.POST,
          path,
          null,
          service.send(
              "POST", path, "token=x", "Content-Type", "application/x-www-form-urlencoded"));
    }
    String name = "{\"full_name\":null}";
    drive.took(
        Method.PUT,
        "/auth/profile",
        name,
        service.send("PUT", "/auth/profile", name, "Authorization", bearer));
    String change = "{\"current_password\":\"wrong\",\"new_password\":\"Another-Horse8?\"}";
    drive.took(
        Method.POST,
        "/auth/change-password",
        change,
        service.send("POST", "/auth/change-password", change, "Authorization", bearer));
    post(
        drive,
        "/auth/reset-password",
        Map.of("reset_token", reset.text("reset_token"), "new_password", "Another-Horse8?"));
    post(
        drive,
        "/auth/reset-password",
        Map.of("reset_token", "x", "new_password", "Another-Horse8?"));
    post(drive, "/auth/logout", Map.of("refresh_token", tokens.text("refresh_token")));
    drive.took(Method.GET, "/health", null, service.get("/health"));
    drive.took(Method.GET, "/dev/mail", null, service.get("/dev/mail"));
    for (int i = 0; i < 11; i++) {
      post(drive, "/auth/login", Map.of("email", "eve@example.com", "password", "wrong"));
    }
    for (String path : List.of("/auth/register", "/auth/login", "/auth/refresh", "/auth/logout")) {
      drive.took(Method.POST, path, null, service.send("POST", path, "{"));
      drive.took(
          Method.POST, path, null, service.send("POST", path, "{}", "Content-Type", "text/plain"));
      drive.took(Method.POST, path, null, service.send("POST", path, " ".repeat(70_000)));
    }
  }

  private Reply bearer(String bearer, String method, String path) {
    return service.send(method, path, null, "Authorization", bearer);
  }

  private Reply post(Drive drive, String path, Map<String, String> body) {
    List<String> members = new ArrayList<>();
    body.forEach((name, value) -> members.add("\"" + name + "\":\"" + value + "\""));
    String json = "{" + String.join(",", members) + "}";
    Reply reply = service.send("POST", path, json);
    drive.took(Method.POST, path, json, reply);
    return reply;
  }
}
