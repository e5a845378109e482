package org.authservice.database;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.authservice.http.Unavailable;
import org.authservice.settings.DatabaseSettings;

/**
 * Where lists are read that may be a moment behind: a replica when there is one ({@code
 * DATABASE_READ_URL}), else the database itself, which also stands in while the replica is away or
 * too slow: then only one list a second asks the replica, so that one that hangs does not hold
 * every list up. Never for what is decided by.
 */
public final class LaggingReads implements AutoCloseable {
  private final Database primary;
  private final Optional<Database> replica;
  private final Counter fallbacks;
  private final Breaker breaker = new Breaker(System::nanoTime);

  private LaggingReads(Database primary, Optional<Database> replica, MeterRegistry meters) {
    this.primary = primary;
    this.replica = replica;
    this.fallbacks = meters.counter("auth.database.replica.fallbacks");
  }

  /** Reads from the replica that the settings name, if any; it need not be there yet. */
  public static LaggingReads open(
      DatabaseSettings settings,
      Database primary,
      UnaryOperator<Database> traced,
      MeterRegistry meters) {
    return new LaggingReads(
        primary,
        settings
            .replica()
            .map(it -> PostgresDatabase.openReplica(it, settings.poolSize(), meters))
            .map(traced),
        meters);
  }

  /** Runs a statement that changes nothing. */
  public <T> T read(Statement<T> query) {
    if (replica.isEmpty()) {
      return primary.read(query);
    }
    if (breaker.admits()) {
      try {
        T found = replica.get().read(query);
        breaker.succeeded();
        return found;
      } catch (Unavailable | DatabaseFault away) { // a schema that is behind, too
        breaker.failed();
      }
    }
    fallbacks.increment();
    return primary.read(query);
  }

  @Override
  public void close() {
    replica.ifPresent(Database::close);
  }
}
