package org.authservice.operations;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.authservice.database.Channel;
import org.authservice.database.Database;
import org.authservice.database.Statement;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Handler;
import org.authservice.http.Request;
import org.authservice.http.Unavailable;
import org.authservice.secret.Keyring;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this node's {@code SECRET_KEY} and {@code SECRET_KEY_PREVIOUS} cover every key that the
 * installation still needs. Each node announces the key it signs with; one that lacks an announced
 * key would take good tokens for forged ones, so it refuses to decide anything (503) until it is
 * given the key. A key is needed until the last token that it signed is dead.
 */
public final class SecretKeys {
  private static final Logger log = LoggerFactory.getLogger(SecretKeys.class);
  private static final Duration POLL = Duration.ofSeconds(5);
  private static final Duration ANNOUNCED_AHEAD = Duration.ofHours(1);
  private static final Duration RETRY = Duration.ofSeconds(10);
  private static final String CHANNEL = "auth_secret_keys";

  private final SecretKeyStore store = new SecretKeyStore();
  private final Database database;
  private final Keyring keyring;
  private final Duration longestTokenLife;
  private final Clock clock;
  private final Worker follower;
  private volatile Optional<String> lack = Optional.empty();

  /**
   * The keys of that installation.
   *
   * @param longestTokenLife for how long after its last signature a key is needed
   */
  public SecretKeys(
      Database database,
      Keyring keyring,
      Duration longestTokenLife,
      Clock clock,
      MeterRegistry meters) {
    this.database = database;
    this.keyring = keyring;
    this.longestTokenLife = longestTokenLife;
    this.clock = clock;
    this.follower = new Worker("secret-keys", POLL, this::follow, meters);
    meters.gauge("auth.secret.keys.covered", this, it -> it.covered() ? 1 : 0);
  }

  /**
   * A key of the installation.
   *
   * @param here whether this node has it
   * @param neededUntil when the last token that it signed is dead; empty when it has signed none
   */
  public record Known(
      String id, boolean here, Optional<Instant> neededUntil, Optional<Instant> distrustedAt) {}

  /** How distrusting a key can end. */
  public enum Distrusting {
    /** Nothing that it signed is believed any more, on every node within seconds. */
    DONE,
    /** It was distrusted before. */
    BEFORE,
    /** It is the key that signs: another must do so first. */
    CURRENT,
    /** It is not on this node, and was not said to be lost. */
    ELSEWHERE,
    /** No key here, and none announced, has that id. */
    UNKNOWN
  }

  /** What keeps this node informed, and its own key announced. */
  public Worker follower() {
    return follower;
  }

  /** Whether this node can decide about tokens. */
  public boolean covered() {
    return lack.isEmpty();
  }

  /** Opens the lookup root and reads which keys are needed; before anything else is built. */
  public void open() {
    database.commit(store.keepLookupRoot(keyring.newLookupRoot()));
    follow();
  }

  /** On which keys are heard as others announce or distrust them; polling stays the guarantee. */
  public Channel channel() {
    return new Channel(CHANNEL, id -> follow());
  }

  /** A sentence for the operator when a key is missing. */
  public Optional<String> lack() {
    return lack;
  }

  /** A filter: refuses every request but {@code /health} while a key is missing. */
  public Answer guard(Request request, Handler next) {
    Optional<String> missing = lack;
    if (missing.isPresent() && !request.path().equals("/health")) {
      throw new Unavailable(ErrorCode.DATABASE_UNAVAILABLE, RETRY, missing.get(), null);
    }
    return next.handle(request);
  }

  /** All keys that the installation knows of, and those that only this node has. */
  public List<Known> known() {
    List<SecretKeyStore.Entry> entries = database.read(store.all());
    Stream<Known> announced =
        entries.stream()
            .map(entry ->
                new Known(
                    entry.id(),
                    keyring.find(entry.id()).isPresent(),
                    Optional.of(entry.neededUntil()),
                    entry.distrustedAt()));
    Stream<Known> onlyHere =
        keyring.all().stream()
            .filter(key -> entries.stream().noneMatch(entry -> entry.id().equals(key.id())))
            .map(key -> new Known(key.id(), true, Optional.empty(), Optional.empty()));
    return Stream.concat(announced, onlyHere).toList();
  }

  /**
   * Ends whatever a key signed; what it encrypted can still be read by nodes that have it.
   *
   * @param lost the key is nowhere any more, so what it encrypted is given up: without it, this
   *     node distrusts only keys that it has, lest a command under a wrong key ends everybody's
   *     sessions
   */
  public Distrusting distrust(String id, boolean lost) {
    if (keyring.current().id().equals(id)) {
      return Distrusting.CURRENT;
    }
    boolean here = keyring.find(id).isPresent();
    if (!here && known().stream().noneMatch(key -> key.id().equals(id))) {
      return Distrusting.UNKNOWN;
    }
    if (!here && !lost) {
      return Distrusting.ELSEWHERE;
    }
    if (lost && keyring.lookupRootLost()) {
      database.commit(store.dropLookupRoot());
    }
    return announced(id, store.distrust(id, clock.instant())) == 1
        ? Distrusting.DONE
        : Distrusting.BEFORE;
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return List.of(new Sweep("secret_keys", store::sweep));
  }

  private synchronized void follow() {
    byte[] root = database.read(store.lookupRoot()).orElseThrow();
    List<SecretKeyStore.Entry> entries = database.read(store.all());
    keyring.distrust(
        entries.stream()
            .filter(entry -> entry.distrustedAt().isPresent())
            .map(SecretKeyStore.Entry::id)
            .collect(Collectors.toSet()));
    Optional<String> missing = missing(entries);
    note(keyring.openLookupRoot(root) ? missing : missing.or(() -> Optional.of("")));
    if (covered()) {
      announce(entries);
      // For the day on which the key that sealed it is taken away.
      keyring
          .resealed(root)
          .ifPresent(sealed -> database.commit(store.resealLookupRoot(root, sealed)));
    }
  }

  private Optional<String> missing(List<SecretKeyStore.Entry> entries) {
    Instant now = clock.instant();
    return entries.stream()
        .filter(entry -> entry.neededUntil().isAfter(now) && entry.distrustedAt().isEmpty())
        .map(SecretKeyStore.Entry::id)
        .filter(id -> keyring.find(id).isEmpty())
        .findFirst();
  }

  private void note(Optional<String> missingKey) {
    Optional<String> before = lack;
    lack =
        missingKey.map(id ->
            "this node lacks a secret key that this database needs"
                + (id.isEmpty() ? "" : " (" + id + " in bin/auth keys list)")
                + ": make it SECRET_KEY again, or add it to SECRET_KEY_PREVIOUS, and start again");
    if (!lack.equals(before)) {
      lack.ifPresentOrElse(
          line -> log.error("not ready: {}", line), () -> log.info("all secret keys are here"));
    }
  }

  private void announce(List<SecretKeyStore.Entry> entries) {
    String id = keyring.current().id();
    Instant until = clock.instant().plus(longestTokenLife);
    boolean known =
        entries.stream()
            .anyMatch(entry -> entry.id().equals(id) && entry.neededUntil().isAfter(until));
    if (!known) {
      announced(id, store.announce(id, until.plus(ANNOUNCED_AHEAD)));
    }
  }

  /** Other nodes hear of it before this one has signed anything with a key that is new to them. */
  private int announced(String id, Statement<Integer> write) {
    return database.transaction(tx -> {
      tx.announce(CHANNEL, id);
      return tx.run(write);
    });
  }
}
