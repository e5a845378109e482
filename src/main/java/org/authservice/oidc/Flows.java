package org.authservice.oidc;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.oidc.Provider.FlowSecrets;
import org.authservice.operations.Sweep;
import org.authservice.secret.Hmac;
import org.authservice.secret.Keyring;
import org.authservice.secret.Sealer;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;

/**
 * Sign-ins that are at their provider. A flow is known by its state, which travels through the
 * provider, and belongs to one browser, told by a cookie of the flow's own: whoever is made to
 * follow another's link has the state, but not the cookie. It is taken out once, by one statement.
 */
final class Flows {
  /** How long a person may take at the provider, and a nonce in an app. */
  static final Duration LIFE = Duration.ofMinutes(10);

  private final FlowStore store = new FlowStore();
  private final Database database;
  private final Hmac hmac;
  private final Sealer sealer;
  private final Clock clock;
  private final Secrets secrets;

  Flows(Database database, Keyring keyring, Clock clock, Secrets secrets) {
    this.database = database;
    this.hmac = keyring.lookup("provider flow");
    this.sealer = keyring.sealer("provider flow", secrets);
    this.clock = clock;
    this.secrets = secrets;
  }

  /**
   * What a flow leads to.
   *
   * @param redirectTo the app to return to; without, the callback itself answers
   * @param codeChallenge binds the app's exchange code to the app (RFC 7636, S256)
   * @param appState the app's own state, returned to it
   * @param linking for whom an identity is being linked, instead of signing in
   */
  record Aim(
      Optional<String> redirectTo,
      Optional<String> codeChallenge,
      Optional<String> appState,
      Optional<Linker> linking) {}

  /** Who links: the account, by which session, under which credentials. */
  record Linker(long userId, String sessionId, int credentialsVersion) {}

  /**
   * A flow that has begun.
   *
   * @param state for the provider to return
   * @param browser for the cookie
   */
  record Begun(Secret state, Secret browser, FlowSecrets secrets) {}

  /** A flow that has come back. */
  record Returned(FlowSecrets secrets, Aim aim) {}

  /** A flow that is not kept yet: what the provider is asked comes first. */
  Begun begin() {
    return new Begun(
        secrets.token(), secrets.token(), new FlowSecrets(secrets.token(), secrets.token()));
  }

  void keep(String provider, Begun flow, Aim aim) {
    String stateHash = hash("state", flow.state());
    String text = flow.secrets().nonce().reveal() + " " + flow.secrets().verifier().reveal();
    byte[] sealed = sealer.seal(text.getBytes(StandardCharsets.UTF_8), stateHash);
    database.commit(
        store.insert(
            stateHash,
            hash("browser", flow.browser()),
            provider,
            new FlowStore.Kept(sealed, aim),
            clock.instant().plus(LIFE)));
  }

  /** Takes the flow out; empty when unknown, used, expired, or begun in another browser. */
  Optional<Returned> take(String provider, Secret state, Secret browser) {
    String stateHash = hash("state", state);
    return database
        .commit(store.take(stateHash, hash("browser", browser), provider, clock.instant()))
        .flatMap(kept -> opened(kept, stateHash));
  }

  /** A nonce for an app to have put into an ID token. */
  Secret issueNonce() {
    Secret nonce = secrets.token();
    database.commit(store.insertNonce(hash("nonce", nonce), clock.instant().plus(LIFE)));
    return nonce;
  }

  /** Spends a nonce; false when it was never issued, is used or expired. */
  boolean spendNonce(Secret nonce) {
    return database.commit(store.spendNonce(hash("nonce", nonce), clock.instant())) == 1;
  }

  /** Ends whatever is being linked to an account. */
  void endAll(Transaction tx, long userId) {
    tx.run(store.deleteAll(userId));
  }

  List<Sweep> sweeps() {
    return List.of(
        new Sweep("provider_flows", store::sweep),
        new Sweep("provider_nonces", store::sweepNonces));
  }

  private Optional<Returned> opened(FlowStore.Kept kept, String stateHash) {
    try {
      String text = new String(sealer.open(kept.sealed(), stateHash), StandardCharsets.UTF_8);
      String[] parts = text.split(" ", 2);
      return Optional.of(
          new Returned(new FlowSecrets(Secret.of(parts[0]), Secret.of(parts[1])), kept.aim()));
    } catch (GeneralSecurityException foreignKey) {
      return Optional.empty();
    }
  }

  private String hash(String kind, Secret secret) {
    return hmac.over(kind, secret.reveal());
  }
}
