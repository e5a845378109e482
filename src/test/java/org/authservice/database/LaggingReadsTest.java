package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.authservice.testing.Databases;
import org.authservice.testing.PostgresServers;
import org.authservice.testing.Reply;
import org.authservice.testing.TcpProxy;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

/** {@code DATABASE_READ_URL}; a replica that is far behind is an empty database here. */
class LaggingReadsTest {
  private static final String ADA = "ada@example.com";

  @Test
  void listsAreReadFromTheReplicaAndNothingIsDecidedByIt() {
    try (TestDatabase replica = Databases.POSTGRES.migrated();
        var service =
            TestService.with(Databases.POSTGRES).set("DATABASE_READ_URL", replica.url()).start()) {
      Reply tokens = service.verified(ADA);
      assertThat(sessions(service, tokens)).isZero();
      Reply next = service.refresh(tokens.text("refresh_token")).expect(200);
      service.profile(next.text("access_token")).expect(200);
      service.login(ADA, TestService.PASSWORD).expect(200);
      service.logout(next.text("refresh_token"), "local").expect(200);
      service.profile(next.text("access_token")).expect(401);
    }
  }

  @Test
  void whileTheReplicaIsAwayTheDatabaseStandsIn() throws Exception {
    try (TestDatabase replica = Databases.POSTGRES.migrated();
        var proxy = new TcpProxy(PostgresServers.shared().port());
        var service = reading(replica, proxy)) {
      Reply tokens = service.verified(ADA);
      assertThat(sessions(service, tokens)).isZero();
      proxy.cut();
      assertThat(sessions(service, tokens)).isOne();
      proxy.restore();
    }
  }

  @Test
  void aReplicaThatHangsHoldsUpFewListsAndNotEveryOne() throws Exception {
    try (TestDatabase replica = Databases.POSTGRES.migrated();
        var proxy = new TcpProxy(PostgresServers.shared().port());
        var service = reading(replica, proxy)) {
      Reply tokens = service.verified(ADA);
      assertThat(sessions(service, tokens)).isZero();
      proxy.freeze();
      long three = nanos(() -> assertThat(sessionsOften(service, tokens, 3)).containsOnly(1));
      long thirty = nanos(() -> assertThat(sessionsOften(service, tokens, 30)).containsOnly(1));
      assertThat(thirty).isLessThan(three);
      proxy.thaw();
    }
  }

  private static TestService reading(TestDatabase replica, TcpProxy proxy) {
    return TestService.with(Databases.POSTGRES)
        .set("DATABASE_READ_URL", PostgresServers.throughPort(replica, proxy.port()).url())
        .start();
  }

  private static List<Integer> sessionsOften(TestService service, Reply tokens, int times) {
    return IntStream.range(0, times).mapToObj(it -> sessions(service, tokens)).toList();
  }

  private static long nanos(Runnable task) {
    long start = System.nanoTime();
    task.run();
    return System.nanoTime() - start;
  }

  @Test
  void aReplicaThatWasNeverThereHindersNoStart() {
    try (var service =
        TestService.with(Databases.POSTGRES)
            .set("DATABASE_READ_URL", "postgresql://auth@127.0.0.1:9/auth")
            .start()) {
      assertThat(sessions(service, service.verified(ADA))).isOne();
    }
  }

  private static int sessions(TestService service, Reply tokens) {
    return service
        .get("/auth/sessions", "Authorization", "Bearer " + tokens.text("access_token"))
        .expect(200)
        .json()
        .path("sessions")
        .size();
  }
}
