package org.authservice.mail;

import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.secret.Sealer;
import org.authservice.secret.Secret;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What becomes of one mail: it ends sent, expired or dead, or is tried again later. */
final class Delivery {
  private static final Logger log = LoggerFactory.getLogger(Delivery.class);

  /** Far longer than any send is allowed to take. */
  private static final Duration LEASE = Duration.ofMinutes(2);

  private static final Duration FIRST_RETRY = Duration.ofSeconds(2);
  private static final Duration LEAST_CAP = Duration.ofSeconds(10);
  private static final Duration MOST_CAP = Duration.ofMinutes(15);
  private static final int EXPIRED_AT_ONCE = 500;

  private final OutboxStore store;
  private final Database database;
  private final Transport transport;
  private final Templates templates;
  private final Suppressions suppressions;
  private final Breaker breaker;
  private final Sealer sealer;
  private final Clock clock;
  private final MeterRegistry meters;

  Delivery(
      OutboxStore store,
      Database database,
      Transport transport,
      Templates templates,
      Suppressions suppressions,
      Breaker breaker,
      Sealer sealer,
      Clock clock,
      MeterRegistry meters) {
    this.store = store;
    this.database = database;
    this.transport = transport;
    this.templates = templates;
    this.suppressions = suppressions;
    this.breaker = breaker;
    this.sealer = sealer;
    this.clock = clock;
    this.meters = meters;
  }

  /** Ends every mail that is past its life or was withdrawn. */
  void expire() {
    List<OutboxStore.Ended> ended;
    do {
      ended = database.commit(store.expire(EXPIRED_AT_ONCE, clock.instant()));
      for (OutboxStore.Ended mail : ended) {
        ended(mail.id(), mail.template(), mail.state(), Optional.of(mail.reason()));
        if (mail.reason().equals(OutboxStore.ERASED)) {
          database.commit(store.remove(mail.id()));
        }
      }
    } while (ended.size() == EXPIRED_AT_ONCE);
  }

  /**
   * Withdraws what waits of an account that is being erased, and removes the rest. Perhaps this is
   * a command's process: a node accounts for what was withdrawn.
   */
  void forget(Transaction tx, long userId) {
    tx.run(store.withdraw(userId, clock.instant()));
    tx.run(store.forget(userId));
  }

  /** Leases mails that are due: nobody else sends them while the lease lasts. */
  List<OutboxStore.Leased> lease(int most) {
    Instant now = clock.instant();
    // Whole milliseconds: the lease is compared for equality when it is given back.
    Instant leaseEnd = Instant.ofEpochMilli(now.plus(LEASE).toEpochMilli());
    return database.commit(store.lease(most, now, leaseEnd));
  }

  /** Sends a leased mail. */
  void deliver(OutboxStore.Leased mail) {
    if (!clock.instant().isBefore(mail.expiresAt())) {
      finish(mail, "expired", Optional.of("not sent in time"));
      return;
    }
    Optional<Template> template = Template.of(mail.template());
    if (template.isEmpty()) {
      retry(mail, "only a newer version knows this mail");
      return;
    }
    Optional<String> suppressed = suppressions.reason(mail.recipient());
    if (suppressed.isPresent()) {
      finish(mail, "dead", Optional.of("suppressed: " + suppressed.get()));
      return;
    }
    try {
      String text = new String(sealer.open(mail.payload(), mail.id()), StandardCharsets.UTF_8);
      Optional<Secret> code = text.isEmpty() ? Optional.empty() : Optional.of(Secret.of(text));
      send(mail, templates.render(template.get(), mail.languages(), code));
    } catch (GeneralSecurityException foreignKey) {
      finish(mail, "dead", Optional.of("sealed under another SECRET_KEY"));
    }
  }

  private void send(OutboxStore.Leased mail, Letter letter) {
    var envelope =
        new Transport.Envelope(mail.id(), mail.recipient(), thread(mail), mail.expiresAt());
    Transport.Outcome outcome =
        transport.send(envelope, letter, () -> database.read(store.wanted(mail)).isPresent());
    switch (outcome) {
      case Transport.Outcome.Withdrawn _ -> {
        breaker.reached();
        log.info(
            "mail {} ({}) ended elsewhere before it was handed over", mail.id(), mail.template());
      }
      case Transport.Outcome.Sent _ -> {
        breaker.reached();
        finish(mail, "sent", Optional.empty());
      }
      case Transport.Outcome.Refused(var reason, var noSuchMailbox) -> {
        breaker.reached();
        if (noSuchMailbox) {
          suppressions.add(mail.recipient(), "hard bounce", mail.id());
        }
        finish(mail, "dead", Optional.of(reason));
      }
      case Transport.Outcome.Failed(var reason) -> retry(mail, reason);
      case Transport.Outcome.Unreachable(var reason) -> {
        breaker.unreachable();
        retry(mail, reason);
      }
    }
  }

  /** The same for all mails of one kind to one address in a day, so that they stand together. */
  private static String thread(OutboxStore.Leased mail) {
    long day = mail.createdAt().getEpochSecond() / Duration.ofDays(1).toSeconds();
    return mail.template().toLowerCase(Locale.ROOT).replace('_', '-') + "." + day;
  }

  private void finish(OutboxStore.Leased mail, String state, Optional<String> reason) {
    if (database.commit(store.finish(mail, state, reason, clock.instant())) == 1) {
      ended(mail.id(), mail.template(), state, reason);
    } else {
      // Dropped, erased, or leased by another node meanwhile, and counted there.
      log.info(
          "mail {} ({}) had ended elsewhere when it was {}", mail.id(), mail.template(), state);
    }
  }

  private void ended(String id, String template, String state, Optional<String> reason) {
    meters.counter("auth.mail", "outcome", state).increment();
    log.info(
        "mail {} ({}) is {}{}", id, template, state, reason.map(text -> ": " + text).orElse(""));
  }

  /** The wait doubles up to a tenth of the mail's life, half of it by chance. */
  private void retry(OutboxStore.Leased mail, String reason) {
    long life = Duration.between(mail.createdAt(), mail.expiresAt()).toMillis();
    long cap = Math.clamp(life / 10, LEAST_CAP.toMillis(), MOST_CAP.toMillis());
    long wait = Math.min(FIRST_RETRY.toMillis() << Math.min(mail.attempts() - 1, 16), cap);
    long jittered = wait / 2 + ThreadLocalRandom.current().nextLong(wait / 2 + 1);
    if (database.commit(store.retry(mail, reason, clock.instant().plusMillis(jittered))) == 1) {
      meters.counter("auth.mail", "outcome", "retried").increment();
      log.info("mail {} ({}) is tried again: {}", mail.id(), mail.template(), reason);
    }
  }
}
