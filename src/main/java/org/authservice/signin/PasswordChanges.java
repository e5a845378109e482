package org.authservice.signin;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.http.Client;
import org.authservice.http.Principal;
import org.authservice.mail.Mail;
import org.authservice.mail.Outbox;
import org.authservice.mail.Template;
import org.authservice.password.PasswordHasher;
import org.authservice.password.PasswordPolicy;
import org.authservice.secret.Secret;

/** Changing the password from inside a session, by whoever knows the current one. */
public final class PasswordChanges {
  private static final Duration NOTICE_LIFE = Duration.ofDays(1);

  private final Database database;
  private final PasswordPolicy policy;
  private final PasswordHasher hasher;
  private final Accounts accounts;
  private final Directory directory;
  private final PasswordChecks checks;
  private final AccountRevocation revocation;
  private final Outbox outbox;
  private final SecurityEvents events;
  private final Clock clock;

  PasswordChanges(
      Database database,
      PasswordPolicy policy,
      PasswordHasher hasher,
      Accounts accounts,
      Directory directory,
      PasswordChecks checks,
      AccountRevocation revocation,
      Outbox outbox,
      SecurityEvents events,
      Clock clock) {
    this.database = database;
    this.policy = policy;
    this.hasher = hasher;
    this.accounts = accounts;
    this.directory = directory;
    this.checks = checks;
    this.revocation = revocation;
    this.outbox = outbox;
    this.events = events;
    this.clock = clock;
  }

  /** How changing it can end. */
  public sealed interface Outcome {
    /** It is changed; the other sessions have ended. */
    record Changed() implements Outcome {}

    /** The access token no longer speaks for an active account. */
    record TokenInvalid() implements Outcome {}

    /** The password policy says no to the new one. */
    record PasswordRejected(String reason) implements Outcome {}

    /** The current password is another, or there is none. */
    record CurrentPasswordWrong() implements Outcome {}

    /** Too many wrong passwords lately. */
    record TooManyFailures(Duration retryAfter) implements Outcome {}
  }

  /** Changes the password. */
  public Outcome change(Principal principal, Secret current, Secret next, Client client) {
    Optional<Account> found = accounts.of(principal);
    if (found.isEmpty()) {
      return new Outcome.TokenInvalid();
    }
    Account account = found.get();
    Optional<String> reason = policy.reasonAgainst(next, account.email(), account.fullName());
    if (reason.isPresent()) {
      return new Outcome.PasswordRejected(reason.get());
    }
    var entry = directory.entry(account, client);
    Outcome outcome =
        switch (checks.check(entry, current)) {
          case PasswordChecks.Result.Blocked(var wait) -> new Outcome.TooManyFailures(wait);
          case PasswordChecks.Result.Wrong _ -> new Outcome.CurrentPasswordWrong();
          case PasswordChecks.Result.Right _ -> {
            String hash = hasher.hash(next);
            yield change(principal, account, hash, entry.deviceId(), client)
                .or(() ->
                    checks
                        .stillRight(account, current)
                        .flatMap(now -> change(principal, now, hash, entry.deviceId(), client)))
                .orElseGet(Outcome.CurrentPasswordWrong::new);
          }
        };
    if (!(outcome instanceof Outcome.Changed)) {
      events.record(
          SecurityEvent.refused(
              SecurityEvent.Type.PASSWORD_CHANGE, "refused", entry.userId(), client));
    }
    return outcome;
  }

  /** What the owner is told when the password has changed. */
  static Mail notice(Account account, Instant now) {
    return new Mail(
        Template.PASSWORD_CHANGED,
        account.email(),
        Optional.of(account.id()),
        Optional.empty(),
        now.plus(NOTICE_LIFE));
  }

  private Optional<Outcome> change(
      Principal principal, Account checked, String hash, Optional<String> deviceId, Client client) {
    return database.transaction(tx ->
        accounts
            .lockUnchanged(tx, checked)
            .map(account -> {
              accounts.setPassword(tx, account.id(), hash);
              revocation.revokeAllBut(tx, account.id(), principal.sessionId(), deviceId, client);
              outbox.queue(tx, notice(account, clock.instant()));
              events.record(
                  tx, SecurityEvent.ok(SecurityEvent.Type.PASSWORD_CHANGE, account.id(), client));
              return new Outcome.Changed();
            }));
  }
}
