package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;
import org.authservice.testing.Databases;
import org.authservice.testing.LogLines;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MigrationsTest {
  private static final String HISTORY =
      "SELECT version FROM flyway_schema_history ORDER BY CAST(version AS integer)";
  private static final String ADDRESSES = "SELECT email FROM users ORDER BY id";

  /** The versions of all migrations, told from their files, in their order. */
  static final List<String> ALL = versions();

  private static List<String> versions() {
    List<String> versions = new ArrayList<>();
    for (String folder : List.of("common", "sqlite")) {
      Path files = Path.of("src/main/resources/db/migration", folder);
      try (Stream<Path> all = Files.list(files)) {
        all.map(file -> file.getFileName().toString())
            .filter(name -> name.endsWith(".sql"))
            .forEach(name -> versions.add(name.substring(1, name.indexOf("__"))));
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
    versions.sort(Comparator.comparing(Integer::valueOf));
    return versions;
  }

  private static Migrations migrations(TestDatabase test) {
    return new Migrations(test.settings());
  }

  private static Migrations withoutMigrateOnStart(TestDatabase test) {
    return new Migrations(new DatabaseSettings(test.settings().location(), 10, false));
  }

  @ParameterizedTest
  @EnumSource
  void anEmptyDatabaseGetsTheWholeSchemaOnce(Databases engine) {
    try (TestDatabase test = engine.empty()) {
      assertThat(migrations(test).migrate()).isEqualTo(ALL.size());
      assertThat(migrations(test).migrate()).isZero();
      migrations(test).atStart();
      assertThat(test.column(HISTORY)).containsExactlyElementsOf(ALL);
      assertThat(test.column(ADDRESSES)).isEmpty();
    }
  }

  @Test
  void theNewestVersionIsThatOfTheFiles() {
    try (TestDatabase test = Databases.SQLITE.empty()) {
      assertThat(migrations(test).dryRun().getLast().version()).isEqualTo(Migrations.NEWEST);
    }
  }

  @ParameterizedTest
  @EnumSource
  void theDatabaseOfThePythonServiceIsTakenOver(Databases engine) {
    try (TestDatabase test = engine.leftByPython();
        LogLines log = new LogLines("org.authservice.database", Level.INFO)) {
      assertThat(migrations(test).migrate()).isEqualTo(ALL.size() - 1);
      assertThat(migrations(test).migrate()).isZero();
      assertThat(test.column(HISTORY)).containsExactlyElementsOf(ALL);
      assertThat(test.column(ADDRESSES))
          .containsExactly(
              "ada@example.com", "grace@example.com", "long@example.com", "oauth@example.com");
      assertThat(test.column("SELECT credentials_version FROM users WHERE password_confirmed"))
          .containsExactly("0", "0", "0", "0");
      assertThat(log.lines())
          .contains("INFO took over the Python service's database at revision 1f85d57b8e52")
          .noneMatch(line -> line.startsWith("WARN"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void thePythonServiceGoesOnWritingToTheDatabase(Databases engine) {
    try (TestDatabase test = engine.leftByPython()) {
      migrations(test).migrate();
      test.execute(
          """
          INSERT INTO users (email, hashed_password, google_id, is_active, is_verified, full_name,
            updated_at) VALUES ('new@example.com', 'x', NULL, true, false, NULL, NULL);
          INSERT INTO otps (user_id, email, otp_code, purpose, expires_at)
            VALUES (5, 'new@example.com', '$2b$12$x', 'login', '2025-06-12 10:15:30');
          """);
      assertThat(test.column("SELECT id FROM users WHERE email = 'new@example.com'"))
          .containsExactly("5");
      assertThat(test.column("SELECT attempts FROM otps")).containsExactly("0");
    }
  }

  @ParameterizedTest
  @EnumSource
  void accountsThatDifferOnlyInCaseAreToldAndKept(Databases engine) {
    try (TestDatabase test = engine.leftByPython();
        LogLines log = new LogLines("org.authservice.database", Level.WARN)) {
      StringBuilder rows = new StringBuilder();
      for (String name : List.of("Ada", "ADA", "b1", "B1")) {
        rows.append("INSERT INTO users (email, is_active, is_verified) VALUES ('")
            .append(name)
            .append("@example.com', true, true);\n");
      }
      test.execute(rows.toString());
      migrations(test).migrate();
      assertThat(log.lines())
          .containsExactly(
              "WARN 2 addresses have several accounts that differ only in case:"
                  + " ada@example.com, b1@example.com");
      assertThat(test.column(ADDRESSES)).contains("ada@example.com", "Ada@example.com").hasSize(8);
    }
  }

  @ParameterizedTest
  @EnumSource
  void manyAccountsThatDifferOnlyInCaseAreToldInOneShortLine(Databases engine) {
    try (TestDatabase test = engine.leftByPython();
        LogLines log = new LogLines("org.authservice.database", Level.WARN)) {
      StringBuilder rows = new StringBuilder();
      for (int i = 10; i < 25; i++) {
        for (String name : List.of("p" + i, "P" + i)) {
          rows.append("INSERT INTO users (email, is_active, is_verified) VALUES ('")
              .append(name)
              .append("@example.com', true, true);\n");
        }
      }
      test.execute(rows.toString());
      migrations(test).migrate();
      assertThat(log.lines())
          .singleElement()
          .asString()
          .startsWith("WARN 15 addresses have several accounts")
          .contains("p10@example.com", "p19@example.com")
          .endsWith(", …")
          .doesNotContain("p20");
    }
  }

  @ParameterizedTest
  @EnumSource
  void anotherRevisionOfThePythonServiceIsRefused(Databases engine) {
    for (String change :
        List.of(
            "UPDATE alembic_version SET version_num = '0a1b2c3d4e5f'",
            "DELETE FROM alembic_version",
            "INSERT INTO alembic_version VALUES ('0a1b2c3d4e5f')")) {
      try (TestDatabase test = engine.leftByPython()) {
        test.execute(change);
        assertRefused(test, "run 'alembic upgrade 1f85d57b8e52' with the Python service first");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void tablesOfUnknownOriginAreRefused(Databases engine) {
    try (TestDatabase test = engine.leftByPython()) {
      test.execute("DROP TABLE alembic_version");
      assertRefused(test, "the table users, otps, invalidated_tokens but no alembic_version");
    }
    try (TestDatabase test = engine.leftByPython()) {
      test.execute("DROP TABLE otps");
      assertRefused(test, "restore it from a backup");
    }
  }

  private static void assertRefused(TestDatabase test, String part) {
    for (Runnable start :
        List.<Runnable>of(
            () -> migrations(test).atStart(), () -> withoutMigrateOnStart(test).atStart())) {
      assertThatThrownBy(start::run)
          .isInstanceOf(StartFailure.class)
          .hasMessageContaining(part)
          .message()
          .doesNotContain("\n");
    }
    assertThat(test.column("SELECT count(*) FROM users")).containsExactly("4");
    assertThatThrownBy(() -> test.column(HISTORY)).hasMessageContaining("flyway_schema_history");
  }

  @ParameterizedTest
  @EnumSource
  void severalNodesMayStartAtOnce(Databases engine) throws Exception {
    try (TestDatabase test = engine.empty()) {
      assertThat(race(test)).isEqualTo(ALL.size());
      assertThat(test.column(HISTORY)).containsExactlyElementsOf(ALL);
    }
    try (TestDatabase test = engine.leftByPython()) {
      assertThat(race(test)).isEqualTo(ALL.size() - 1);
      assertThat(test.column(HISTORY)).containsExactlyElementsOf(ALL);
    }
  }

  /** Starts four nodes and gives how many migrations they ran together. */
  private static int race(TestDatabase test) throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    try (ExecutorService nodes = Executors.newFixedThreadPool(4)) {
      List<Future<Integer>> counts = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        counts.add(
            nodes.submit(() -> {
              go.await();
              try (Database database = test.open()) {
                int count = migrations(test).migrate();
                database.commit(Counters.add("node " + Thread.currentThread().threadId()));
                return count;
              }
            }));
      }
      go.countDown();
      int sum = 0;
      for (Future<Integer> count : counts) {
        sum += count.get();
      }
      return sum;
    }
  }

  @ParameterizedTest
  @EnumSource
  void withoutMigrateOnStartPendingMigrationsAreRefused(Databases engine) {
    try (TestDatabase test = engine.empty()) {
      assertThatThrownBy(() -> withoutMigrateOnStart(test).atStart())
          .isInstanceOf(StartFailure.class)
          .hasMessage(
              "MIGRATE_ON_START is false and migrations are pending (V"
                  + String.join(", V", ALL)
                  + "): run bin/auth migrate");
      migrations(test).migrate();
      withoutMigrateOnStart(test).atStart();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aDryRunTellsTheSqlAndChangesNothing(Databases engine) {
    try (TestDatabase test = engine.empty()) {
      List<Migrations.Pending> pending = migrations(test).dryRun();
      assertThat(pending).extracting(Migrations.Pending::version).containsExactlyElementsOf(ALL);
      assertThat(pending.get(1).description()).isEqualTo("sessions codes outbox events");
      assertThat(pending.get(1).sql())
          .contains("CREATE TABLE sessions", engine == Databases.SQLITE ? "blob" : "bytea")
          .doesNotContain("${");
      assertThatThrownBy(() -> test.column(HISTORY)).hasMessageContaining("flyway");
    }
    try (TestDatabase test = engine.leftByPython()) {
      assertThat(migrations(test).dryRun())
          .extracting(Migrations.Pending::version)
          .containsExactlyElementsOf(ALL.subList(1, ALL.size()));
      assertThatThrownBy(() -> test.column(HISTORY)).hasMessageContaining("flyway");
      migrations(test).migrate();
      assertThat(migrations(test).dryRun()).isEmpty();
    }
  }

  @Test
  void aDryRunMakesNoSqliteFile() {
    try (TestDatabase test = Databases.SQLITE.empty()) {
      migrations(test).dryRun();
      assertThat(((DatabaseSettings.Sqlite) test.settings().location()).file()).doesNotExist();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSchemaOfANewerVersionIsAccepted(Databases engine) {
    try (TestDatabase test = engine.migrated()) {
      test.execute(
          """
          ALTER TABLE users ADD COLUMN something_new integer NOT NULL DEFAULT 0;
          INSERT INTO flyway_schema_history (installed_rank, version, description, type, script,
            checksum, installed_by, execution_time, success)
            VALUES (99, '99', 'something new', 'SQL', 'V99__something_new.sql', 1, 'x', 1, true);
          """);
      migrations(test).atStart();
      withoutMigrateOnStart(test).atStart();
      assertThat(migrations(test).dryRun()).isEmpty();
      assertThat(test.column(HISTORY)).containsAll(ALL).endsWith("99");
    }
  }

  @ParameterizedTest
  @EnumSource
  void otherTablesInTheDatabaseAreLeftAlone(Databases engine) {
    try (TestDatabase test = engine.empty()) {
      test.execute("CREATE TABLE courses (id integer PRIMARY KEY)");
      assertThat(migrations(test).migrate()).isEqualTo(ALL.size());
      assertThat(test.column("SELECT count(*) FROM courses")).containsExactly("0");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMigrationThatFailedIsTriedAgainAtTheNextStart(Databases engine) {
    try (TestDatabase test = engine.empty()) {
      test.execute("CREATE TABLE outbox (id integer PRIMARY KEY)");
      assertThatThrownBy(() -> migrations(test).atStart())
          .isInstanceOf(StartFailure.class)
          .hasMessageStartingWith("a migration failed: ")
          .hasMessageContaining("outbox")
          .message()
          .doesNotContain("\n");
      assertThatThrownBy(() -> test.column("SELECT id FROM sessions"))
          .as("nothing of the failed migration stays")
          .isInstanceOf(IllegalStateException.class);
      test.execute("DROP TABLE outbox");
      migrations(test).atStart();
      assertThat(test.column(HISTORY)).containsAll(ALL);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aDryRunTellsWhatIsLockedAndHowBigItIs(Databases engine) {
    try (TestDatabase test = engine.leftByPython()) {
      test.execute("DELETE FROM otps");
      List<Migrations.Pending> pending = migrations(test).dryRun();
      assertThat(pending.getFirst().locks())
          .extracting(locked -> locked.lock().toString())
          .contains("TableLock[table=users, mode=ACCESS EXCLUSIVE]");
      assertThat(pending)
          .flatExtracting(Migrations.Pending::locks)
          .isNotEmpty()
          .allSatisfy(locked -> {
            assertThat(locked.lock().mode()).isNotEqualTo(TableLock.Mode.UNKNOWN);
            assertThat(locked.bytes()).isPositive();
          });
    }
  }

  /** What the server itself says, for every migration that runs in a transaction. */
  @Test
  void theLocksThatADryRunTellsAreThoseThatTheServerTakes() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.leftByPython();
        Connection connection = test.connect()) {
      for (Migrations.Pending migration : migrations(test).dryRun()) {
        if (migration.sql().contains("CONCURRENTLY")) {
          test.execute(migration.sql());
          continue;
        }
        var before = test.column("SELECT relname FROM pg_class WHERE relkind = 'r'");
        connection.setAutoCommit(false);
        Set<String> taken = new TreeSet<>();
        try (var statement = connection.createStatement()) {
          statement.execute(migration.sql());
          try (var locks =
              statement.executeQuery(
                  "SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
                      + " WHERE l.pid = pg_backend_pid() AND c.relkind = 'r'"
                      + " AND c.relnamespace = 'public'::regnamespace"
                      + " AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')")) {
            while (locks.next()) {
              if (before.contains(locks.getString(1))) {
                taken.add(locks.getString(1) + " " + locks.getString(2));
              }
            }
          }
        }
        connection.commit();
        Set<String> told = new TreeSet<>();
        for (TableLock lock : TableLock.of(migration.sql())) {
          told.add(lock.table() + " " + camelCase(lock.mode().toString()) + "Lock");
        }
        assertThat(taken).as("V%s", migration.version()).isEqualTo(told);
      }
    }
  }

  private static String camelCase(String words) {
    return Arrays.stream(words.split(" ", -1))
        .map(word -> word.charAt(0) + word.substring(1).toLowerCase(Locale.ROOT))
        .collect(Collectors.joining());
  }

  @Test
  void anIndexWhoseBuildFailedIsBuiltAgain() {
    try (TestDatabase test = Databases.POSTGRES.migrated()) {
      test.execute(
          """
          UPDATE flyway_schema_history SET success = false WHERE version = '13';
          UPDATE pg_index SET indisvalid = false
            WHERE indexrelid = 'ix_invalidated_tokens_expires_at'::regclass;
          """);
      assertThat(migrations(test).migrate()).isEqualTo(1);
      assertThat(
              test.column(
                  "SELECT indisvalid FROM pg_index"
                      + " WHERE indexrelid = 'ix_invalidated_tokens_expires_at'::regclass"))
          .containsExactly("t");
      assertThat(test.column(HISTORY)).containsExactlyElementsOf(ALL);
    }
  }

  @Test
  void aNodeThatWaitsForAnotherDoesNotStopItsConcurrentIndex() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.leftByPython();
        var blocker = test.connect();
        ExecutorService nodes = Executors.newFixedThreadPool(2)) {
      blocker.setAutoCommit(false);
      blocker.createStatement().executeQuery("SELECT 1 FROM alembic_version").close();
      Future<Integer> first = nodes.submit(() -> migrations(test).migrate());
      awaitRow(test, "SELECT 1 FROM pg_stat_progress_create_index");
      Future<Integer> second = nodes.submit(() -> migrations(test).migrate());
      awaitRow(
          test,
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
              + " AND query LIKE '%pg_try_advisory_lock%' AND pid NOT IN"
              + " (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
              + " AND pid <> pg_backend_pid()");
      blocker.rollback();
      assertThat(first.get()).isEqualTo(ALL.size() - 1);
      assertThat(second.get()).isZero();
    }
  }

  @Test
  @Tag("soak")
  void aTableThatSomebodyHoldsIsWaitedForInShortTries() throws Exception {
    try (TestDatabase test = Databases.POSTGRES.leftByPython();
        var blocker = test.connect();
        LogLines log = new LogLines(Migrations.class.getName(), Level.WARN);
        ExecutorService nodes = Executors.newFixedThreadPool(1)) {
      blocker.setAutoCommit(false);
      blocker.createStatement().execute("LOCK TABLE users IN ACCESS SHARE MODE");
      Future<Integer> node = nodes.submit(() -> migrations(test).migrate());
      while (log.lines().isEmpty()) {
        Thread.onSpinWait();
      }
      blocker.rollback();
      assertThat(node.get()).isEqualTo(ALL.size() - 1);
      assertThat(log.lines()).allMatch(line -> line.contains("trying again"));
    }
  }

  @Test
  void noFileIsLeftBesideAMigratedSqliteFile() throws Exception {
    try (TestDatabase test = Databases.SQLITE.empty()) {
      migrations(test).migrate();
      var file = ((DatabaseSettings.Sqlite) test.settings().location()).file();
      try (var files = Files.list(file.getParent())) {
        assertThat(files).containsExactly(file);
      }
    }
  }

  private static void awaitRow(TestDatabase test, String sql) {
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (test.column(sql).isEmpty()) {
      assertThat(System.nanoTime()).as(sql).isLessThan(deadline);
    }
  }
}
