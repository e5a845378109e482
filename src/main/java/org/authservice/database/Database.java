package org.authservice.database;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;

/**
 * The database, by three verbs. Each fails with {@link org.authservice.http.Unavailable} when the
 * database is away or too slow, and with {@link DatabaseFault} when a statement is wrong.
 */
public interface Database extends AutoCloseable {

  /**
   * Connects to the database that the settings name. It does not migrate; see {@link Migrations}.
   *
   * @throws StartFailure when the database cannot be reached or is not one to run on
   */
  static Database open(DatabaseSettings settings, MeterRegistry meters) {
    return switch (settings.location()) {
      case DatabaseSettings.Postgres postgres ->
          PostgresDatabase.open(postgres, settings.poolSize(), meters);
      case DatabaseSettings.Sqlite sqlite -> SqliteDatabase.open(sqlite, meters);
    };
  }

  /** Runs a statement that changes nothing. */
  <T> T read(Statement<T> query);

  /**
   * Runs one conditional statement and commits it; its row count or row is the decision. Statements
   * that meet may share a commit, and each keeps its own outcome.
   */
  <T> T commit(Statement<T> write);

  /**
   * Runs several statements as one transaction. It commits on every value that {@code work}
   * returns, a refusal too, and rolls back only when it throws. The work may run again after a
   * deadlock or beside another's failure, so it changes nothing but the database; on SQLite it runs
   * on the writer's thread, so it does nothing slow and uses no other verb.
   */
  <T> T transaction(Function<Transaction, T> work);

  /**
   * Runs a transaction that takes the {@linkplain Transaction#lock lock} of a name, asks one
   * question under it and then only {@linkplain Transaction#send sends}. Those that meet may share
   * a commit, and each keeps its own outcome; what a transaction sends must not depend on the order
   * of statements of different kinds.
   *
   * @param lock the name; of two transactions with the same one the later sees what the earlier did
   * @param work decides by the answer; it may run again, on any thread
   */
  default <Q, T> T transaction(
      String lock, Statement<Q> question, BiFunction<Transaction, Q, T> work) {
    return transaction(tx -> work.apply(tx, tx.runLocked(lock, question)));
  }

  /**
   * Hears what other nodes {@linkplain Transaction#announce announce}, from now until the database
   * is closed, as long as there is a connection for it: a fast path, never a guarantee. Called
   * once, as all channels are heard on one connection.
   */
  void listen(List<Channel> channels);

  /** Whether the database answers a trivial query within two seconds. */
  boolean reachable();

  /** What the two engines say differently. */
  Dialect dialect();

  /** Closes all connections; waits for what is running. */
  @Override
  void close();
}
