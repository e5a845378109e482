package org.authservice.session;

import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.authservice.database.Transaction;
import org.authservice.operations.Sweep;
import org.authservice.secret.Hmac;
import org.authservice.secret.Keyring;

/**
 * The networks from which an account has signed in, as codes: the table tells no addresses. At most
 * fifty per account; one that has not been seen for half a year is new again.
 */
final class KnownNetworks {
  private static final Duration LIFE = Duration.ofDays(180);
  private static final Duration REFRESHED_AFTER = Duration.ofDays(1);
  private static final int MOST_PER_ACCOUNT = 50;

  private final KnownNetworkStore store = new KnownNetworkStore();
  private final Hmac hmac;
  private final Clock clock;

  KnownNetworks(Keyring keyring, Clock clock) {
    this.hmac = keyring.lookup("known network");
    this.clock = clock;
  }

  /** Whether a network is known. */
  enum Seen {
    /** So is no other: the account signs in for the first time. */
    FIRST,
    NEW,
    KNOWN
  }

  /** Notes from where an account signs in. */
  Seen note(Transaction tx, long userId, String address) {
    String code = hmac.over(Long.toString(userId), network(address)).substring(0, 32);
    Instant now = clock.instant();
    if (tx.run(store.insert(userId, code, now, now.minus(LIFE))) == 0) {
      tx.send(store.seen(userId, code, now, now.minus(REFRESHED_AFTER)));
      return Seen.KNOWN;
    }
    tx.send(store.deleteAllButNewest(userId, MOST_PER_ACCOUNT));
    return tx.run(store.other(userId, code)).isPresent() ? Seen.NEW : Seen.FIRST;
  }

  void forget(Transaction tx, long userId) {
    tx.send(store.forget(userId));
  }

  /** What clean-up may delete: what is new again anyway. */
  Sweep sweep() {
    return new Sweep("known_networks", (before, most) -> store.sweep(before.minus(LIFE), most));
  }

  /** The /24 of an IPv4 address, the /48 of an IPv6 one. */
  static String network(String address) {
    IPAddress parsed = new IPAddressString(address).getAddress();
    return parsed == null
        ? address
        : parsed.toPrefixBlock(parsed.isIPv6() ? 48 : 24).toCanonicalString();
  }
}
