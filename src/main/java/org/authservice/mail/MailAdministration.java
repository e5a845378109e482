package org.authservice.mail;

import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Database;

/** What an operator can do to mails on their way. */
public final class MailAdministration {
  private final Database database;
  private final OutboxStore store;
  private final Suppressions suppressions;
  private final Clock clock;

  MailAdministration(Database database, OutboxStore store, Suppressions suppressions, Clock clock) {
    this.database = database;
    this.store = store;
    this.suppressions = suppressions;
    this.clock = clock;
  }

  /** A mail as an operator sees it; never what is in it. */
  public record Listed(
      String id,
      String template,
      String recipient,
      int attempts,
      Instant createdAt,
      Instant dueAt,
      Instant expiresAt,
      Optional<String> reason) {}

  /**
   * The newest mails.
   *
   * @param state {@code queued}, {@code sent}, {@code expired} or {@code dead}
   */
  public List<Listed> list(String state, int most) {
    return database.read(store.list(state, most)).stream()
        .map(it ->
            new Listed(
                it.id(),
                it.template(),
                it.recipient(),
                it.attempts(),
                it.createdAt(),
                it.dueAt(),
                it.expiresAt(),
                it.reason()))
        .toList();
  }

  /**
   * Makes a queued mail due at once; false when it is not queued, and then nothing is left of it.
   */
  public boolean retry(String id) {
    return database.commit(store.dueNow(id, clock.instant())) == 1;
  }

  /** Makes every queued mail due at once; how many were waiting. */
  public int retryAll() {
    return database.commit(store.allDueNow(clock.instant()));
  }

  /** Ends a queued mail unsent; false when it is not queued. */
  public boolean drop(String id) {
    return database.commit(store.drop(id, clock.instant())) == 1;
  }

  /** Sends to a suppressed address again; false when it was not suppressed. */
  public boolean lift(String address) {
    return suppressions.lift(address);
  }
}
