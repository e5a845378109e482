package org.authservice.signin;

import java.util.List;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.account.EmailAddress;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.password.PasswordHasher;
import org.authservice.password.PasswordPolicy;
import org.authservice.secret.Secret;
import org.authservice.session.SessionOverview;

/** What an operator can do to accounts and their sessions, by {@code bin/auth users|sessions}. */
public final class AccountAdministration {
  private final Database database;
  private final PasswordPolicy policy;
  private final PasswordHasher hasher;
  private final Accounts accounts;
  private final AccountRevocation revocation;
  private final AccountErasure erasure;
  private final SessionOverview sessions;
  private final SecurityEvents events;

  AccountAdministration(
      Database database,
      PasswordPolicy policy,
      PasswordHasher hasher,
      Accounts accounts,
      AccountRevocation revocation,
      AccountErasure erasure,
      SessionOverview sessions,
      SecurityEvents events) {
    this.database = database;
    this.policy = policy;
    this.hasher = hasher;
    this.accounts = accounts;
    this.revocation = revocation;
    this.erasure = erasure;
    this.sessions = sessions;
    this.events = events;
  }

  /** How creating an account can end. */
  public sealed interface Creation {
    /** It exists, its address taken for proven. */
    record Created(Account account) implements Creation {}

    /** An account has the address. */
    record EmailTaken() implements Creation {}

    /** The password policy says no. */
    record PasswordRejected(String reason) implements Creation {}
  }

  /** Creates an account whose address the operator vouches for. */
  public Creation create(EmailAddress email, Secret password) {
    Optional<String> reason = policy.reasonAgainst(password, email.normalised(), Optional.empty());
    if (reason.isPresent()) {
      return new Creation.PasswordRejected(reason.get());
    }
    Optional<String> hash = Optional.of(hasher.hash(password));
    return database.transaction(tx ->
        accounts
            .create(tx, email, hash, Optional.empty(), true)
            .<Creation>map(account -> {
              record(tx, SecurityEvent.Type.ACCOUNT_CREATED, account.id());
              return new Creation.Created(account);
            })
            .orElseGet(Creation.EmailTaken::new));
  }

  /** The account, for somebody to look at: that they did is recorded. */
  public Account show(Account account) {
    events.record(SecurityEvent.readByOperator("users show", Optional.of(account.id())));
    return account;
  }

  /** The account with that address. */
  public Optional<Account> find(EmailAddress email) {
    return accounts.find(email);
  }

  /** Switches the account off: every session ends on every node. False when it already was. */
  public boolean deactivate(Account account) {
    return database.transaction(tx -> {
      accounts.lock(tx, account.id());
      if (!accounts.setActive(tx, account.id(), false)) {
        return false;
      }
      accounts.raiseCredentials(tx, account.id());
      revocation.revokeAll(tx, account.id(), SecurityEvent.OPERATOR);
      record(tx, SecurityEvent.Type.ACCOUNT_DEACTIVATED, account.id());
      return true;
    });
  }

  /** Switches the account on again. False when it already was. */
  public boolean reactivate(Account account) {
    return database.transaction(tx -> {
      boolean changed = accounts.setActive(tx, account.id(), true);
      if (changed) {
        record(tx, SecurityEvent.Type.ACCOUNT_REACTIVATED, account.id());
      }
      return changed;
    });
  }

  /** Erases the account: everything personal goes, its id stays taken. */
  public void delete(Account account) {
    erasure.erase(account, SecurityEvent.OPERATOR);
  }

  /** The living sessions of an account, for somebody to look at. */
  public List<SessionOverview.Shown> sessions(Account account) {
    events.record(SecurityEvent.readByOperator("sessions list", Optional.of(account.id())));
    return sessions.list(account.id());
  }

  /** Ends a session on every node; false when there is none of that id alive. */
  public boolean endSession(String sessionId) {
    return sessions.end(sessionId, SecurityEvent.OPERATOR);
  }

  /** Ends all that the account's credentials have opened, sign-ins under way included. */
  public void endSessions(Account account) {
    database.transaction(tx -> {
      accounts.lock(tx, account.id());
      accounts.raiseCredentials(tx, account.id());
      revocation.revokeAll(tx, account.id(), SecurityEvent.OPERATOR);
      record(tx, SecurityEvent.Type.ACCOUNT_SIGNED_OUT, account.id());
      return true;
    });
  }

  private void record(Transaction tx, SecurityEvent.Type type, long userId) {
    events.record(tx, SecurityEvent.ok(type, userId, SecurityEvent.OPERATOR));
  }
}
