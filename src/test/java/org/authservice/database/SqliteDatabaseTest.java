package org.authservice.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.authservice.http.Unavailable;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;
import org.authservice.testing.Databases;
import org.authservice.testing.LogLines;
import org.authservice.testing.TestDatabase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

class SqliteDatabaseTest {
  @TempDir Path folder;

  private static DatabaseSettings settings(Path file, boolean temporary) {
    return new DatabaseSettings(new DatabaseSettings.Sqlite(file, temporary), 10, true);
  }

  private static Database open(DatabaseSettings settings) {
    return Database.open(settings, new SimpleMeterRegistry());
  }

  @Test
  void theFileAndItsCompanionsAreTheOwnersAlone() throws IOException {
    DatabaseSettings settings = settings(folder.resolve("auth.db"), false);
    new Migrations(settings).migrate();
    try (Database database = open(settings)) {
      database.commit(Counters.add("a"));
      for (String name : List.of("auth.db", "auth.db-wal", "auth.db-shm")) {
        assertThat(PosixFilePermissions.toString(mode(name))).as(name).isEqualTo("rw-------");
      }
    }
  }

  @Test
  void aFileThatOthersMayReadIsWarnedAbout() throws IOException {
    Path file = folder.resolve("auth.db");
    Files.createFile(file);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    try (LogLines log = new LogLines(SqliteFile.class.getName(), Level.WARN);
        Database database = open(settings(file, false))) {
      assertThat(database.reachable()).isTrue();
      assertThat(log.lines())
          .singleElement()
          .asString()
          .startsWith("WARN others may read or write the database " + file);
    }
  }

