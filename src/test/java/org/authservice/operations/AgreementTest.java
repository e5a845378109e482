package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import java.time.Duration;
import java.util.List;
import org.authservice.testing.Databases;
import org.authservice.testing.FreePort;
import org.authservice.testing.LogLines;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AgreementTest {
  private static TestService.Builder node(TestDatabase database) {
    return TestService.with(database).set("PUBLIC_BASE_URL", "http://localhost:8000");
  }

  /** What two nodes say after both have compared. */
  private static List<String> told(TestService one, TestService other) {
    try (var log = new LogLines(Agreement.class.getName(), Level.WARN)) {
      one.service().worker("settings").runOnce();
      other.service().worker("settings").runOnce();
      return log.lines().stream().map(String::valueOf).toList();
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void nodesWithTheSameSettingsAgree(Databases engine) {
    try (var database = engine.migrated();
        var one = node(database).start();
        var other = node(database).clock(one.clock()).start()) {
      assertThat(told(one, other)).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void aNodeWithOtherSettingsIsToldUntilItStops(Databases engine) {
    try (var database = engine.migrated();
        var one = node(database).start();
        var other =
            node(database)
                .clock(one.clock())
                .set("JWT_ISSUER", "other")
                .set("AUDIT_RETENTION_DAYS", "30")
                .set("MANAGEMENT_PORT", Integer.toString(FreePort.find()))
                .start()) {
      assertThat(told(one, other))
          .hasSize(1)
          .first()
          .asString()
          .contains("values of AUDIT_RETENTION_DAYS, JWT_ISSUER:");
      assertThat(disagreements(other)).isEqualTo("2.0");
      assertThat(database.column("SELECT fingerprint FROM node_settings"))
          .allMatch(print -> String.valueOf(print).matches("[0-9a-f]{64}"));

      one.clock().advance(Duration.ofMinutes(4));
      assertThat(told(other, other)).isEmpty();
      assertThat(disagreements(other)).isEqualTo("0.0");
    }
  }

  /** As it is scraped. */
  private static String disagreements(TestService node) {
    String name = "auth_settings_disagreements ";
    return node.metrics()
        .lines()
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(name.length()))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void ofANodeWithAnotherKeyOnlyTheKeyIsTold(Databases engine) {
    try (var database = engine.migrated();
        var one = node(database).start();
        var other =
            node(database)
                .clock(one.clock())
                .set("SECRET_KEY", "another-key-for-tests-0123456789abcdef")
                .start()) {
      assertThat(told(one, other)).hasSize(1).first().asString().contains("values of SECRET_KEY:");
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void inTheMiddleOfAChangeOfKeysOtherSettingsAreStillCompared(Databases engine) {
    String next = "another-key-for-tests-0123456789abcdef";
    String before = "a-key-for-tests-0123456789abcdefghijkl";
    try (var database = engine.migrated();
        var one = node(database).set("SECRET_KEY_PREVIOUS", next).start();
        var other =
            node(database)
                .clock(one.clock())
                .set("SECRET_KEY", next)
                .set("SECRET_KEY_PREVIOUS", before)
                .set("JWT_AUDIENCE", "other")
                .start()) {
      assertThat(told(one, other))
          .hasSize(1)
          .first()
          .asString()
          .contains("values of JWT_AUDIENCE, SECRET_KEY:");
    }
  }
}
