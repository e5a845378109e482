package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.authservice.testing.Databases;
import org.authservice.testing.PythonService;
import org.authservice.testing.Reply;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Side by side with the Python service on one database, while clients move over. */
@Tag("soak")
@ParameterizedClass
@EnumSource(Databases.class)
class CutOverTest {
  private static final String ADA = "ada@example.com";

  @Parameter Databases engine = Databases.SQLITE;

  private TestDatabase database;
  private TestService service;

  @BeforeEach
  void adopt() {
    database = engine.leftByPython();
    service =
        TestService.with(database).set("SECRET_KEY", PythonService.SECRET_KEY).realTime().start();
  }

  @AfterEach
  void stop() {
    service.close();
    database.close();
  }

  @Test
  void accessTokensOfEachServiceAreAcceptedByTheOther() throws Exception {
    List<String> theirs = python("issue", "1");
    Reply ours = service.login(ADA, PythonService.ADA_PASSWORD).expect(200);

    assertThat(service.profile(theirs.getFirst()).expect(200).text("email")).isEqualTo(ADA);
    assertThat(python("access", ours.text("access_token"))).containsExactly("accepted for 1");
    assertThat(python("refresh", ours.text("access_token")))
        .first()
        .asString()
        .startsWith("refused");
    assertThat(python("refresh", ours.text("refresh_token")))
        .first()
        .asString()
        .startsWith("refused");
    service.profile(theirs.get(1)).expect(401, "token_invalid");
    service.refresh(theirs.getFirst()).expect(401, "refresh_token_invalid");
  }

  @Test
  void aRefreshTokenThatWasTradedHereIsRefusedThere() throws Exception {
    String theirs = python("issue", "1").get(1);
    assertThat(python("refresh", theirs)).containsExactly("accepted for 1");

    Reply first = service.refresh(theirs).expect(200);

    assertThat(python("refresh", theirs)).containsExactly("refused: blacklisted");
    assertThat(service.refresh(theirs).expect(200).text("refresh_token"))
        .isEqualTo(first.text("refresh_token"));
  }

  @Test
  void loggingOutOfEitherServiceIsKnownToTheOther() throws Exception {
    String leftHere = python("issue", "1").get(1);
    String leftThere = python("issue", "1").get(1);

    service.logout(leftHere, "local").expect(200);
    python("logout", leftThere);

    assertThat(python("refresh", leftHere)).containsExactly("refused: blacklisted");
    service.refresh(leftThere).expect(401, "refresh_token_invalid");
  }

  @Test
  void leavingEverywhereEndsTheOldAccessTokensHere() throws Exception {
    // Its time of issue is known to the second only.
    String before = python("issue", "1", "2").getFirst();
    service.profile(before).expect(200);
    String ours = service.login(ADA, PythonService.ADA_PASSWORD).expect(200).text("refresh_token");

    service.logout(ours, "global").expect(200);

    service.profile(before).expect(401, "token_invalid");
  }

  @Test
  void aCodeThatThePythonServiceMadeVerifiesHereOnce() throws Exception {
    python("code", ADA, "login", "012345");

    service.verify(ADA, "login", "012345").expect(200);
    service.verify(ADA, "login", "012345").expect(401, "otp_invalid");
  }

  @Test
  void passwordsSetHereAreGoodThere() throws Exception {
    assertThat(python("login", ADA, PythonService.ADA_PASSWORD)).containsExactly("accepted for 1");
    String token = service.login(ADA, PythonService.ADA_PASSWORD).expect(200).text("access_token");
    service
        .post(
            "/auth/change-password",
            Map.of(
                "current_password", PythonService.ADA_PASSWORD, "new_password", "Another-Horse8?"),
            "Authorization",
            "Bearer " + token)
        .expect(200);

    assertThat(python("login", ADA, "Another-Horse8?")).containsExactly("accepted for 1");
    assertThat(python("login", ADA, PythonService.ADA_PASSWORD)).containsExactly("refused: wrong");
  }

  private List<String> python(String... command) throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of(
                "python3",
                Path.of("src/soak/python_service.py").toString(),
                database.url(),
                PythonService.SECRET_KEY));
    words.addAll(List.of(command));
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output.lines().toList();
  }
}
