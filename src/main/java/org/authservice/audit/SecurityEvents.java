package org.authservice.audit;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Database;
import org.authservice.database.LaggingReads;
import org.authservice.database.Statement;
import org.authservice.database.Transaction;
import org.authservice.operations.Sweep;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secrets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The record of security events: rows in the database, lines in the log, counters. */
public final class SecurityEvents {
  private static final Logger log = LoggerFactory.getLogger("security");

  private final SecurityEventStore store = new SecurityEventStore();
  private final Database database;
  private final LaggingReads lagging;
  private final Alarms alarms;
  private final Personal personal;
  private final Clock clock;
  private final Secrets secrets;
  private final MeterRegistry meters;

  /** A record in that database, listed as it was a moment ago. */
  SecurityEvents(
      Database database,
      LaggingReads lagging,
      Alarms alarms,
      Keyring keyring,
      Clock clock,
      Secrets secrets,
      MeterRegistry meters) {
    this.database = database;
    this.lagging = lagging;
    this.alarms = alarms;
    this.personal = Personal.under(keyring);
    this.clock = clock;
    this.secrets = secrets;
    this.meters = meters;
  }

  /** Writes the event in the transaction that it describes; the log line follows its commit. */
  public void record(Transaction tx, SecurityEvent event) {
    String id = secrets.id();
    tx.send(insert(id, event));
    if (event.type().alarming() && alarms.wanted()) {
      alarms.queue(tx, id, event);
    }
    tx.afterCommit(() -> announce(event));
  }

  /** Writes an event that has no transaction of its own, such as a refusal. */
  public void record(SecurityEvent event) {
    if (event.type().alarming()) {
      database.transaction(tx -> {
        record(tx, event);
        return true;
      });
    } else {
      database.commit(insert(secrets.id(), event));
      announce(event);
    }
  }

  /** A place between two events of a list that is read page by page. */
  public record Position(Instant at, String id) {
    private static final Position NEWEST = new Position(Instant.ofEpochMilli(Long.MAX_VALUE), "");
  }

  /**
   * What an operator looks for.
   *
   * @param most how many at most, the newest first
   */
  public record Search(
      Optional<Long> userId, Optional<SecurityEvent.Type> type, Instant since, int most) {}

  /** An account's events, newest first. */
  public List<RecordedEvent> of(long userId, Optional<Position> before, int most) {
    return lagging.read(store.of(userId, before.orElse(Position.NEWEST), most));
  }

  /** The events that are looked for. */
  public List<RecordedEvent> search(Search search) {
    return lagging.read(store.search(search));
  }

  /** Leaves of a deleted account's events only that they happened. */
  public void anonymise(Transaction tx, long userId) {
    tx.send(store.anonymise(userId));
  }

  /** What clean-up may delete: events older than they are to be kept. */
  List<Sweep> sweeps(Duration kept) {
    return List.of(
        new Sweep("security_events", (before, most) -> store.sweep(before.minus(kept), most)));
  }

  private Statement<Integer> insert(String id, SecurityEvent event) {
    return store.insert(id, clock.instant(), event, personal.of(id, event.client()));
  }

  /** Counts from zero, since an alert sees no increase where nothing was before. */
  public void expect(SecurityEvent.Type type, String outcome) {
    counter(type, outcome);
  }

  private Counter counter(SecurityEvent.Type type, String outcome) {
    return meters.counter("auth.security.events", "type", type.code(), "outcome", outcome);
  }

  private void announce(SecurityEvent event) {
    counter(event.type(), event.outcome()).increment();
    log.atInfo()
        .addKeyValue("event", event.type().code())
        .addKeyValue("outcome", event.outcome())
        .addKeyValue("user_id", event.userId().map(String::valueOf).orElse("-"))
        .addKeyValue("session_id", event.sessionId().orElse("-"))
        .addKeyValue("address", event.client().address())
        .addKeyValue("user_agent", event.client().userAgent())
        .addKeyValue("request_id", event.client().requestId())
        .log("security event");
  }
}
