package org.authservice.database;

import io.micrometer.core.instrument.MeterRegistry;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.authservice.http.Unavailable;
import org.authservice.settings.DatabaseSettings;

/**
 * A SQLite file. One thread owns the only connection that writes and runs one transaction after the
 * other; two more threads read, each seeing what was committed when its statement began.
 */
final class SqliteDatabase implements Database {
  private static final int READERS = 2;
  private static final SqliteTask.Patience PATIENCE = new SqliteTask.Patience(10_000, 5_000);
  private static final SqliteTask.Patience PROBE = new SqliteTask.Patience(1_000, 500);

  private final SqliteFile file;
  private final Dialect dialect = new SqliteDialect();
  private final SqliteThreads writer;
  private final SqliteThreads readers;
  private final VerbTimers timers;

  private SqliteDatabase(SqliteFile file, MeterRegistry meters) {
    this.file = file;
    this.timers = new VerbTimers(meters);
    this.writer =
        new SqliteThreads(
            "sqlite-writer",
            1,
            () -> new SqliteConnection(file::connect, dialect),
            SharedCommit.MOST_TOGETHER,
            SharedCommit::run,
            meters);
    this.readers =
        new SqliteThreads(
            "sqlite-reader",
            READERS,
            () -> new SqliteConnection(file::connectReadOnly, dialect),
            meters);
  }

  static SqliteDatabase open(DatabaseSettings.Sqlite location, MeterRegistry meters) {
    SqliteFile file = new SqliteFile(location);
    file.warnOfWideMode();
    file.create();
    return new SqliteDatabase(file, meters);
  }

  @Override
  public <T> T read(Statement<T> query) {
    return timers.read(() -> readers.call(c -> run(c, query), PATIENCE, () -> {}));
  }

  @Override
  public <T> T commit(Statement<T> write) {
    return timers.commit(() -> write(c -> run(c, write), () -> {}));
  }

  @Override
  public <T> T transaction(Function<Transaction, T> work) {
    AfterCommit afterCommit = new AfterCommit();
    T value = timers.transaction(() -> write(c -> run(c, work, afterCommit), afterCommit::run));
    afterCommit.run();
    return value;
  }

  @Override
  public void listen(List<Channel> channels) {
    // One process has the file, and it knows what it does itself.
  }

  @Override
  public boolean reachable() {
    try {
      Statement<Optional<Boolean>> probe =
          Statement.row("SELECT 1 AS up FROM sqlite_master LIMIT 1", _ -> {}, _ -> true);
      readers.call(c -> run(c, probe), PROBE, () -> {});
      return true;
    } catch (Unavailable | DatabaseFault failure) {
      return false;
    }
  }

  @Override
  public Dialect dialect() {
    return dialect;
  }

  @Override
  public void close() {
    readers.close();
    writer.close();
    file.removeTemporary();
  }

  private <T> T write(Function<SqliteConnection, T> work, Runnable orphaned) {
    return writer.call(work, PATIENCE, orphaned);
  }

  /** It may be run again, then from the beginning. */
  private static <T> T run(
      SqliteConnection connection, Function<Transaction, T> work, AfterCommit afterCommit) {
    afterCommit.clear();
    return work.apply(new SqliteTransaction(connection, afterCommit));
  }

  private static <T> T run(SqliteConnection connection, Statement<T> statement) {
    try {
      return connection.run(statement);
    } catch (SQLException failure) {
      throw SqliteFailures.translate(statement.sql(), failure);
    }
  }

  private record SqliteTransaction(SqliteConnection connection, AfterCommit actions)
      implements Transaction {

    @Override
    public <T> T run(Statement<T> statement) {
      return SqliteDatabase.run(connection, statement);
    }

    @Override
    public void send(Statement<Integer> statement) {
      run(statement); // the database is in this process: there is no trip to save
    }

    @Override
    public <T> T runLocked(String name, Statement<T> statement) {
      return run(statement);
    }

    @Override
    public void lock(String name) {
      // This transaction is the only one that writes.
    }

    @Override
    public void announce(String channel, String text) {
      // Nobody listens.
    }

    @Override
    public void afterCommit(Runnable action) {
      actions.add(action);
    }
  }
}
