package org.authservice.signin;

import java.time.Duration;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.account.EmailAddress;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.http.Unavailable;
import org.authservice.otp.Addressee;
import org.authservice.otp.Otps;
import org.authservice.otp.Purpose;
import org.authservice.password.PasswordHasher;
import org.authservice.secret.Secret;
import org.authservice.session.Sessions;
import org.authservice.session.Tokens;
import org.authservice.settings.RegistrationSettings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Signing in with a password. What is wrong with an account is told only after the right one. */
public final class PasswordLogin {
  private static final Logger log = LoggerFactory.getLogger(PasswordLogin.class);

  private final Database database;
  private final RegistrationSettings settings;
  private final Directory directory;
  private final PasswordChecks checks;
  private final Suspicions suspicions;
  private final PasswordHasher hasher;
  private final Accounts accounts;
  private final Otps otps;
  private final Sessions sessions;
  private final SecurityEvents events;

  PasswordLogin(
      Database database,
      RegistrationSettings settings,
      Directory directory,
      PasswordChecks checks,
      Suspicions suspicions,
      PasswordHasher hasher,
      Accounts accounts,
      Otps otps,
      Sessions sessions,
      SecurityEvents events) {
    this.database = database;
    this.settings = settings;
    this.directory = directory;
    this.checks = checks;
    this.suspicions = suspicions;
    this.hasher = hasher;
    this.accounts = accounts;
    this.otps = otps;
    this.sessions = sessions;
    this.events = events;
  }

  /** How signing in can end. */
  public sealed interface Outcome {
    /** Signed in. */
    record SignedIn(Tokens tokens) implements Outcome {}

    /** No such account, or not its password. */
    record InvalidCredentials() implements Outcome {}

    /** Too many wrong passwords lately. */
    record TooManyFailures(Duration retryAfter) implements Outcome {}

    /** The right password of an account that is switched off. */
    record AccountDisabled() implements Outcome {}

    /** The right password, but the mailbox must be proven first. */
    record EmailNotVerified() implements Outcome {}

    /**
     * The right password, but set before the mailbox was proven, perhaps by another.
     *
     * @param otpId of the code that confirms it
     */
    record PasswordUnconfirmed(Optional<String> otpId) implements Outcome {}

    /**
     * The right password, on a device that the account has never signed in on.
     *
     * @param otpId of the code that signs in
     */
    record CodeRequired(Optional<String> otpId) implements Outcome {}
  }

  /** Signs in. */
  public Outcome login(EmailAddress email, Secret password, Client client) {
    var entry = directory.look(email, client);
    Outcome outcome =
        switch (checks.check(entry, password)) {
          case PasswordChecks.Result.Blocked(var wait) -> new Outcome.TooManyFailures(wait);
          case PasswordChecks.Result.Wrong _ -> {
            suspicions.wrongPassword(entry, password, client);
            yield new Outcome.InvalidCredentials();
          }
          case PasswordChecks.Result.Right(var outdated) ->
              admit(entry.account().orElseThrow(), entry, password, outdated, client);
        };
    refusal(outcome)
        .ifPresent(reason ->
            events.record(
                SecurityEvent.refused(SecurityEvent.Type.LOGIN, reason, entry.userId(), client)));
    return outcome;
  }

  private Outcome admit(
      Account account, Directory.Entry entry, Secret password, boolean outdated, Client client) {
    if (!account.active()) {
      return new Outcome.AccountDisabled();
    }
    if (!account.passwordConfirmed()) {
      return new Outcome.PasswordUnconfirmed(
          sendCode(account, entry, Purpose.PASSWORD_CONFIRMATION, client));
    }
    if (settings.loginRequiresVerifiedEmail() && !account.verified()) {
      return new Outcome.EmailNotVerified();
    }
    if (settings.stepUp() && entry.deviceId().isEmpty()) {
      return new Outcome.CodeRequired(sendCode(account, entry, Purpose.LOGIN, client));
    }
    Optional<Outcome> opened = open(account, entry.deviceId(), client);
    if (opened.isPresent()) {
      if (outdated) {
        upgradeHash(account, password);
      }
      return opened.get();
    }
    return checks
        .stillRight(account, password)
        .flatMap(now -> open(now, entry.deviceId(), client))
        .orElseGet(Outcome.InvalidCredentials::new);
  }

  private Optional<Outcome> open(Account account, Optional<String> deviceId, Client client) {
    return database.transaction(
        tx -> accounts.lockUnchanged(tx, account).map(it -> signedIn(tx, it, deviceId, client)));
  }

  private Outcome signedIn(
      Transaction tx, Account account, Optional<String> deviceId, Client client) {
    events.record(tx, SecurityEvent.ok(SecurityEvent.Type.LOGIN, account.id(), client));
    return new Outcome.SignedIn(sessions.open(tx, account, client, deviceId));
  }

  private void upgradeHash(Account account, Secret password) {
    try {
      String hash = hasher.hash(password);
      accounts.upgradeHash(account, hash);
    } catch (Unavailable busy) {
      log.info("the outdated password hash of account {} stays for now", account.id());
    }
  }

  /** The id of a code just mailed, or of the last one when it is too soon for another. */
  private Optional<String> sendCode(
      Account account, Directory.Entry entry, Purpose purpose, Client client) {
    var addressee = Addressee.account(entry.key(), account.email(), account.id());
    return database.transaction(tx ->
        switch (otps.send(tx, addressee, purpose, client, entry.deviceId())) {
          case Otps.Sending.Sent(var otpId) -> Optional.of(otpId);
          case Otps.Sending.TooMany _ -> otps.newestId(tx, entry.key(), purpose);
        });
  }

  private static Optional<String> refusal(Outcome outcome) {
    return switch (outcome) {
      case Outcome.SignedIn _ -> Optional.empty();
      case Outcome.InvalidCredentials _ -> Optional.of("invalid_credentials");
      case Outcome.TooManyFailures _ -> Optional.of("too_many_failures");
      case Outcome.AccountDisabled _ -> Optional.of("account_disabled");
      case Outcome.EmailNotVerified _ -> Optional.of("email_not_verified");
      case Outcome.PasswordUnconfirmed _ -> Optional.of("password_unconfirmed");
      case Outcome.CodeRequired _ -> Optional.of("code_required");
    };
  }
}
