package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class SqliteDialectTest {

  @Test
  void timesAreWrittenAsSqlAlchemyWritesThem() {
    assertThat(SqliteDialect.text(Instant.parse("2025-06-12T10:15:30.123456999Z")))
        .isEqualTo("2025-06-12 10:15:30.123456");
    assertThat(SqliteDialect.text(Instant.parse("2025-06-12T10:15:30Z")))
        .isEqualTo("2025-06-12 10:15:30");
    assertThat(SqliteDialect.text(Instant.parse("2025-06-12T10:15:30.000000999Z")))
        .isEqualTo("2025-06-12 10:15:30");
    assertThat(SqliteDialect.text(Instant.parse("2025-06-12T10:15:30.5Z")))
        .isEqualTo("2025-06-12 10:15:30.500000");
  }

  @Test
  void timesAreReadWithAndWithoutAFraction() {
    assertThat(SqliteDialect.instant("2025-06-12 10:15:30"))
        .isEqualTo(Instant.parse("2025-06-12T10:15:30Z"));
    assertThat(SqliteDialect.instant("2025-06-12 10:15:30.123456"))
        .isEqualTo(Instant.parse("2025-06-12T10:15:30.123456Z"));
    assertThat(SqliteDialect.instant("2025-06-12 10:15:30.5"))
        .isEqualTo(Instant.parse("2025-06-12T10:15:30.500Z"));
  }

  @Test
  void clausesThatLockRowsAreLeftOut() {
    SqliteDialect dialect = new SqliteDialect();
    assertThat(dialect.sql("SELECT id FROM users WHERE id = ? FOR NO KEY UPDATE"))
        .isEqualTo("SELECT id FROM users WHERE id = ?");
    assertThat(dialect.sql("SELECT id FROM (SELECT id FROM a LIMIT 1\n FOR UPDATE SKIP LOCKED)"))
        .isEqualTo("SELECT id FROM (SELECT id FROM a LIMIT 1)");
    assertThat(dialect.sql("UPDATE a SET b = 1")).isEqualTo("UPDATE a SET b = 1");
  }
}
