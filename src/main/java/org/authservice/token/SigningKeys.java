package org.authservice.token;

import io.micrometer.core.instrument.MeterRegistry;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.authservice.database.Channel;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.ErrorCode;
import org.authservice.http.Unavailable;
import org.authservice.json.JsonObject;
import org.authservice.operations.Sweep;
import org.authservice.operations.Worker;
import org.authservice.secret.Sealer;
import org.authservice.settings.TokenSettings.Algorithm;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The installation's key pairs for access tokens, for RS256, ES256 and EdDSA. They are in the
 * database, the private half encrypted, and every node follows them. A key is published an hour
 * before it signs, signs for 90 days, and is published until the last token that it signed is dead.
 * Whoever makes a key holds a lock, so that two nodes never make two.
 */
public final class SigningKeys implements AccessKeys {
  private static final Logger log = LoggerFactory.getLogger(SigningKeys.class);

  /** Resource servers that keep the published keys for less than this know a key when it signs. */
  private static final Duration PUBLISHED_AHEAD = Duration.ofHours(1);

  private static final Duration SIGNS_FOR = Duration.ofDays(90);

  /** Longer than any access token lives (a day), plus the leeway of whoever verifies it. */
  private static final Duration LONGEST_TOKEN = Duration.ofHours(25);

  private static final Duration POLL = Duration.ofSeconds(2);

  /** Tokens with unknown keys cost a look into the database at most this often. */
  private static final Duration UNKNOWN_KEY_PAUSE = Duration.ofMillis(100);

  /** What another node's clock may be ahead. */
  private static final Duration SKEW = Duration.ofMinutes(1);

  private static final Duration RETRY = Duration.ofSeconds(2);
  private static final String LOCK = "signing keys";
  private static final String CHANNEL = "auth_signing_keys";

  private final SigningKeyStore store = new SigningKeyStore();
  private final Database database;
  private final Algorithm algorithm;
  private final Sealer sealer;
  private final BooleanSupplier covered;
  private final Clock clock;
  private final Worker follower;
  private final Set<String> unreadable = ConcurrentHashMap.newKeySet();
  private Instant lastLook = Instant.MIN;
  private volatile List<Held> held = List.of();

  /** A key of this algorithm as this node holds it. */
  private record Held(JwsKey.Pair key, Instant signsFrom, JsonObject jwk) {}

  /**
   * A key of the installation, of whatever algorithm.
   *
   * @param signsFrom when it begins to sign
   * @param revokedAt when what it signed stopped being believed
   */
  public record Known(
      String kid, String algorithm, Instant signsFrom, Optional<Instant> revokedAt, State state) {}

  /** What a key is good for now. */
  public enum State {
    /** It signs. */
    SIGNS,
    /** It waits for its turn to sign. */
    PUBLISHED,
    /** Another signs; what it signed is believed. */
    VERIFIES,
    /** Nothing that it signed is believed. */
    REVOKED,
    /** It is of another algorithm, or this node cannot decrypt it. */
    UNUSED
  }

  /**
   * Keys of that algorithm; none is known before {@link #follow} has run.
   *
   * @param covered whether this node has the installation's secret keys: what it seals without
   *     them, no other node can open
   */
  public SigningKeys(
      Database database,
      Algorithm algorithm,
      Sealer sealer,
      BooleanSupplier covered,
      Clock clock,
      MeterRegistry meters) {
    this.database = database;
    this.algorithm = algorithm;
    this.sealer = sealer;
    this.covered = covered;
    this.clock = clock;
    this.follower = new Worker("signing-keys", POLL, this::follow, meters);
    meters.gauge("auth.signing.key.age.seconds", this, SigningKeys::signerAge);
  }

  /** What keeps the keys known, makes the next in time, and removes the dead. */
  public Worker follower() {
    return follower;
  }

  @Override
  public JwsKey signer() {
    List<Held> keys = held;
    if (keys.isEmpty()) {
      throw new Unavailable(
          ErrorCode.DATABASE_UNAVAILABLE, RETRY, "no signing key of this node signs", null);
    }
    Instant now = clock.instant();
    // The first may have been made by a node whose clock is a little ahead.
    return keys.reversed().stream()
        .filter(key -> !key.signsFrom().isAfter(now))
        .findFirst()
        .orElse(keys.getFirst())
        .key();
  }

