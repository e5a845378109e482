package org.authservice.mail;

import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.operations.Sweep;
import org.authservice.operations.Worker;
import org.authservice.secret.Keyring;
import org.authservice.secret.Sealer;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.settings.MailSettings;

/**
 * The mails on their way. A mail is queued in the transaction that needs it, so that it is sent if
 * and only if that commits; a worker sends it later. What is in it is encrypted, and wiped when it
 * is sent or given up. Each mail ends sent, expired or dead, with a log line and a counter.
 */
public final class Outbox {
  private static final Duration POLL = Duration.ofSeconds(1);

  private final OutboxStore store = new OutboxStore();
  private final Database database;
  private final Transport transport;
  private final Sealer sealer;
  private final Suppressions suppressions;
  private final Clock clock;
  private final Secrets secrets;
  private final Delivery delivery;
  private final Dispatch dispatch;
  private final Worker sender;
  private final MailAdministration administration;
  private final Optional<MailEvents> events;

  /** An outbox in that database, sending by that transport. */
  public Outbox(
      Database database,
      Transport transport,
      Templates templates,
      MailSettings settings,
      Keyring keyring,
      Clock clock,
      Secrets secrets,
      SecurityEvents securityEvents,
      MeterRegistry meters) {
    this.database = database;
    this.transport = transport;
    this.sealer = keyring.sealer("mail", secrets);
    this.clock = clock;
    this.secrets = secrets;
    this.suppressions = new Suppressions(database, settings.suppression(), clock);
    var breaker = new Breaker(clock);
    this.delivery =
        new Delivery(
            store, database, transport, templates, suppressions, breaker, sealer, clock, meters);
    var pace = new Pace(settings.maxPerMinute(), clock);
    this.dispatch = new Dispatch(delivery, transport, pace, breaker, settings.connections());
    this.sender = new Worker("mail", POLL, dispatch::run, meters);
    this.administration =
        new MailAdministration(database, store, suppressions, securityEvents, clock);
    this.events =
        settings
            .eventsKey()
            .map(key ->
                new MailEvents(
                    database, key, keyring.lookup("mail event"), suppressions, clock, meters));
    meters.gauge("auth.mail.oldest.queued.seconds", this, Outbox::oldestQueuedSeconds);
    meters.gauge("auth.mail.under.way", dispatch, Dispatch::underWay);
    meters.gauge("auth.mail.server.unreachable", breaker, it -> it.open() ? 1 : 0);
  }

  /** What sends the mails. */
  public Worker sender() {
    return sender;
  }

  /** What an operator can do to mails. */
  public MailAdministration administration() {
    return administration;
  }

  /** What takes the mail provider's events; empty without a key to check them by. */
  public Optional<MailEvents> events() {
    return events;
  }

  /** Whether mail can leave this installation at all. */
  public boolean available() {
    return transport.available();
  }

  /** Queues a mail in the caller's transaction. */
  public void queue(Transaction tx, Mail mail) {
    String id = secrets.id();
    byte[] code = mail.code().map(Secret::reveal).orElse("").getBytes(StandardCharsets.UTF_8);
    tx.send(store.insert(id, mail, sealer.seal(code, id), clock.instant()));
    tx.afterCommit(this::wake);
  }

  /**
   * The same, unless so many of the kind were queued for the account within that time, five days at
   * most. The caller holds the lock on the account's row.
   */
  public void queueAtMost(Transaction tx, Mail mail, int times, Duration within) {
    long userId = mail.userId().orElseThrow();
    Instant since = clock.instant().minus(within);
    if (tx.run(store.queuedSince(userId, mail.template(), since)).orElse(0) < times) {
      queue(tx, mail);
    }
  }

  /** Does the work of queuing a mail, for nobody: a stranger cannot tell the difference. */
  public void queueDecoy(Transaction tx, Template template) {
    String id = secrets.id();
    byte[] code = "000000".getBytes(StandardCharsets.UTF_8);
    Instant now = clock.instant();
    var mail = new Mail(template, "", Optional.empty(), Optional.empty(), now);
    tx.send(store.insertDecoy(id, mail, sealer.seal(code, id), now));
    tx.afterCommit(this::wake);
  }

  /** Removes the mails of an account that is being erased, and what is known of its address. */
  public void forget(Transaction tx, long userId, String address) {
    delivery.forget(tx, userId);
    suppressions.forget(tx, address);
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return List.of(
        new Sweep("outbox", store::sweep),
        new Sweep("mail_suppressions", suppressions::sweep),
        new Sweep("mail_event_signatures", new MailEventStore()::sweep));
  }

  private void wake() {
    sender.wake();
    dispatch.wake();
  }

  private double oldestQueuedSeconds() {
    Instant now = clock.instant();
    return database
        .read(store.oldestQueued())
        .filter(oldest -> oldest.isBefore(now))
        .map(oldest -> Duration.between(oldest, now).toMillis() / 1000.0)
        .orElse(0.0);
  }
}
