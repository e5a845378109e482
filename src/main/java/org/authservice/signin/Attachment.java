package org.authservice.signin;

import org.authservice.database.Transaction;

/** What a package above this one keeps of an account and what ends with its credentials. */
@FunctionalInterface
public interface Attachment {
  /** Ends it; the caller holds the lock on the account's row. */
  void endAll(Transaction tx, long userId);
}
