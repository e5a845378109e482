package org.authservice.database;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.metrics.micrometer.MicrometerMetricsTrackerFactory;
import com.zaxxer.hikari.pool.HikariPool;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;

/**
 * PostgreSQL through a pool. {@code read} and {@code commit} are one round trip each, as the
 * connections are in autocommit mode; a transaction is explicit.
 */
final class PostgresDatabase implements Database {
  private static final int POOL_WAIT_MILLIS = 3_000;
  private static final int REPLICA_WAIT_MILLIS = 1_000;
  private static final int PROBE_WAIT_MILLIS = 2_000;
  private static final int CLOSE_WAIT_MILLIS = 5_000;
  private static final int CLOSE_PAUSE_MILLIS = 10;
  private static final int TRIES = 3;
  private static final int GATHERED_CONNECTIONS = 3;

  private final PostgresServer server;
  private final HikariDataSource pool;
  private final HikariDataSource gatheredPool;
  private final Gathering gathering;
  private final MeterRegistry meters;
  private final List<PostgresListener> listeners = new CopyOnWriteArrayList<>();
  private final Dialect dialect = new PostgresDialect();
  private final VerbTimers timers;
  private final Counter repeats;

  private PostgresDatabase(
      PostgresServer server,
      HikariDataSource pool,
      HikariDataSource gatheredPool,
      MeterRegistry meters) {
    this.server = server;
    this.pool = pool;
    this.meters = meters;
    this.gatheredPool = gatheredPool;
    this.gathering = new Gathering(this, gatheredPool, meters);
    this.timers = new VerbTimers(meters);
    this.repeats = meters.counter("auth.database.repeats");
  }

  static PostgresDatabase open(
      DatabaseSettings.Postgres location, int poolSize, MeterRegistry meters) {
    PostgresServer server = new PostgresServer(location);
    server.warnOfUnknownParameters();
    HikariConfig config = config("postgresql", server, server.forRequests(), meters);
    config.setMaximumPoolSize(poolSize);
    config.setInitializationFailTimeout(1); // no waiting: say at once that there is no server
    HikariDataSource pool = connect(config, server);
    HikariConfig gathered = config("postgresql-gathered", server, server.forGathered(), meters);
    gathered.setMaximumPoolSize(GATHERED_CONNECTIONS);
    gathered.setMinimumIdle(0);
    gathered.setInitializationFailTimeout(-1); // connects when first needed
    return new PostgresDatabase(server, pool, new HikariDataSource(gathered), meters);
  }

  /** A server that is only read from, and may come and go: it is connected to when first needed. */
  static PostgresDatabase openReplica(
      DatabaseSettings.Postgres location, int poolSize, MeterRegistry meters) {
    PostgresServer server = new PostgresServer(location);
    HikariConfig config = config("postgresql-replica", server, server.forReading(), meters);
    config.setMaximumPoolSize(poolSize);
    config.setMinimumIdle(0);
    config.setInitializationFailTimeout(-1);
    config.setConnectionTimeout(REPLICA_WAIT_MILLIS);
    HikariDataSource pool = new HikariDataSource(config);
    return new PostgresDatabase(server, pool, pool, new SimpleMeterRegistry()); // not both as one
  }

  private static HikariConfig config(
      String name, PostgresServer server, Properties properties, MeterRegistry meters) {
    HikariConfig config = new HikariConfig();
    config.setPoolName(name);
    config.setJdbcUrl(server.url());
    config.setDataSourceProperties(properties);
    config.setConnectionTimeout(POOL_WAIT_MILLIS);
    config.setValidationTimeout(1_000);
    config.setMetricsTrackerFactory(new MicrometerMetricsTrackerFactory(meters));
    return config;
  }

  private static HikariDataSource connect(HikariConfig config, PostgresServer server) {
    HikariDataSource pool;
    try {
      pool = new HikariDataSource(config);
    } catch (HikariPool.PoolInitializationException failure) {
      throw server.unreachable(failure.getCause() == null ? failure : failure.getCause());
    }
    try (Connection connection = pool.getConnection()) {
      server.checkVersion(connection.getMetaData().getDatabaseMajorVersion());
      return pool;
    } catch (SQLException failure) {
      pool.close();
      throw server.unreachable(failure);
    } catch (StartFailure refused) {
      pool.close();
      throw refused;
    }
  }

  @Override
  public <T> T read(Statement<T> query) {
    return timers.read(
        () -> query.gathered().map(it -> gathering.read(query, it)).orElseGet(() -> single(query)));
  }

  @Override
  public <T> T commit(Statement<T> write) {
    return timers.commit(() ->
        write.gathered().map(it -> gathering.commit(write, it)).orElseGet(() -> single(write)));
  }

  @Override
  public <T> T transaction(Function<Transaction, T> work) {
    AfterCommit afterCommit = new AfterCommit();
    T value = timers.transaction(() -> several(work, afterCommit));
    afterCommit.run();
    return value;
  }