  @Override
  public List<JwsKey> candidates(@Nullable String id) {
    List<JwsKey> known = named(id);
    if (id == null || !known.isEmpty()) {
      return known;
    }
    lookForNewKeys();
    return named(id);
  }

  @Override
  public Object trust() {
    return held;
  }

  @Override
  public List<JsonObject> published() {
    return held.stream().map(Held::jwk).toList();
  }

  /** All keys of the installation, in the order in which they sign. */
  public List<Known> all() {
    return database.read(store.all()).stream()
        .map(entry ->
            new Known(
                entry.kid(), entry.algorithm(), entry.signsFrom(), entry.revokedAt(), state(entry)))
        .toList();
  }

  private State state(SigningKeyStore.Entry entry) {
    if (entry.revokedAt().isPresent()) {
      return State.REVOKED;
    }
    if (named(entry.kid()).isEmpty()) {
      return State.UNUSED;
    }
    if (entry.signsFrom().isAfter(clock.instant())) {
      return State.PUBLISHED;
    }
    return entry.kid().equals(signer().id()) ? State.SIGNS : State.VERIFIES;
  }

  /**
   * Makes the next key now instead of when it is due.
   *
   * @param atOnce it signs at once, before resource servers can know it
   * @return its id
   */
  public String rotate(boolean atOnce) {
    Instant now = clock.instant();
    var entry = newKey(atOnce ? now : now.plus(PUBLISHED_AHEAD));
    database.transaction(tx -> {
      tx.lock(LOCK);
      tx.announce(CHANNEL, entry.kid());
      return tx.run(store.insert(entry));
    });
    return entry.kid();
  }

  /**
   * Believes nothing more that a key signed, on every node within seconds; when none is left that
   * may sign, another does at once.
   *
   * @return false when there is no such key, or it was revoked before
   */
  public boolean revoke(String kid) {
    boolean revoked =
        database.transaction(tx -> {
          tx.announce(CHANNEL, kid);
          return tx.run(store.revoke(kid, clock.instant())) == 1;
        });
    if (revoked) {
      makeWhatIsDue();
    }
    return revoked;
  }

  /** On which changes are heard as they happen; polling stays the guarantee. */
  public Channel channel() {
    return new Channel(CHANNEL, kid -> readAll());
  }

  /** Makes the next key when it is due, removes the dead, and learns what other nodes have made. */
  void follow() {
    makeWhatIsDue();
    dead(database.read(store.all())).forEach(entry -> database.commit(store.delete(entry.kid())));
    for (SigningKeyStore.Entry entry : readAll()) {
      sealer
          .resealed(entry.privateKey(), entry.kid())
          .ifPresent(sealed -> database.commit(store.reseal(entry, sealed)));
    }
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return List.of(new Sweep("signing_keys", store::sweep));
  }

  /**
   * Another node may have made a key that signs at once. Who comes meanwhile waits for the look.
   */
  private synchronized void lookForNewKeys() {
    Instant now = clock.instant();
    if (!lastLook.plus(UNKNOWN_KEY_PAUSE).isAfter(now)) {
      lastLook = now;
      readAll();
    }
  }

  /** One at a time, so that an older reading never replaces a newer one. */
  private synchronized List<SigningKeyStore.Entry> readAll() {
    List<SigningKeyStore.Entry> entries = database.read(store.all());
    hold(entries);
    return entries;
  }

  private void makeWhatIsDue() {
    if (!covered.getAsBoolean() || due(database.read(store.all())).isEmpty()) {
      return;
    }
    // Made before the lock is held: it takes a while.
    var entry = newKey(clock.instant());
    database.transaction(tx -> makeIfStillDue(tx, entry));
  }

  private boolean makeIfStillDue(Transaction tx, SigningKeyStore.Entry made) {
    tx.lock(LOCK);
    Optional<Instant> from = due(tx.run(store.all()));
    from.ifPresent(start -> tx.run(store.insert(startingAt(made, start))));
    return from.isPresent();
  }

