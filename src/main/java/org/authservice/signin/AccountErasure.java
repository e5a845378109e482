package org.authservice.signin;

import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.http.Principal;
import org.authservice.mail.Outbox;
import org.authservice.otp.Otps;
import org.authservice.session.Sessions;

/**
 * Erasing an account: sessions, codes, devices and mails go, the row loses everything personal, and
 * its events keep only that they happened to this id, which is never given again.
 */
public final class AccountErasure {
  private final Database database;
  private final Accounts accounts;
  private final Sessions sessions;
  private final AccountRevocation revocation;
  private final Otps otps;
  private final Outbox outbox;
  private final SecurityEvents events;

  AccountErasure(
      Database database,
      Accounts accounts,
      Sessions sessions,
      AccountRevocation revocation,
      Otps otps,
      Outbox outbox,
      SecurityEvents events) {
    this.database = database;
    this.accounts = accounts;
    this.sessions = sessions;
    this.revocation = revocation;
    this.otps = otps;
    this.outbox = outbox;
    this.events = events;
  }

  /** How erasing one's own account can end. */
  public sealed interface Outcome {
    /** It is erased. */
    record Erased() implements Outcome {}

    /** The access token no longer speaks for an active account. */
    record TokenInvalid() implements Outcome {}

    /** The session's user must prove themselves again first. */
    record LoginRequired() implements Outcome {}
  }

  /** Erases the account of whoever proved themselves in the last five minutes. */
  public Outcome erase(Principal principal, Client client) {
    Optional<Account> account = accounts.of(principal);
    if (account.isEmpty()) {
      return new Outcome.TokenInvalid();
    }
    if (principal
        .sessionId()
        .filter(id -> sessions.provenWithin(id, Sessions.PROOF_AGE))
        .isEmpty()) {
      return new Outcome.LoginRequired();
    }
    return database.transaction(tx -> {
      // A reset may have ended what was checked, while this waited for the lock.
      if (accounts.lockUnchanged(tx, account.get()).isEmpty()) {
        return new Outcome.TokenInvalid();
      }
      erase(tx, account.get().id(), client);
      return new Outcome.Erased();
    });
  }

  void erase(Account account, Client client) {
    database.transaction(tx -> {
      erase(tx, account.id(), client);
      return true;
    });
  }

  private void erase(Transaction tx, long id, Client client) {
    String address = accounts.lock(tx, id).orElseThrow().email();
    accounts.raiseCredentials(tx, id);
    revocation.revokeAll(tx, id, client);
    accounts.takeRegistration(tx, id);
    sessions.forget(tx, id);
    otps.forget(tx, id);
    outbox.forget(tx, id, address);
    accounts.erase(tx, id);
    events.record(tx, SecurityEvent.ok(SecurityEvent.Type.ACCOUNT_DELETED, id, client));
    events.anonymise(tx, id);
  }
}
