package org.authservice.signin;

import java.time.Duration;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.account.EmailAddress;
import org.authservice.account.PendingRegistration;
import org.authservice.account.PendingRegistrations;
import org.authservice.account.Registration;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.http.Principal;
import org.authservice.otp.Code;
import org.authservice.otp.Guess;
import org.authservice.otp.Otps;
import org.authservice.otp.Purpose;
import org.authservice.ratelimit.LoginThrottle;
import org.authservice.secret.Secret;
import org.authservice.session.Sessions;
import org.authservice.session.Tokens;

/**
 * Entering an e-mailed code. A guess is counted, and the count committed, before the code is
 * compared; a right code is spent in the transaction that does what it is good for.
 */
public final class CodeSignin {
  private final Database database;
  private final Directory directory;
  private final Otps otps;
  private final Accounts accounts;
  private final PendingRegistrations pendings;
  private final MailboxProof proof;
  private final Sessions sessions;
  private final PasswordResets resets;
  private final LoginThrottle throttle;
  private final SecurityEvents events;

  CodeSignin(
      Database database,
      Directory directory,
      Otps otps,
      Accounts accounts,
      PendingRegistrations pendings,
      MailboxProof proof,
      Sessions sessions,
      PasswordResets resets,
      LoginThrottle throttle,
      SecurityEvents events) {
    this.database = database;
    this.directory = directory;
    this.otps = otps;
    this.accounts = accounts;
    this.pendings = pendings;
    this.proof = proof;
    this.sessions = sessions;
    this.resets = resets;
    this.throttle = throttle;
    this.events = events;
  }

  /**
   * What somebody enters.
   *
   * @param digits six ASCII digits
   * @param otpId which request's code it is
   * @param bearer whom the request's access token speaks for, if it carries one
   */
  public record Attempt(
      EmailAddress email,
      Purpose purpose,
      Secret digits,
      Optional<String> otpId,
      Optional<Principal> bearer) {}

  /** How entering a code can end. */
  public sealed interface Outcome {
    /** Signed in, the mailbox proven. */
    record SignedIn(Tokens tokens) implements Outcome {}

    /** A new password may be set with this token. */
    record MayReset(Secret resetToken, Duration expiresIn) implements Outcome {}

    /** Wrong, used, expired, exhausted, nobody's, or of an account that is switched off. */
    record Refused() implements Outcome {}
  }

  /** Enters a code. */
  public Outcome verify(Attempt attempt, Client client) {
    var entry = directory.look(attempt.email(), client);
    Outcome outcome =
        switch (otps.check(guess(attempt, entry, client))) {
          case Otps.Check.Wrong _ -> new Outcome.Refused();
          case Otps.Check.Right(var code) ->
              database.transaction(tx -> spend(tx, code, entry, attempt, client));
        };
    if (outcome instanceof Outcome.Refused) {
      events.record(
          SecurityEvent.refused(
              SecurityEvent.Type.CODE_CHECK, "otp_invalid", entry.userId(), client));
    }
    return outcome;
  }

  private static Guess guess(Attempt attempt, Directory.Entry entry, Client client) {
    return new Guess(
        entry.key(),
        entry.userId(),
        entry.account().filter(Account::active).map(Account::email),
        attempt.purpose(),
        attempt.digits(),
        attempt.otpId(),
        client,
        entry.deviceId().isPresent());
  }

  private Outcome spend(
      Transaction tx, Code code, Directory.Entry entry, Attempt attempt, Client client) {
    var prover =
        new MailboxProof.Prover(
            Optional.of(code), attempt.bearer().map(Principal::userId), entry.deviceId(), client);
    Optional<Account> owner = owner(tx, code, entry);
    if (owner.isEmpty()) {
      return code.pendingId().isPresent() ? spendPending(tx, code, prover) : new Outcome.Refused();
    }
    if (!otps.consume(tx, code)) {
      return new Outcome.Refused();
    }
    events.record(tx, SecurityEvent.ok(SecurityEvent.Type.CODE_CHECK, owner.get().id(), client));
    throttle.clear(tx, entry.key());
    throttle.clear(tx, entry.throttleSubject());
    return switch (code.purpose()) {
      case PASSWORD_RESET -> resets.grant(tx, owner.get());
      case PASSWORD_CONFIRMATION -> {
        accounts.confirmPassword(tx, owner.get().id());
        yield signIn(tx, proof.accept(tx, owner.get(), prover), entry.deviceId(), client);
      }
      case LOGIN, VERIFICATION ->
          signIn(tx, proof.accept(tx, owner.get(), prover), entry.deviceId(), client);
    };
  }

  /** The code's account, locked, if nothing that matters changed since it was looked up. */
  private Optional<Account> owner(Transaction tx, Code code, Directory.Entry entry) {
    return code.userId()
        .flatMap(id -> accounts.lock(tx, id))
        .filter(Account::active)
        .filter(now ->
            entry
                .account()
                .filter(read -> read.id() == now.id())
                .filter(read -> read.credentialsVersion() == now.credentialsVersion())
                .isPresent());
  }

  /** The code of a registration that waited for it: now there is an account. */
  private Outcome spendPending(Transaction tx, Code code, MailboxProof.Prover prover) {
    if (!otps.consume(tx, code)) {
      return new Outcome.Refused();
    }
    return code.pendingId()
        .flatMap(id -> pendings.take(tx, id))
        .flatMap(pending -> create(tx, pending, prover))
        .map(account -> signIn(tx, account, Optional.empty(), prover.client()))
        .orElseGet(Outcome.Refused::new);
  }

  private Optional<Account> create(
      Transaction tx, PendingRegistration pending, MailboxProof.Prover prover) {
    return EmailAddress.parse(pending.email())
        .flatMap(email ->
            accounts.create(
                tx, email, Optional.of(pending.hashedPassword()), pending.fullName(), false))
        .map(account -> {
          events.record(
              tx, SecurityEvent.ok(SecurityEvent.Type.REGISTRATION, account.id(), prover.client()));
          var registration = new Registration(pending.codeId(), "", pending.clientKey());
          return proof.acceptNew(tx, account, prover, registration);
        });
  }

  private Outcome signIn(
      Transaction tx, Account account, Optional<String> deviceId, Client client) {
    return new Outcome.SignedIn(sessions.open(tx, account, client, deviceId));
  }
}
