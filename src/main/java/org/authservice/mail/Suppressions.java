package org.authservice.mail;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import org.authservice.database.Database;
import org.authservice.database.Statement;
import org.authservice.database.Transaction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Addresses that get no mail for a while, because what was sent there bounced for good. Whoever
 * asks for a code sees nothing of it: the mail is queued like any other and ends without leaving.
 */
final class Suppressions {
  private static final Logger log = LoggerFactory.getLogger(Suppressions.class);

  private final SuppressionStore store = new SuppressionStore();
  private final Database database;
  private final Duration period;
  private final Clock clock;

  /** Suppressions that last that long; zero turns them off. */
  Suppressions(Database database, Duration period, Clock clock) {
    this.database = database;
    this.period = period;
    this.clock = clock;
  }

  /** Sends nothing to that address from now on. */
  void add(String address, String reason, String mailId) {
    if (period.isZero()) {
      return;
    }
    Instant now = clock.instant();
    database.commit(store.add(folded(address), reason, now, now.plus(period)));
    log.info(
        "the address of mail {} gets no mail for {} days: {}", mailId, period.toDays(), reason);
  }

  /** The same in the caller's transaction, for what somebody else found out. */
  void add(Transaction tx, String address, String reason) {
    if (period.isZero()) {
      return;
    }
    Instant now = clock.instant();
    tx.run(store.add(folded(address), reason, now, now.plus(period)));
    tx.afterCommit(() ->
        log.info(
            "the address of a mail event gets no mail for {} days: {}", period.toDays(), reason));
  }

  /** Forgets an address with whatever was known of it. */
  void forget(Transaction tx, String address) {
    tx.run(store.lift(folded(address)));
  }

  /** Why nothing is sent to that address. */
  Optional<String> reason(String address) {
    return period.isZero()
        ? Optional.empty()
        : database.read(store.reason(folded(address), clock.instant()));
  }

  /** Sends to that address again; no row when it was not suppressed. */
  Statement<Integer> lift(String address) {
    return store.lift(folded(address));
  }

  /** Those that have passed. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return store.sweep(expiredBefore, most);
  }

  private static String folded(String address) {
    return address.toLowerCase(Locale.ROOT);
  }
}