  @Test
  void aTemporaryFileIsGoneAfterwards() throws IOException {
    DatabaseSettings settings = settings(folder.resolve("temporary.db"), true);
    new Migrations(settings).migrate();
    try (Database database = open(settings)) {
      database.commit(Counters.add("a"));
    }
    try (var left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void aPlaceWithoutFolderOrAFileOfAnotherKindIsRefusedInOneLine() throws IOException {
    assertThatThrownBy(() -> open(settings(folder.resolve("no/auth.db"), false)))
        .isInstanceOf(StartFailure.class)
        .hasMessageContaining("the folder of")
        .hasMessageContaining("does not exist");
    Path text = folder.resolve("text.db");
    Files.writeString(text, "This is a text and not a database. ".repeat(200));
    assertThatThrownBy(() -> open(settings(text, false)))
        .isInstanceOf(StartFailure.class)
        .hasMessageContaining("cannot open the SQLite file " + text)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void connectionsAreDurableAndHoldForeignKeys() {
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open()) {
      for (String pragma : List.of("foreign_keys=1", "synchronous=2", "journal_mode=wal")) {
        String name = pragma.substring(0, pragma.indexOf('='));
        Statement<Optional<String>> ask =
            Statement.row("PRAGMA " + name, _ -> {}, row -> row.text(name));
        assertThat(database.read(ask)).contains(pragma.substring(name.length() + 1));
        Optional<String> ofWriter = database.transaction(tx -> tx.run(ask));
        assertThat(ofWriter).contains(pragma.substring(name.length() + 1));
      }
      assertThatThrownBy(() ->
              database.commit(
                  Statement.count("INSERT INTO reset_tokens VALUES ('x', 12345, 0)", _ -> {})))
          .isInstanceOf(DatabaseFault.class);
    }
  }

  @Test
  void aReadCannotWrite() {
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open()) {
      assertThatThrownBy(() -> database.read(Counters.add("a"))).isInstanceOf(Unavailable.class);
      assertThat(database.read(Counters.names())).isEmpty();
    }
  }

  @Test
  void aVerbInsideATransactionIsABug() {
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open()) {
      assertThatThrownBy(
              () -> database.<Integer>transaction(_ -> database.commit(Counters.add("a"))))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void readsGoOnWhileATransactionIsOpen() throws Exception {
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch written = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      Future<Integer> writer =
          requests.submit(() -> database.transaction(tx -> hold(tx, written, go)));
      written.await();
      assertThat(database.read(Counters.names())).isEmpty();
      go.countDown();
      writer.get();
      assertThat(database.read(Counters.names())).containsExactly("held");
    }
  }

  @Test
  void whoeverGivesUpWaitingHasChangedNothing() throws Exception {
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch written = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      Future<Integer> first =
          requests.submit(() -> database.transaction(tx -> hold(tx, written, go)));
      written.await();
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      AtomicBoolean stillInterrupted = new AtomicBoolean();
      Thread second =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  database.commit(Counters.add("given up"));
                } catch (RuntimeException failure) {
                  thrown.set(failure);
                  stillInterrupted.set(Thread.currentThread().isInterrupted());
                }
              });
      second.interrupt();
      second.join();
      go.countDown();
      first.get();
      database.commit(Counters.add("after"));
      assertThat(thrown.get()).isInstanceOf(Unavailable.class);
      assertThat(stillInterrupted).isTrue();
      assertThat(database.read(Counters.names())).containsExactly("after", "held");
    }
  }

  @Test
  void whoeverIsInterruptedWhileItsTransactionRunsLearnsItsOutcome() throws Exception {
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open()) {
      CountDownLatch written = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      AtomicReference<Integer> value = new AtomicReference<>();
      Thread caller =
          Thread.ofVirtual()
              .start(() -> value.set(database.transaction(tx -> hold(tx, written, go))));
      written.await();
      caller.interrupt();
      go.countDown();
      caller.join();
      assertThat(value.get()).isEqualTo(1);
      assertThat(database.read(Counters.names())).containsExactly("held");
    }
  }

  @Test
  void aStatementThatNeverEndsIsStopped() {
    String endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n";
    Statement<Optional<Long>> query = Statement.row(endless, _ -> {}, row -> row.number("i"));
    SqliteFile file = new SqliteFile(new DatabaseSettings.Sqlite(folder.resolve("auth.db"), false));
    file.create();
    try (SqliteThreads threads =
        new SqliteThreads(
            "test",
            1,
            () -> new SqliteConnection(file::connect, new SqliteDialect()),
            new SimpleMeterRegistry())) {
      SqliteTask.Patience little = new SqliteTask.Patience(50, 50);
      assertThatThrownBy(() -> threads.call(c -> run(c, query), little, () -> {}))
          .isInstanceOf(Unavailable.class);
      Statement<Optional<Long>> one =
          Statement.row("SELECT 1 AS i", _ -> {}, row -> row.number("i"));
      Optional<Long> answer =
          threads.call(c -> run(c, one), new SqliteTask.Patience(5_000, 5_000), () -> {});
      assertThat(answer).contains(1L);
    }
  }

  @Test
  void whatSucceedsAfterItsCallerHasGoneIsStillFollowedUp() throws Exception {
    SqliteFile file = new SqliteFile(new DatabaseSettings.Sqlite(folder.resolve("auth.db"), false));
    file.create();
    try (SqliteThreads threads =
        new SqliteThreads(
            "test",
            1,
            () -> new SqliteConnection(file::connect, new SqliteDialect()),
            new SimpleMeterRegistry())) {
      CountDownLatch go = new CountDownLatch(1);
      CountDownLatch followedUp = new CountDownLatch(1);
      assertThatThrownBy(() ->
              threads.call(
                  _ -> {
                    DatabaseTest.awaitQuietly(go);
                    return "done";
                  },
                  new SqliteTask.Patience(10, 10),
                  followedUp::countDown))
          .isInstanceOf(Unavailable.class);
      go.countDown();
      followedUp.await();
    }
  }

  @Test
  void anotherProcessThatWritesIsWaitedFor() throws Exception {
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open();
        ExecutorService requests = Executors.newVirtualThreadPerTaskExecutor();
        var other = test.connect()) {
      other.createStatement().execute("BEGIN IMMEDIATE");
      Future<Integer> ours = requests.submit(() -> database.commit(Counters.add("ours")));
      other.createStatement().execute("UPDATE throttles SET failures = 0");
      other.createStatement().execute("COMMIT");
      assertThat(ours.get()).isEqualTo(1);
    }
  }

  @Test
  void aFailedTransactionLeavesTheWriterUsable() {
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open()) {
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() ->
                database.<Integer>transaction(tx -> {
                  tx.run(Counters.add("a"));
                  return tx.run(Statement.count("ROLLBACK", _ -> {}))
                      + tx.run(Statement.count("nonsense", _ -> {}));
                }))
            .isInstanceOf(DatabaseFault.class);
      }
      assertThat(database.commit(Counters.add("b"))).isEqualTo(1);
      assertThat(database.read(Counters.names())).containsExactly("b");
    }
  }

  @Test
  void aFullDiskIsAnOutageThatChangesNothing() {
    String much = "x".repeat(2_000_000);
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open()) {
      long pages = limitPages(database, 1);
      limitPages(database, pages + 50);
      assertThatThrownBy(() ->
              database.<Integer>transaction(
                  tx -> tx.run(Counters.add("small")) + tx.run(Counters.add(much))))
          .isInstanceOf(Unavailable.class)
          .hasMessageContaining("SQLITE_FULL");
      assertThat(database.read(Counters.names())).isEmpty();
      assertThat(database.commit(Counters.add("small"))).isEqualTo(1);
    }
  }

  /** Limits the file's growth on the writer's connection; gives the limit that holds. */
  private static long limitPages(Database database, long pages) {
    return database
        .<Optional<Long>>transaction(tx ->
            tx.run(
                Statement.row(
                    "PRAGMA max_page_count = " + pages,
                    _ -> {},
                    row -> row.number("max_page_count"))))
        .orElseThrow();
  }

  @Test
  void resultCodesBecomeOutagesOrFaults() {
    for (SQLiteErrorCode code :
        List.of(
            SQLiteErrorCode.SQLITE_BUSY,
            SQLiteErrorCode.SQLITE_BUSY_SNAPSHOT,
            SQLiteErrorCode.SQLITE_FULL,
            SQLiteErrorCode.SQLITE_IOERR_FSYNC,
            SQLiteErrorCode.SQLITE_READONLY,
            SQLiteErrorCode.SQLITE_CANTOPEN)) {
      assertThat(SqliteFailures.translate("SELECT", new SQLiteException("x", code)))
          .as(code.name())
          .isInstanceOf(Unavailable.class);
    }
    assertThat(
            SqliteFailures.translate(
                "SELECT", new SQLiteException("x", SQLiteErrorCode.SQLITE_CONSTRAINT_UNIQUE)))
        .isInstanceOf(DatabaseFault.class);
    assertThat(SqliteFailures.translate("SELECT", new SQLException("x")))
        .isInstanceOf(DatabaseFault.class);
  }

  private static <T> T run(SqliteConnection connection, Statement<T> statement) {
    try {
      return connection.run(statement);
    } catch (SQLException failure) {
      throw SqliteFailures.translate(statement.sql(), failure);
    }
  }

  private static int hold(Transaction tx, CountDownLatch written, CountDownLatch go) {
    int added = tx.run(Counters.add("held"));
    written.countDown();
    DatabaseTest.awaitQuietly(go);
    return added;
  }

  private java.util.Set<java.nio.file.attribute.PosixFilePermission> mode(String name)
      throws IOException {
    return Files.getPosixFilePermissions(folder.resolve(name));
  }
}
