package org.authservice.account;

import java.time.Clock;
import java.util.Optional;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Principal;
import org.authservice.secret.Secrets;

/** The accounts: who exists and in which state. */
public final class Accounts {
  private final AccountStore store = new AccountStore();
  private final IdentityStore identities = new IdentityStore();
  private final Database database;
  private final Clock clock;
  private final Secrets secrets;

  /** The accounts in that database. */
  public Accounts(Database database, Clock clock, Secrets secrets) {
    this.database = database;
    this.clock = clock;
    this.secrets = secrets;
  }

  /** The account with this address: in its exact spelling, else in any case. */
  public Optional<Account> find(EmailAddress address) {
    return database.read(store.byAddress(address));
  }

  /** The account with this id. */
  public Optional<Account> byId(long id) {
    return database.read(store.byId(id));
  }

  /** Whom an access token speaks for, if that account may still act by it. */
  public Optional<Account> of(Principal principal) {
    return byId(principal.userId())
        .filter(Account::active)
        .filter(account ->
            principal.sessionId().isPresent()
                || !principal.issuedAt().isBefore(account.tokensValidFrom()));
  }

  /** Creates an account; empty when the address is taken in any spelling. */
  public Optional<Account> create(
      Transaction tx,
      EmailAddress address,
      Optional<String> hashedPassword,
      Optional<String> fullName,
      boolean verified) {
    return tx.run(store.insert(address, hashedPassword, fullName, verified, clock.instant()));
  }

  /**
   * Locks the account's row to the end of the transaction. Everything that opens a session, and
   * everything that ends the credentials it was opened by, takes this lock first.
   */
  public Optional<Account> lock(Transaction tx, long id) {
    return tx.run(store.lock(id));
  }

  /**
   * Locks the account's row and gives its present state, but only while the account is active and
   * its credentials are those that were read when a check of them began.
   */
  public Optional<Account> lockUnchanged(Transaction tx, Account asChecked) {
    return lock(tx, asChecked.id())
        .filter(Account::active)
        .filter(account -> account.sameCredentialsAs(asChecked));
  }

  /** Changes or clears the name; empty when the account is no longer active. */
  public Optional<Account> rename(long id, Optional<String> fullName) {
    return database.commit(store.rename(id, fullName, clock.instant()));
  }

  /** Replaces a weaker hash of the same password, unless the password changed meanwhile. */
  public void upgradeHash(Account account, String hash) {
    account
        .hashedPassword()
        .ifPresent(checked -> database.commit(store.upgradeHash(account.id(), checked, hash)));
  }

  /** The owner has proven the mailbox. */
  public void markVerified(Transaction tx, long id) {
    tx.send(store.markVerified(id, clock.instant()));
  }

  /**
   * Clears what another than the mailbox's owner may have set, links to providers too; the password
   * needs confirming.
   */
  public void passToProver(Transaction tx, long id) {
    tx.send(identities.deleteAll(id));
    tx.send(store.passToProver(id, clock.instant()));
  }

  /** Remembers which languages its owner prefers, as in {@code Accept-Language}. */
  public void speaks(Transaction tx, long id, String languages) {
    tx.send(store.setLanguages(id, languages));
  }

  /** The mailbox's owner says that the password is theirs. */
  public void confirmPassword(Transaction tx, long id) {
    tx.send(store.confirmPassword(id, clock.instant()));
  }

  /** Sets a new password; whatever the old credentials opened is to be ended by the caller. */
  public void setPassword(Transaction tx, long id, String hash) {
    tx.send(store.setPassword(id, hash, clock.instant()));
  }

  /** Lets no sign-in that is under way finish with the credentials it began with. */
  public void raiseCredentials(Transaction tx, long id) {
    tx.send(store.raiseCredentials(id, clock.instant()));
  }

  /** Refuses refresh tokens that the Python service issued before now. */
  public void endLegacyTokens(Transaction tx, long id) {
    tx.send(store.endLegacyTokens(id, clock.instant()));
  }

  /** Switches an account on or off; false when it already was. */
  public boolean setActive(Transaction tx, long id, boolean active) {
    return tx.run(store.setActive(id, active, clock.instant())) == 1;
  }

  /** Erases everything personal; the id stays taken for ever. */
  public void erase(Transaction tx, long id) {
    tx.send(identities.deleteAll(id));
    tx.send(store.erase(id, "deleted-" + secrets.id() + "@invalid", clock.instant()));
  }

  /** Remembers how an account was registered, until its mailbox is proven. */
  public void rememberRegistration(Transaction tx, long userId, Registration registration) {
    tx.send(store.insertRegistration(userId, registration));
  }

  /** Takes out how the account was registered; empty after the first time. */
  public Optional<Registration> takeRegistration(Transaction tx, long userId) {
    return tx.run(store.takeRegistration(userId));
  }

  /** Whether any stored hash was made by another scheme than the one with this prefix. */
  public boolean anyHashOutside(String prefix) {
    return database.read(store.anyHashOutside(prefix)).isPresent();
  }
}
