package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Nine o'clock at a school: 800 pupils behind one address sign in within five minutes, two in ten
 * after two wrong passwords each, with the limits as they are by default and the network's setting
 * of {@code docs/abuse.md}. Two more have forgotten theirs and guess on.
 */
class ClassroomTest {
  private static final String WRONG = "Wrong-Horse7!";
  private static final String[] SCHOOL = {"X-Forwarded-For", "203.0.113.7"};

  /** What a pupil does in one second. */
  private record Step(int second, int pupil, int wrongFirst) {}

  @ParameterizedTest
  @EnumSource
  void atATenthOfASchoolNobodyIsRefusedButWhoGuesses(Databases engine) {
    lesson(engine, 80, 30);
  }

  @ParameterizedTest
  @EnumSource
  @Tag("soak")
  void atASchoolNobodyIsRefusedButWhoGuesses(Databases engine) {
    lesson(engine, 800, 300);
  }

  private static void lesson(Databases engine, int pupils, int seconds) {
    try (var service = school(engine)) {
      enrol(service, pupils + 2);
      List<Reply> replies = new ArrayList<>();
      Map<Integer, List<Step>> steps =
          steps(pupils, seconds).stream().collect(Collectors.groupingBy(Step::second));
      for (int second = 0; second < seconds; second++) {
        replies.addAll(atOnce(service, steps.getOrDefault(second, List.of())));
        service.clock().advance(Duration.ofSeconds(1));
      }

      List<Reply> refused = replies.stream().filter(reply -> reply.status() == 429).toList();
      assertThat(refused).allSatisfy(reply -> reply.expect(429, "too_many_failures"));
      assertThat(refused).as("the eleventh guess, and the right password after it").hasSize(2 * 2);
      assertThat(replies.stream().filter(reply -> reply.status() == 401))
          .hasSize(pupils * 2 / 10 * 2 + 2 * 10);
      assertThat(replies).allMatch(reply -> List.of(200, 401, 429).contains(reply.status()));
    }
  }

  private static TestService school(Databases engine) {
    return TestService.with(engine)
        .set("RATE_LIMIT_PER_MINUTE", "100")
        .set("RATE_LIMIT_NETWORKS", "{\"203.0.113.7/32\": 5000}")
        .set("TRUSTED_PROXIES", "[\"127.0.0.1\"]")
        .start();
  }

  private static String pupil(int number) {
    return "pupil%d@school.example".formatted(number);
  }

  /** One hash serves all: they all have the same password. */
  private static void enrol(TestService service, int pupils) {
    service.register(pupil(0));
    service
        .database()
        .execute(
            IntStream.range(1, pupils)
                .mapToObj(i ->
                    """
                    INSERT INTO users (email, hashed_password, is_active, is_verified, created_at,
                      updated_at, credentials_version, tokens_valid_from, password_confirmed)
                      SELECT '%s', hashed_password, is_active, is_verified, created_at,
                      updated_at, credentials_version, tokens_valid_from, password_confirmed
                      FROM users WHERE email = '%s';
                    """
                        .formatted(pupil(i), pupil(0)))
                .collect(Collectors.joining()));
  }

  private static List<Step> steps(int pupils, int seconds) {
    var random = new Random(9);
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < pupils; i++) {
      steps.add(new Step(random.nextInt(seconds), i, i % 10 < 2 ? 2 : 0));
    }
    steps.add(new Step(seconds / 3, pupils, 11));
    steps.add(new Step(seconds / 2, pupils + 1, 11));
    Collections.shuffle(steps, random);
    return steps;
  }

  private static List<Reply> atOnce(TestService service, List<Step> steps) {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<Reply>>> futures =
          steps.stream().map(step -> threads.submit(() -> signIn(service, step))).toList();
      List<Reply> replies = new ArrayList<>();
      for (Future<List<Reply>> future : futures) {
        replies.addAll(future.get());
      }
      return replies;
    } catch (ExecutionException | InterruptedException failure) {
      throw new IllegalStateException(failure);
    }
  }

  /** Signs in after so many wrong passwords; then looks at the profile and refreshes. */
  private static List<Reply> signIn(TestService service, Step step) {
    List<Reply> replies = new ArrayList<>();
    for (int i = 0; i < step.wrongFirst(); i++) {
      replies.add(service.login(pupil(step.pupil()), WRONG, SCHOOL));
    }
    Reply reply = service.login(pupil(step.pupil()), TestService.PASSWORD, SCHOOL);
    replies.add(reply);
    if (reply.status() == 200) {
      String bearer = "Bearer " + reply.text("access_token");
      replies.add(
          service.get("/auth/profile", "Authorization", bearer, "X-Forwarded-For", "203.0.113.7"));
      replies.add(
          service.post(
              "/auth/refresh", Map.of("refresh_token", reply.text("refresh_token")), SCHOOL));
    }
    return replies;
  }
}
