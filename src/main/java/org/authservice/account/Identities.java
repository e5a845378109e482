package org.authservice.account;

import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Database;
import org.authservice.database.Transaction;

/**
 * Which identity at which provider signs in to which account. {@code users.google_id} is kept in
 * step, so that the Python service can run beside this one: what it writes there counts here at
 * once, and what is linked here is written there.
 */
public final class Identities {
  private final IdentityStore store = new IdentityStore();
  private final Database database;
  private final Clock clock;

  /** The identities in that database. */
  public Identities(Database database, Clock clock) {
    this.database = database;
    this.clock = clock;
  }

  /** How linking can end. */
  public enum Link {
    /** It is linked from now on. */
    MADE,
    /** It was before. */
    KEPT,
    /** The account is linked to another identity at this provider. */
    OTHER_IDENTITY,
    /** The identity is linked to another account. */
    OTHER_ACCOUNT
  }

  /** The account that an identity signs in to. */
  public Optional<Long> owner(Identity identity) {
    return database.read(store.owner(identity));
  }

  /**
   * Links an identity to an account, at most one per provider; the caller holds the lock on the
   * account's row. The insert decides a race between two accounts for one identity.
   */
  public Link link(Transaction tx, Identity identity, long userId) {
    if (identity.google()) {
      tx.run(store.deleteOvertaken(identity, userId));
    }
    Optional<Long> owner = tx.run(store.owner(identity));
    if (owner.isPresent() && owner.get() != userId) {
      return Link.OTHER_ACCOUNT;
    }
    Optional<String> subject = tx.run(store.subject(identity, userId));
    if (owner.isEmpty() && subject.isPresent()) {
      return Link.OTHER_IDENTITY;
    }
    int inserted = tx.run(store.insert(identity, userId, clock.instant()));
    if (owner.isPresent()) {
      return Link.KEPT;
    }
    if (inserted == 0) {
      return Link.OTHER_ACCOUNT;
    }
    if (identity.google()) {
      tx.run(store.setGoogleId(identity, userId));
    }
    return Link.MADE;
  }

  /** Whether the identity still signs in to that account, whose row the caller has locked. */
  public boolean isLinked(Transaction tx, Identity identity, long userId) {
    return tx.run(store.owner(identity)).filter(owner -> owner == userId).isPresent();
  }

  /**
   * Removes the account's identity at a provider; the caller holds the lock on the account's row.
   *
   * @param google whether the provider is the one that the Python service knows
   * @return whether there was one
   */
  public boolean unlink(Transaction tx, String issuer, boolean google, long userId) {
    boolean known = tx.run(store.subject(new Identity(issuer, "", google), userId)).isPresent();
    tx.run(store.delete(issuer, userId));
    if (google && known) {
      tx.run(store.clearGoogleId(userId));
    }
    return known;
  }

  /** The providers at which the account has an identity. */
  public List<String> issuers(Transaction tx, long userId) {
    return tx.run(store.issuers(userId));
  }
}