  /** From when a key must sign that is to be made now; empty when none is to be. */
  private Optional<Instant> due(List<SigningKeyStore.Entry> entries) {
    Instant now = clock.instant();
    List<SigningKeyStore.Entry> usable = usable(entries);
    Instant almostNow = now.plus(SKEW);
    if (usable.stream().allMatch(entry -> entry.signsFrom().isAfter(almostNow))) {
      return Optional.of(now);
    }
    Instant next = usable.getLast().signsFrom().plus(SIGNS_FOR);
    Instant soon = now.plus(PUBLISHED_AHEAD);
    return next.isAfter(soon) ? Optional.empty() : Optional.of(soon);
  }

  /** Those that may sign or verify, and that this node can open. */
  private List<SigningKeyStore.Entry> usable(List<SigningKeyStore.Entry> entries) {
    return entries.stream()
        .filter(entry -> entry.algorithm().equals(algorithm.name()))
        .filter(entry -> entry.revokedAt().isEmpty())
        .filter(this::opens)
        .toList();
  }

  private boolean opens(SigningKeyStore.Entry entry) {
    boolean opens = sealer.opens(entry.privateKey(), entry.kid());
    if (!opens && unreadable.add(entry.kid())) {
      log.error(
          "signing key {} cannot be decrypted with the secret keys of this node", entry.kid());
    }
    return opens;
  }

  /** Those that the next one replaced so long ago that nothing they signed lives. */
  private List<SigningKeyStore.Entry> dead(List<SigningKeyStore.Entry> entries) {
    Instant before = clock.instant().minus(LONGEST_TOKEN);
    List<SigningKeyStore.Entry> usable = usable(entries);
    List<SigningKeyStore.Entry> dead = new ArrayList<>();
    for (int i = 0; i + 1 < usable.size(); i++) {
      if (usable.get(i + 1).signsFrom().isBefore(before)) {
        dead.add(usable.get(i));
      }
    }
    return dead;
  }

  private void hold(List<SigningKeyStore.Entry> entries) {
    List<Held> before = held;
    List<Held> now = new ArrayList<>();
    for (SigningKeyStore.Entry entry : usable(entries)) {
      now.add(
          before.stream()
              .filter(key -> key.key().id().equals(entry.kid()))
              .findFirst()
              .orElseGet(() -> open(entry)));
    }
    if (!now.equals(before)) {
      held = List.copyOf(now);
    }
  }

  private Held open(SigningKeyStore.Entry entry) {
    KeyPair keys = KeyPairs.open(algorithm, entry, sealer);
    return new Held(
        new JwsKey.Pair(entry.kid(), algorithm, keys),
        entry.signsFrom(),
        KeyPairs.jwk(algorithm, entry.kid(), keys.getPublic()));
  }

  private List<JwsKey> named(@Nullable String id) {
    return held.stream().<JwsKey>map(Held::key).filter(key -> key.id().equals(id)).toList();
  }

  private SigningKeyStore.Entry newKey(Instant signsFrom) {
    KeyPair pair = KeyPairs.generate(algorithm);
    String kid = KeyPairs.thumbprint(algorithm, pair.getPublic());
    return new SigningKeyStore.Entry(
        kid,
        algorithm.name(),
        pair.getPublic().getEncoded(),
        sealer.seal(pair.getPrivate().getEncoded(), kid),
        clock.instant(),
        signsFrom,
        Optional.empty());
  }

  private static SigningKeyStore.Entry startingAt(SigningKeyStore.Entry entry, Instant start) {
    return new SigningKeyStore.Entry(
        entry.kid(),
        entry.algorithm(),
        entry.publicKey(),
        entry.privateKey(),
        entry.createdAt(),
        start,
        entry.revokedAt());
  }

  private double signerAge() {
    Instant now = clock.instant();
    return held.reversed().stream()
        .map(Held::signsFrom)
        .filter(from -> !from.isAfter(now))
        .findFirst()
        .map(from -> Duration.between(from, now).toMillis() / 1000.0)
        .orElse(Double.NaN);
  }
}
