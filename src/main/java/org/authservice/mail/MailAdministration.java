package org.authservice.mail;

import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Statement;

/** What an operator can do to mails on their way. What is done is recorded with it. */
public final class MailAdministration {
  private final Database database;
  private final OutboxStore store;
  private final Suppressions suppressions;
  private final SecurityEvents events;
  private final Clock clock;

  MailAdministration(
      Database database,
      OutboxStore store,
      Suppressions suppressions,
      SecurityEvents events,
      Clock clock) {
    this.database = database;
    this.events = events;
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
   * The newest mails, for somebody to look at.
   *
   * @param state {@code queued}, {@code sent}, {@code expired} or {@code dead}
   */
  public List<Listed> list(String state, int most) {
    events.record(SecurityEvent.readByOperator("mail list", Optional.empty()));
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
    return done(SecurityEvent.Type.MAIL_RETRIED, store.dueNow(id, clock.instant())) == 1;
  }

  /** Makes every queued mail due at once; how many were waiting. */
  public int retryAll() {
    return database.transaction(tx -> {
      events.record(tx, SecurityEvent.byOperator(SecurityEvent.Type.MAIL_RETRIED));
      return tx.run(store.allDueNow(clock.instant()));
    });
  }

  /**
   * Ends a queued mail unsent, also one that is under way but not yet handed over; false when it is
   * not queued. A node counts and logs its end.
   */
  public boolean drop(String id) {
    return done(SecurityEvent.Type.MAIL_DROPPED, store.drop(id, clock.instant())) == 1;
  }

  /** Sends to a suppressed address again; false when it was not suppressed. */
  public boolean lift(String address) {
    return done(SecurityEvent.Type.MAIL_ALLOWED, suppressions.lift(address)) == 1;
  }

  /** How many rows it was done to; nothing is recorded when to none. */
  private int done(SecurityEvent.Type act, Statement<Integer> statement) {
    return database.transaction(tx -> {
      int rows = tx.run(statement);
      if (rows > 0) {
        events.record(tx, SecurityEvent.byOperator(act));
      }
      return rows;
    });
  }
}