  @Override
  public <Q, T> T transaction(
      String lock, Statement<Q> question, BiFunction<Transaction, Q, T> work) {
    if (question.gathered().isEmpty()) {
      return Database.super.transaction(lock, question, work);
    }
    AfterCommit afterCommit = new AfterCommit();
    var caller =
        new WaitingTransaction<>(lock, question, question.gathered().get(), work, afterCommit);
    T value = timers.transaction(() -> gathering.transaction(caller));
    afterCommit.run();
    return value;
  }

  @Override
  public void listen(List<Channel> channels) {
    var listener = new PostgresListener(server, channels, meters);
    listeners.add(listener);
    listener.start();
  }

  @Override
  public boolean reachable() {
    CompletableFuture<Boolean> probe = new CompletableFuture<>();
    Thread.ofVirtual().name("database-probe").start(() -> probe.complete(answers()));
    try {
      return probe.get(PROBE_WAIT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException failure) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public Dialect dialect() {
    return dialect;
  }

  @Override
  public void close() {
    listeners.forEach(PostgresListener::close);
    awaitIdle();
    gatheredPool.close(); // which would break off what still runs
    pool.close();
  }

  private void awaitIdle() {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_WAIT_MILLIS);
    try {
      while (pool.isRunning() && busy() && System.nanoTime() < deadline) {
        Thread.sleep(CLOSE_PAUSE_MILLIS);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean busy() {
    return pool.getHikariPoolMXBean().getActiveConnections() > 0 || gathering.waiting() > 0;
  }

  private boolean answers() {
    try (Connection connection = pool.getConnection()) {
      return connection.isValid(1);
    } catch (SQLException failure) {
      return false;
    }
  }

  /** Runs one statement, for nobody else. */
  <T> T single(Statement<T> statement) {
    for (int attempt = 1; ; attempt++) {
      try (Connection connection = connection(pool)) {
        return run(connection, statement);
      } catch (SQLException failure) {
        if (!repeats(attempt, failure)) {
          throw PostgresFailures.translate(statement.sql(), failure);
        }
      }
    }
  }

  /** Runs a transaction, for nobody else. */
  <T> T several(Function<Transaction, T> work, AfterCommit afterCommit) {
    for (int attempt = 1; ; attempt++) {
      afterCommit.clear();
      try (Connection connection = connection(pool)) {
        return inTransaction(connection, work, afterCommit);
      } catch (PostgresTransaction.Aborted aborted) {
        if (!repeats(attempt, aborted.failure())) {
          // A connection lost at the end leaves the outcome open: as an outage, the client asks
          // again.
          throw PostgresFailures.translate(aborted.sql(), aborted.failure());
        }
      } catch (SQLException failure) {
        if (!repeats(attempt, failure)) {
          throw PostgresFailures.translate("COMMIT", failure);
        }
      }
    }
  }

  private boolean repeats(int attempt, SQLException failure) {
    if (attempt == TRIES || !PostgresFailures.isWorthRepeating(failure)) {
      return false;
    }
    repeats.increment();
    return true;
  }

  private <T> T inTransaction(
      Connection connection, Function<Transaction, T> work, AfterCommit afterCommit)
      throws SQLException {
    connection.setAutoCommit(false);
    var transaction = new PostgresTransaction(connection, dialect, afterCommit);
    T value;
    try {
      value = work.apply(transaction);
      transaction.commit();
    } catch (Throwable failure) {
      if (failure instanceof PostgresTransaction.Aborted aborted) {
        evictIfReadOnly(connection, aborted.failure());
      }
      rollBack(connection, failure);
      throw failure;
    }
    connection.setAutoCommit(true);
    return value;
  }

  private static void rollBack(Connection connection, Throwable reason) {
    try {
      connection.rollback();
      connection.setAutoCommit(true);
    } catch (SQLException failure) {
      reason.addSuppressed(failure); // the connection is dead, and with it the transaction
    }
  }

  static Connection connection(HikariDataSource source) {
    try {
      return source.getConnection();
    } catch (SQLException failure) {
      throw Failures.unavailable(
          "PostgreSQL: no connection: " + Failures.firstLine(failure), failure);
    }
  }

  private <T> T run(Connection connection, Statement<T> statement) throws SQLException {
    try (PreparedStatement prepared = connection.prepareStatement(dialect.sql(statement.sql()))) {
      return Execution.run(prepared, statement, dialect);
    } catch (SQLException failure) {
      evictIfReadOnly(connection, failure);
      throw failure;
    }
  }

  /** The next connection leads to the new primary. */
  private void evictIfReadOnly(Connection connection, SQLException failure) {
    if (PostgresFailures.isReadOnly(failure)) {
      pool.evictConnection(connection);
    }
  }
}
