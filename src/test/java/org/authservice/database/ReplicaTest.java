package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.authservice.testing.InstalledPostgres;
import org.authservice.testing.Reply;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code DATABASE_READ_URL} with a real standby, whose replay is held up and let go. */
@Tag("soak")
class ReplicaTest {
  private static final String ADA = "ada@example.com";

  @Test
  void listsLagWithTheStandbyAndDecisionsDoNot() {
    try (InstalledPostgres primary = InstalledPostgres.start("wal_level=replica");
        TestDatabase database = primary.empty("auth");
        InstalledPostgres standby = primary.standby();
        TestDatabase replica = standby.database("auth");
        TestService service =
            TestService.with(database).set("DATABASE_READ_URL", replica.url()).start()) {
      Reply first = service.verified(ADA);
      awaitReplay(database, replica);
      assertThat(sessions(service, first)).isOne();

      replica.column("SELECT pg_wal_replay_pause()::text");
      Reply second = service.login(ADA, TestService.PASSWORD).expect(200);
      assertThat(sessions(service, second)).isOne();
      second = service.refresh(second.text("refresh_token")).expect(200);
      service.logout(first.text("refresh_token"), "local").expect(200);
      service.profile(first.text("access_token")).expect(401);
      service.refresh(first.text("refresh_token")).expect(401);

      replica.column("SELECT pg_wal_replay_resume()::text");
      service.login(ADA, TestService.PASSWORD).expect(200);
      awaitReplay(database, replica);
      assertThat(sessions(service, second)).isEqualTo(2);

      standby.stop(standby.data());
      service.login(ADA, TestService.PASSWORD).expect(200);
      assertThat(sessions(service, second)).isEqualTo(3);
    }
  }

  private static void awaitReplay(TestDatabase database, TestDatabase replica) {
    String written = database.column("SELECT pg_current_wal_lsn()::text").getFirst();
    String sql = "SELECT (pg_last_wal_replay_lsn() >= '%s')::text".formatted(written);
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!replica.column(sql).equals(List.of("true"))) {
      assertThat(System.nanoTime()).as("replay up to %s", written).isLessThan(deadline);
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
