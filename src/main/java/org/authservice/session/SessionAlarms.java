package org.authservice.session;

import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.mail.Mail;
import org.authservice.mail.Outbox;
import org.authservice.mail.Template;
import org.authservice.operations.Sweep;
import org.authservice.ratelimit.Devices;
import org.authservice.token.Revocations;

/** What is said, and to whom, when more than one party seems to use a session. */
final class SessionAlarms {
  private static final int SHARED_OFTEN = 3;
  private static final int NEW_DEVICES_A_DAY = 3;
  private static final Duration DAY = Duration.ofDays(1);

  private final SessionStore store = new SessionStore();
  private final Database database;
  private final Revocations revocations;
  private final Devices devices;
  private final KnownNetworks networks;
  private final SecurityEvents events;
  private final Outbox outbox;
  private final Clock clock;

  SessionAlarms(
      Database database,
      Revocations revocations,
      Devices devices,
      KnownNetworks networks,
      SecurityEvents events,
      Outbox outbox,
      Clock clock) {
    this.database = database;
    this.revocations = revocations;
    this.devices = devices;
    this.networks = networks;
    this.events = events;
    this.outbox = outbox;
    this.clock = clock;
  }

  /**
   * Notes that an account signs in on a device, or from a network, on which it never has: not the
   * first time, when everything is new. Of a device the owner is told, who alone knows whose it is;
   * but nobody whose mailbox is not proven, and not without end where a client keeps no device
   * token.
   *
   * @param device on which; the same as {@code known} if that is still known
   */
  void noteSignIn(
      Transaction tx, Account account, String device, Optional<String> known, Client client) {
    long userId = account.id();
    KnownNetworks.Seen network = networks.note(tx, userId, client.address());
    if (network != KnownNetworks.Seen.FIRST
        && !known.equals(Optional.of(device))
        && devices.hasOther(tx, userId, device)) {
      events.record(tx, SecurityEvent.ok(SecurityEvent.Type.NEW_DEVICE, userId, client));
      if (account.verified()) {
        outbox.queueAtMost(tx, mail(Template.NEW_DEVICE, account), NEW_DEVICES_A_DAY, DAY);
      }
    }
    if (network == KnownNetworks.Seen.NEW) {
      events.record(tx, SecurityEvent.ok(SecurityEvent.Type.NEW_NETWORK, userId, client));
    }
  }

  /** Forgets from where an account has signed in. */
  void forget(Transaction tx, long userId) {
    networks.forget(tx, userId);
  }

  /** What clean-up may delete. */
  Sweep sweep() {
    return networks.sweep();
  }

  /** Ends a session that two parties use; false when its row changed meanwhile. */
  boolean endReused(Session session, Account account, Client client) {
    return database.transaction(tx -> {
      if (tx.run(store.endReused(session, clock.instant())) == 0) {
        return false;
      }
      revocations.end(tx, session.userId(), List.of(session.id()));
      events.record(
          tx,
          SecurityEvent.refused(
                  SecurityEvent.Type.SESSION_REUSED,
                  "refresh_token_reused",
                  Optional.of(session.userId()),
                  client)
              .of(session.id()));
      warn(tx, Template.TOKEN_REUSE, account);
      return true;
    });
  }

  /** Changes a row that was restored from an older copy; 0 when it changed meanwhile. */
  int rollForward(Session session, Session next, Client client) {
    return database.transaction(tx -> {
      int changed = tx.run(store.change(session, next));
      if (changed == 1) {
        events.record(
            tx,
            SecurityEvent.ok(SecurityEvent.Type.SESSION_ROLLED_FORWARD, session.userId(), client)
                .of(session.id()));
      }
      return changed;
    });
  }

  /**
   * An answer inside a grace changes nothing, so a thief who always comes right after the owner, or
   * right before, is not found by the numbers. But then the answers go to two places: to another
   * network and to another program than the last change. That alone may be an honest change of
   * both, so it ends nothing; it is noted, and at the third time the owner is asked to look.
   */
  void noteGraceAnswer(Session session, Account account, Client client) {
    if (session.userAgent().equals(client.userAgent())
        || KnownNetworks.network(session.address())
            .equals(KnownNetworks.network(client.address()))) {
      return;
    }
    database.transaction(tx -> {
      Optional<Integer> times = tx.run(store.countShared(session.id()));
      if (times.isPresent()) {
        events.record(
            tx,
            SecurityEvent.ok(SecurityEvent.Type.SESSION_SHARED, session.userId(), client)
                .of(session.id()));
        if (times.get() == SHARED_OFTEN) {
          warn(tx, Template.SESSION_SHARED, account);
        }
      }
      return true;
    });
  }

  private void warn(Transaction tx, Template template, Account account) {
    outbox.queue(tx, mail(template, account));
  }

  private Mail mail(Template template, Account account) {
    return new Mail(
        template,
        account.email(),
        Optional.of(account.id()),
        Optional.empty(),
        clock.instant().plus(DAY));
  }
}
