package org.authservice.database;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.authservice.secret.Secrets;

/** The installation's row: made by the first node that starts, the same for all. */
public final class Installations {
  private static final int SALT_BYTES = 32;
  private static final Duration NOTE_INTERVAL = Duration.ofHours(1);

  private final Database database;
  private final Clock clock;
  private final Secrets secrets;
  private final InstallationStore store;

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

  /** Notes when a token of the Python service was accepted; to the hour, so seldom a write. */
  public void noteLegacyToken(Instant at) {
    database.commit(store.legacyTokenSeen(at, at.minus(NOTE_INTERVAL)));
  }
}
