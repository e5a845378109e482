package org.authservice.signin;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.mail.Outbox;
import org.authservice.operations.Sweep;
import org.authservice.otp.Otps;
import org.authservice.password.PasswordHasher;
import org.authservice.password.PasswordPolicy;
import org.authservice.ratelimit.LoginThrottle;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.secret.Signatures;

/** Setting a new password with a token that an e-mailed code has earned. */
public final class PasswordResets {
  private static final Duration TOKEN_LIFE = Duration.ofMinutes(10);

  private final ResetTokenStore store = new ResetTokenStore();
  private final Database database;
  private final PasswordPolicy policy;
  private final PasswordHasher hasher;
  private final Accounts accounts;
  private final AccountRevocation revocation;
  private final MailboxProof proof;
  private final LoginThrottle throttle;
  private final Otps otps;
  private final Outbox outbox;
  private final SecurityEvents events;
  private final Signatures tokenSignatures;
  private final Clock clock;
  private final Secrets secrets;

  PasswordResets(
      Database database,
      PasswordPolicy policy,
      PasswordHasher hasher,
      Accounts accounts,
      AccountRevocation revocation,
      MailboxProof proof,
      LoginThrottle throttle,
      Otps otps,
      Outbox outbox,
      SecurityEvents events,
      Keyring keyring,
      Clock clock,
      Secrets secrets) {
    this.database = database;
    this.policy = policy;
    this.hasher = hasher;
    this.accounts = accounts;
    this.revocation = revocation;
    this.proof = proof;
    this.throttle = throttle;
    this.otps = otps;
    this.outbox = outbox;
    this.events = events;
    this.tokenSignatures = keyring.signatures("reset token");
    this.clock = clock;
    this.secrets = secrets;
  }

  /** How setting a new password can end. */
  public sealed interface Outcome {
    /** It is set; every session of the account has ended. */
    record Reset() implements Outcome {}

    /** The token is wrong, used or expired. */
    record TokenInvalid() implements Outcome {}

    /** The password policy says no; the token stays good. */
    record PasswordRejected(String reason) implements Outcome {}
  }

  /** Sets a new password, proves the mailbox and ends whatever the old credentials opened. */
  public Outcome reset(Secret token, Secret password, Client client) {
    Optional<ResetTokenStore.Entry> entry =
        tokenSignatures.candidates(token.reveal()).stream()
            .flatMap(hash -> database.read(store.find(hash, clock.instant())).stream())
            .findFirst();
    Optional<Account> owner = entry.flatMap(it -> accounts.byId(it.userId()));
    Optional<String> reason =
        policy.reasonAgainst(
            password, owner.map(Account::email).orElse(""), owner.flatMap(Account::fullName));
    if (reason.isPresent()) {
      return new Outcome.PasswordRejected(reason.get());
    }
    Outcome outcome =
        owner.isEmpty()
            ? new Outcome.TokenInvalid()
            : reset(entry.orElseThrow().tokenHash(), owner.get(), hasher.hash(password), client);
    if (outcome instanceof Outcome.TokenInvalid) {
      events.record(
          SecurityEvent.refused(
              SecurityEvent.Type.PASSWORD_RESET,
              "reset_token_invalid",
              owner.map(Account::id),
              client));
    }
    return outcome;
  }

  /** Gives the token that setting a new password needs. */
  CodeSignin.Outcome grant(Transaction tx, Account account) {
    Secret token = secrets.token();
    Instant expiresAt = clock.instant().plus(TOKEN_LIFE);
    tx.send(store.insert(tokenSignatures.over(token.reveal()), account.id(), expiresAt));
    return new CodeSignin.Outcome.MayReset(token, TOKEN_LIFE);
  }

  /** What clean-up may delete. */
  List<Sweep> sweeps() {
    return List.of(new Sweep("reset_tokens", store::sweep));
  }

  private Outcome reset(String tokenHash, Account read, String hash, Client client) {
    return database.transaction(tx -> {
      Optional<Account> account = accounts.lock(tx, read.id()).filter(Account::active);
      if (account.isEmpty() || tx.run(store.spend(tokenHash, clock.instant())) == 0) {
        return new Outcome.TokenInvalid();
      }
      if (!account.get().verified()) {
        proof.acceptReset(tx, account.get(), client);
      }
      accounts.setPassword(tx, read.id(), hash);
      revocation.revokeAll(tx, read.id(), client);
      throttle.clear(tx, otps.addressKey(account.get().email()));
      outbox.queue(tx, PasswordChanges.notice(account.get(), clock.instant()));
      events.record(tx, SecurityEvent.ok(SecurityEvent.Type.PASSWORD_RESET, read.id(), client));
      return new Outcome.Reset();
    });
  }
}
