package org.authservice.account;

import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.operations.Sweep;

/** Registrations that wait for their code, while {@code REGISTRATION_PRIVACY} is on. */
public final class PendingRegistrations {
  static final Duration LIFE = Duration.ofDays(1);

  private final PendingRegistrationStore store = new PendingRegistrationStore();
  private final Database database;
  private final Clock clock;

  /** Those in that database. */
  public PendingRegistrations(Database database, Clock clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Remembers one. */
  public void add(Transaction tx, PendingRegistration pending) {
    tx.send(store.insert(pending, clock.instant()));
  }

  /** The newest one for an address, for which another code may be asked within a day. */
  public Optional<PendingRegistration> newest(String addressKey) {
    return database.read(store.newest(addressKey, clock.instant().minus(LIFE)));
  }

  /** Takes one out; empty after the first time. */
  public Optional<PendingRegistration> take(Transaction tx, String id) {
    return tx.run(store.take(id));
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return List.of(new Sweep("pending_registrations", store::sweep));
  }
}
