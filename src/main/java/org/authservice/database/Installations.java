package org.authservice.database;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.authservice.secret.Secrets;

/** The installation's row: made by the first node that starts, the same for all. */
public final class Installations {
  private static final int SALT_BYTES = 32;
  private static final Duration NOTE_INTERVAL = Duration.ofHours(1);

  private final Database database;
  private final Clock clock;
  private final Secrets secrets;
  private final InstallationStore store;
  private final AtomicReference<Instant> noted = new AtomicReference<>(Instant.MIN);

  /** The installation in a database that is migrated. */
  public Installations(Database database, Clock clock, Secrets secrets) {
    this.database = database;
    this.clock = clock;
    this.secrets = secrets;
    this.store = new InstallationStore(database.dialect());
  }

  /** What holds for this installation, if any node ever ran on the database. */
  public Optional<Installation> find() {
    try {
      return database.read(store.find());
    } catch (DatabaseFault notMigrated) {
      return Optional.empty();
    }
  }

  /** What holds for this installation; makes it so at the first call ever. */
  public Installation get() {
    Optional<Installation> known = database.read(store.find());
    if (known.isPresent()) {
      return known.get();
    }
    boolean adopted = database.read(store.alembicVersion()).isPresent();
    database.commit(store.make(secrets.bytes(SALT_BYTES), adopted, clock.instant()));
    return database.read(store.find()).orElseThrow();
  }

  /**
   * Notes that a token of the Python service was accepted. Writes at most once an hour; costs
   * nothing otherwise.
   */
  public void noteLegacyToken() {
    Instant now = clock.instant();
    Instant last = noted.get();
    if (last.isBefore(now.minus(NOTE_INTERVAL)) && noted.compareAndSet(last, now)) {
      database.commit(store.legacyTokenSeen(now, now.minus(NOTE_INTERVAL)));
    }
  }
}
