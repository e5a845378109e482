package org.authservice.signin;

import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.database.Database;
import org.authservice.mail.Mail;
import org.authservice.mail.Outbox;
import org.authservice.mail.Template;
import org.authservice.password.PasswordHasher;
import org.authservice.ratelimit.LoginThrottle;
import org.authservice.secret.Secret;

/**
 * Checks an account's password, within the budget of failures that its address, or its known
 * device, has. An address without an account costs the same.
 */
final class PasswordChecks {
  private static final Duration WARNING_LIFE = Duration.ofDays(1);

  private final Database database;
  private final PasswordHasher hasher;
  private final Accounts accounts;
  private final LoginThrottle throttle;
  private final Outbox outbox;
  private final Clock clock;

  PasswordChecks(
      Database database,
      PasswordHasher hasher,
      Accounts accounts,
      LoginThrottle throttle,
      Outbox outbox,
      Clock clock) {
    this.database = database;
    this.hasher = hasher;
    this.accounts = accounts;
    this.throttle = throttle;
    this.outbox = outbox;
    this.clock = clock;
  }

  /** How a check can end. */
  sealed interface Result {
    /**
     * Right.
     *
     * @param outdated whether the stored hash should be replaced
     */
    record Right(boolean outdated) implements Result {}

    record Wrong() implements Result {}

    /** Too many failures lately; the password was not looked at. */
    record Blocked(Duration retryAfter) implements Result {}
  }

  Result check(Directory.Entry entry, Secret password) {
    return switch (throttle.enter(entry.throttleSubject())) {
      case LoginThrottle.Entry.Blocked(var wait) -> new Result.Blocked(wait);
      case LoginThrottle.Entry.Admitted(var check) -> compare(entry, password, check);
    };
  }

  /**
   * The account as it is now, when a password that was right for it still is: a login beside this
   * request may have replaced an outdated hash of the same password meanwhile.
   */
  Optional<Account> stillRight(Account before, Secret password) {
    return accounts
        .byId(before.id())
        .filter(now -> now.credentialsVersion() == before.credentialsVersion())
        .filter(now ->
            hasher.verify(password, now.hashedPassword()) instanceof PasswordHasher.Verdict.Right);
  }

  private Result compare(Directory.Entry entry, Secret password, LoginThrottle.Check check) {
    return switch (verify(entry, password, check)) {
      case PasswordHasher.Verdict.Right(var outdated) -> {
        throttle.succeeded(check);
        yield new Result.Right(outdated);
      }
      case PasswordHasher.Verdict.Wrong _ -> {
        if (throttle.failed(check)) {
          warn(entry);
        }
        yield new Result.Wrong();
      }
    };
  }

  private PasswordHasher.Verdict verify(
      Directory.Entry entry, Secret password, LoginThrottle.Check check) {
    try {
      return hasher.verify(password, entry.account().flatMap(Account::hashedPassword));
    } catch (RuntimeException notChecked) {
      throttle.abandoned(check);
      throw notChecked;
    }
  }

  /** At a day's first wait; an address nobody has costs the same. */
  private void warn(Directory.Entry entry) {
    database.transaction(tx -> {
      boolean first = throttle.claimWarning(tx, entry.key());
      if (first) {
        entry
            .account()
            .filter(Account::active)
            .ifPresentOrElse(
                account -> outbox.queue(tx, warning(account)),
                () -> outbox.queueDecoy(tx, Template.ACCOUNT_LOCKED));
      }
      return first;
    });
  }

  private Mail warning(Account account) {
    return new Mail(
        Template.ACCOUNT_LOCKED,
        account.email(),
        Optional.of(account.id()),
        Optional.empty(),
        clock.instant().plus(WARNING_LIFE));
  }
}
