package org.authservice.database;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.function.Supplier;

/** How long each verb takes, waiting for a connection included: {@code auth.database}. */
final class VerbTimers {
  private final Timer read;
  private final Timer commit;
  private final Timer transaction;

  VerbTimers(MeterRegistry meters) {
    read = meters.timer("auth.database", "verb", "read");
    commit = meters.timer("auth.database", "verb", "commit");
    transaction = meters.timer("auth.database", "verb", "transaction");
  }

  <T> T read(Supplier<T> work) {
    return read.record(work);
  }

  <T> T commit(Supplier<T> work) {
    return commit.record(work);
  }

  <T> T transaction(Supplier<T> work) {
    return transaction.record(work);
  }
}
