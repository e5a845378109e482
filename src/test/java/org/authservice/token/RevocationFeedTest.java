package org.authservice.token;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.authservice.account.EmailAddress;
import org.authservice.settings.DatabaseSettings;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What one node ends, the other refuses: two nodes on one PostgreSQL. */
class RevocationFeedTest {
  private static final String ADA = "ada@example.com";
  private static final String NEXT_PASSWORD = "Better-Horse8!";

  private final TestDatabase database = Databases.POSTGRES.migrated();
  private final TestService one = node().start();
  private final TestService other = node().clock(one.clock()).start();

  private TestService.Builder node() {
    return TestService.with(database).set("PUBLIC_BASE_URL", "http://localhost:8000");
  }

  @AfterEach
  void stop() {
    one.close();
    other.close();
    database.close();
  }

  @Test
  void whatEndsAnAccountsSessionsReachesEveryNodeWithinASecond() {
    Map<String, Runnable> endings =
        Map.of(
            "off@example.com", () -> administration().deactivate(account("off@example.com")),
            "gone@example.com", () -> administration().delete(account("gone@example.com")),
            "reset@example.com", () -> reset("reset@example.com"),
            "global@example.com",
                () ->
                    one.logout(
                            one.login("global@example.com", TestService.PASSWORD)
                                .expect(200)
                                .text("refresh_token"),
                            "global")
                        .expect(200));
    endings.forEach((email, ending) -> {
      Reply tokens = one.verified(email);
      check(other, tokens).expect(204);

      ending.run();

      check(one, tokens).expect(401, "token_invalid");
      awaitRefusal(tokens, Duration.ofSeconds(1));
      one.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
      other.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
    });
  }

  @Test
  void changingThePasswordEndsTheOtherSessionsOnEveryNode() {
    Reply here = one.verified(ADA);
    Reply there = one.login(ADA, TestService.PASSWORD).expect(200);

    one.post(
            "/auth/change-password",
            Map.of("current_password", TestService.PASSWORD, "new_password", NEXT_PASSWORD),
            "Authorization",
            "Bearer " + here.text("access_token"))
        .expect(200);

    awaitRefusal(there, Duration.ofSeconds(1));
    check(other, here).expect(204);
  }

  @Test
  void anEntryThatCommitsAfterOneWithAHigherIdIsFollowed() throws SQLException {
    Reply slow = one.verified(ADA);
    Reply quick = one.login(ADA, TestService.PASSWORD).expect(200);
    try (Connection connection = database.connect();
        var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(insertion(session(slow)));
      one.logout(quick.text("refresh_token"), "local").expect(200);
      awaitRefusal(quick, Duration.ofSeconds(1));
      check(other, slow).expect(204);

      connection.commit();
    }

    awaitRefusal(slow, Duration.ofSeconds(1));
  }

  @Test
  void aNodeHearsOfAnEndBeforeItReadsTheTable() {
    Reply tokens = one.verified(ADA);
    awaitListeners(LISTENERS);

    database.execute("SELECT pg_notify('auth_revocations', '" + session(tokens) + "')");

    awaitRefusal(tokens, Duration.ofSeconds(1));
  }

  @Test
  void aNodeThatLostTheConnectionItHearsByMakesAnother() {
    Reply tokens = one.verified(ADA);
    awaitListeners(LISTENERS);
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " + LISTENERS_OF_THIS);
    awaitListeners(0);
    awaitListeners(LISTENERS);

    database.execute("SELECT pg_notify('auth_revocations', '" + session(tokens) + "')");

    awaitRefusal(tokens, Duration.ofSeconds(1));
  }

  @Test
  void aStandbyIsNotFollowed() {
    String name = ((DatabaseSettings.Postgres) database.settings().location()).database();
    database.execute(
        "CREATE TABLE public.role (standby boolean);\nINSERT INTO role VALUES (false)");
    database.execute(
        "CREATE FUNCTION public.pg_is_in_recovery() RETURNS boolean LANGUAGE sql"
            + " AS 'SELECT standby FROM public.role'");
    database.execute("ALTER DATABASE " + name + " SET search_path = public, pg_catalog");
    try (var node = node().clock(one.clock()).start()) {
      Reply tokens = one.verified(ADA);
      check(node, tokens).expect(204);
      database.execute("UPDATE role SET standby = true");

      await(Duration.ofSeconds(7), () -> check(node, tokens).status() == 503);

      database.execute("UPDATE role SET standby = false");
      await(Duration.ofSeconds(3), () -> check(node, tokens).status() == 204);
    }
  }

  /** One connection for each of the two nodes. */
  private static final int LISTENERS = 2;

  private static final String LISTENERS_OF_THIS =
      "datname = current_database() AND application_name = 'auth-service listener'";

  private void awaitListeners(int count) {
    // A listener's last statement tells that it listens, and not only that it is connected.
    String sql =
        "SELECT count(*) FROM pg_stat_activity WHERE query <> '' AND query NOT LIKE 'SET%' AND "
            + LISTENERS_OF_THIS;
    await(
        Duration.ofSeconds(5), () -> database.column(sql).equals(List.of(Integer.toString(count))));
  }

  private void awaitRefusal(Reply tokens, Duration within) {
    await(within, () -> check(other, tokens).status() == 401);
  }

  private static void await(Duration within, BooleanSupplier condition) {
    long deadline = System.nanoTime() + within.toNanos();
    boolean met = condition.getAsBoolean();
    while (!met && System.nanoTime() < deadline) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
      met = condition.getAsBoolean();
    }
    assertThat(met).as("within %s", within).isTrue();
  }

  private org.authservice.signin.AccountAdministration administration() {
    return one.service().administration();
  }

  private org.authservice.account.Account account(String email) {
    return administration().find(EmailAddress.parse(email).orElseThrow()).orElseThrow();
  }

  private void reset(String email) {
    String otpId = one.ask(email, "password_reset").expect(200).text("otp_id");
    Reply granted = one.verify(email, "password_reset", one.code(email), otpId).expect(200);
    one.post(
            "/auth/reset-password",
            Map.of("reset_token", granted.text("reset_token"), "new_password", NEXT_PASSWORD))
        .expect(200);
  }

  private String session(Reply tokens) {
    return check(one, tokens).header("X-Auth-Session-Id").orElseThrow();
  }

  private static String insertion(String session) {
    return "INSERT INTO invalidated_tokens (jti, user_id, expires_at, invalidated_at) VALUES ('"
        + session
        + "', 1, now() AT TIME ZONE 'UTC' + interval '1 day', now() AT TIME ZONE 'UTC')";
  }

  private static Reply check(TestService node, Reply tokens) {
    return node.get("/auth/check", "Authorization", "Bearer " + tokens.text("access_token"));
  }
}
