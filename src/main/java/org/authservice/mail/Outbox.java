package org.authservice.mail;

import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.operations.Worker;
import org.authservice.secret.Sealer;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The mails on their way. A mail is queued in the transaction that needs it, so that it is sent if
 * and only if that commits; a worker sends it later. What is in it is encrypted, and wiped when it
 * is sent or given up. Each mail ends sent, expired or dead, with a log line and a counter.
 */
public final class Outbox {
  private static final Logger log = LoggerFactory.getLogger(Outbox.class);
  private static final int BATCH = 20;
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final Duration LEASE = Duration.ofMinutes(2);
  private static final Duration FIRST_RETRY = Duration.ofSeconds(2);
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(2);
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final OutboxStore store = new OutboxStore();
  private final Database database;
  private final Transport transport;
  private final int maxPerMinute;
  private final Sealer sealer;
  private final Clock clock;
  private final Secrets secrets;
  private final MeterRegistry meters;
  private final Templates templates;
  private final Worker sender;
  private Instant minute = Instant.EPOCH;
  private int sentThisMinute;

  /** An outbox in that database, sending by that transport. */
  public Outbox(
      Database database,
      Transport transport,
      Templates templates,
      int maxPerMinute,
      Sealer sealer,
      Clock clock,
      Secrets secrets,
      MeterRegistry meters) {
    this.database = database;
    this.transport = transport;
    this.templates = templates;
    this.maxPerMinute = maxPerMinute;
    this.sealer = sealer;
    this.clock = clock;
    this.secrets = secrets;
    this.meters = meters;
    this.sender = new Worker("mail", POLL, this::send, meters);
    meters.gauge("auth.mail.oldest.queued.seconds", this, Outbox::oldestQueuedSeconds);
  }

  /** What sends the mails. */
  public Worker sender() {
    return sender;
  }

  /** Whether mail can leave this installation at all. */
  public boolean available() {
    return transport.available();
  }

  /** Queues a mail in the caller's transaction. */
  public void queue(Transaction tx, Mail mail) {
    String id = secrets.id();
    byte[] code = mail.code().map(Secret::reveal).orElse("").getBytes(StandardCharsets.UTF_8);
    tx.run(store.insert(id, mail, sealer.seal(code, id), clock.instant()));
    tx.afterCommit(sender::wake);
  }

  /** Does the work of queuing a mail, for nobody: a stranger cannot tell the difference. */
  public void queueDecoy(Transaction tx, Template template) {
    String id = secrets.id();
    byte[] code = "000000".getBytes(StandardCharsets.UTF_8);
    tx.run(store.insertDecoy(id, template, sealer.seal(code, id), clock.instant()));
    tx.afterCommit(sender::wake);
  }

  /** Removes the mails of an account that is being erased. */
  public void forget(Transaction tx, long userId) {
    tx.run(store.forget(userId));
  }

  /** Sends what is due; whoever asks while that goes on waits for it. */
  private synchronized void send() {
    if (!transport.available()) {
      return;
    }
    int most = allowance();
    while (most > 0) {
      // Whole milliseconds: the lease is compared for equality when it is given back.
      Instant leaseEnd = Instant.ofEpochMilli(clock.instant().plus(LEASE).toEpochMilli());
      List<OutboxStore.Leased> mails =
          database.commit(store.lease(Math.min(BATCH, most), clock.instant(), leaseEnd));
      if (mails.isEmpty()) {
        break;
      }
      for (OutboxStore.Leased mail : mails) {
        send(mail, leaseEnd);
      }
      sentThisMinute += mails.size();
      most -= mails.size();
    }
    transport.idle();
  }

  private int allowance() {
    Instant now = clock.instant();
    if (now.isAfter(minute.plus(MINUTE))) {
      minute = now;
      sentThisMinute = 0;
    }
    return maxPerMinute - sentThisMinute;
  }

  private void send(OutboxStore.Leased mail, Instant leaseEnd) {
    if (!clock.instant().isBefore(mail.expiresAt())) {
      finish(mail, "expired", Optional.of("not sent in time"), leaseEnd);
      return;
    }
    Optional<Secret> code;
    try {
      String text = new String(sealer.open(mail.payload(), mail.id()), StandardCharsets.UTF_8);
      code = text.isEmpty() ? Optional.empty() : Optional.of(Secret.of(text));
    } catch (GeneralSecurityException foreignKey) {
      finish(mail, "dead", Optional.of("sealed under another SECRET_KEY"), leaseEnd);
      return;
    }
    switch (transport.send(mail.id(), mail.recipient(), templates.render(mail.template(), code))) {
      case Transport.Outcome.Sent _ -> finish(mail, "sent", Optional.empty(), leaseEnd);
      case Transport.Outcome.Refused(var reason) ->
          finish(mail, "dead", Optional.of(reason), leaseEnd);
      case Transport.Outcome.Failed(var reason) -> retry(mail, reason, leaseEnd);
    }
  }

  private void finish(
      OutboxStore.Leased mail, String state, Optional<String> reason, Instant leaseEnd) {
    database.commit(store.finish(mail, state, reason, clock.instant(), leaseEnd));
    meters.counter("auth.mail", "outcome", state).increment();
    log.info(
        "mail {} ({}) is {}{}",
        mail.id(),
        mail.template(),
        state,
        reason.map(text -> ": " + text).orElse(""));
  }

  private void retry(OutboxStore.Leased mail, String reason, Instant leaseEnd) {
    long millis = FIRST_RETRY.toMillis() << Math.min(mail.attempts() - 1, 16);
    long bounded = Math.min(millis, LONGEST_RETRY.toMillis());
    long wait = bounded / 2 + ThreadLocalRandom.current().nextLong(bounded / 2 + 1);
    Instant due = clock.instant().plusMillis(wait);
    database.commit(store.retry(mail, reason, due, leaseEnd));
    meters.counter("auth.mail", "outcome", "retried").increment();
    log.info("mail {} ({}) is tried again: {}", mail.id(), mail.template(), reason);
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
