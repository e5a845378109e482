package org.authservice.oidc;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.operations.Sweep;
import org.authservice.secret.Hmac;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;

/**
 * The codes by which an app collects a sign-in, so that no token is ever in a URL. A code is good
 * for a minute, once, and only with the verifier whose challenge the app gave when it began: what
 * else sees the URL cannot use it, and a wrong try spends it.
 */
final class ExchangeCodes {
  private static final Duration LIFE = Duration.ofMinutes(1);

  private final ExchangeCodeStore store = new ExchangeCodeStore();
  private final Database database;
  private final Hmac hmac;
  private final Clock clock;
  private final Secrets secrets;

  ExchangeCodes(Database database, Keyring keyring, Clock clock, Secrets secrets) {
    this.database = database;
    this.hmac = keyring.lookup("exchange code");
    this.clock = clock;
    this.secrets = secrets;
  }

  /** A code for an account whose row the caller has locked. */
  Secret issue(Transaction tx, Account account, String codeChallenge) {
    Secret code = secrets.token();
    var issued =
        new ExchangeCodeStore.Issued(account.id(), account.credentialsVersion(), codeChallenge);
    tx.run(store.insert(hmac.over(code.reveal()), issued, clock.instant().plus(LIFE)));
    return code;
  }

  /** The account that a living code was issued for. */
  Optional<Long> owner(Secret code) {
    return database.read(store.owner(hmac.over(code.reveal()), clock.instant()));
  }

  /**
   * Spends a code, whatever else is wrong.
   *
   * @param account the account as it is now, locked, if it may still be entered
   * @return whether the code and the verifier are good, and no credentials changed since
   */
  boolean spend(Transaction tx, Secret code, Secret verifier, Optional<Account> account) {
    return tx.run(store.spend(hmac.over(code.reveal()), clock.instant()))
        .filter(issued -> Secret.of(issued.codeChallenge()).equals(challenge(verifier)))
        .filter(issued ->
            account
                .filter(now -> now.id() == issued.userId())
                .filter(now -> now.credentialsVersion() == issued.credentialsVersion())
                .isPresent())
        .isPresent();
  }

  /** Ends every code of an account. */
  void endAll(Transaction tx, long userId) {
    tx.run(store.deleteAll(userId));
  }

  List<Sweep> sweeps() {
    return List.of(new Sweep("exchange_codes", store::sweep));
  }

  /** RFC 7636, section 4.2, S256. */
  private static Secret challenge(Secret verifier) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(verifier.bytes());
      return Secret.of(Base64.getUrlEncoder().withoutPadding().encodeToString(digest));
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException("SHA-256 is not available", missing);
    }
  }
}
