package org.authservice.session;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.account.Profile;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Statement;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.http.ErrorCode;
import org.authservice.http.Unavailable;
import org.authservice.mail.Outbox;
import org.authservice.operations.Sweep;
import org.authservice.ratelimit.Devices;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.session.SessionStore.Found;
import org.authservice.settings.SessionSettings;
import org.authservice.token.AccessTokens;
import org.authservice.token.RefreshTokens;
import org.authservice.token.Revocations;

/** Sessions: opened after a sign-in, refreshed by the rule of {@link Numbers}, ended. */
public final class Sessions {
  /** A race is lost to a request that changed the row; even a flood settles long before this. */
  private static final int MOST_LOST_RACES = 50;

  /** How long a sign-in is proof enough for what a stolen access token must not do. */
  public static final Duration PROOF_AGE = Duration.ofMinutes(5);

  private static final Duration STEADY_AGAIN = Duration.ofSeconds(20);

  private final SessionStore store = new SessionStore();
  private final Database database;
  private final SessionSettings settings;
  private final Accounts accounts;
  private final AccessTokens accessTokens;
  private final RefreshTokens refreshTokens;
  private final Revocations revocations;
  private final Devices devices;
  private final SecurityEvents events;
  private final SessionAlarms alarms;
  private final Supplier<Duration> reuseGrace;
  private final BooleanSupplier steady;
  private final Clock clock;
  private final Secrets secrets;
  private final MeterRegistry meters;
  private final boolean inPassing;
  private final Counter repeated;
  private final Map<Numbers.Kind, Counter> changed = new EnumMap<>(Numbers.Kind.class);

  /**
   * Sessions in that database.
   *
   * @param reuseGrace for how long a repeated token is taken for a lost answer or a racing tab
   * @param steady whether the time can be trusted enough to call a late token stolen
   */
  public Sessions(
      Database database,
      SessionSettings settings,
      Accounts accounts,
      AccessTokens accessTokens,
      RefreshTokens refreshTokens,
      Revocations revocations,
      Devices devices,
      SecurityEvents events,
      Outbox outbox,
      Keyring keyring,
      Supplier<Duration> reuseGrace,
      BooleanSupplier steady,
      Clock clock,
      Secrets secrets,
      MeterRegistry meters) {
    this.database = database;
    this.settings = settings;
    this.accounts = accounts;
    this.accessTokens = accessTokens;
    this.refreshTokens = refreshTokens;
    this.revocations = revocations;
    this.devices = devices;
    this.events = events;
    this.alarms =
        new SessionAlarms(
            database,
            revocations,
            devices,
            new KnownNetworks(keyring, clock),
            events,
            outbox,
            clock);
    this.reuseGrace = reuseGrace;
    this.steady = steady;
    this.clock = clock;
    this.secrets = secrets;
    this.meters = meters;
    this.inPassing = database.dialect().changesInPassing();
    this.repeated = counter("repeated");
    for (Numbers.Kind kind : Numbers.Kind.values()) {
      changed.put(kind, counter(kind.name().toLowerCase(Locale.ROOT)));
    }
  }

  /** How a refresh can end. */
  public sealed interface Refreshing {
    /** The session goes on. */
    record Refreshed(Tokens tokens) implements Refreshing {}

    /** It does not: unknown, expired, ended, or ended just now because two parties used it. */
    record Refused() implements Refreshing {}
  }

  /** What a refresh token names, for whoever wants to leave. */
  public sealed interface Presented {
    /** A session that it could refresh until then. */
    record Good(long userId, String sessionId, Instant expiresAt) implements Presented {}

    /** A living session that has left this token behind. */
    record Stale(long userId, String sessionId) implements Presented {}

    /** No living session. */
    record Nothing() implements Presented {}
  }

  /**
   * Opens a session for somebody who has just proven who they are. The caller holds the lock on the
   * account's row.
   *
   * @param deviceId the known device that signs in; a new one is made otherwise
   */
  public Tokens open(Transaction tx, Account account, Client client, Optional<String> deviceId) {
    return tokens(
        open(tx, account, client, deviceId, secrets.id(), Numbers.first(), now()), account);
  }

  /** Goes on with a session, by the rule of {@link Numbers}. */
  public Refreshing refresh(Secret token, Client client) {
    return refreshTokens
        .read(token.reveal())
        .filter(claims -> clock.instant().isBefore(claims.expiresAt()))
        .map(claims -> refresh(claims.sessionId(), claims.number(), client))
        .orElseGet(Refreshing.Refused::new);
  }

  /** Which session a refresh token names, for whoever wants to leave it. */
  public Presented identify(Secret token) {
    return refreshTokens
        .read(token.reveal())
        .map(claims -> presented(claims.sessionId(), claims.number(), claims.expiresAt()))
        .orElseGet(Presented.Nothing::new);
  }

  /** Ends one session of an account; false when it has none of that id, or it had ended before. */
  public boolean end(Transaction tx, long userId, String sessionId, Client client) {
    if (tx.run(store.end(userId, sessionId, now())) == 0) {
      return false;
    }
    announceEnd(tx, userId, List.of(sessionId), client);
    return true;
  }

  /** Ends all sessions of an account but one, and every token the Python service gave it. */
  public void endAll(Transaction tx, long userId, Optional<String> except, Client client) {
    announceEnd(tx, userId, tx.run(store.endAll(userId, except, now())), client);
    accounts.endLegacyTokens(tx, userId);
    revocations.endLegacyTokens(tx, userId);
  }

  /** Removes every session of an account that is being erased; ended before, they stay ended. */
  public void forget(Transaction tx, long userId) {
    tx.send(store.forget(userId));
    alarms.forget(tx, userId);
  }

  /** Whether the user of a living session proved themselves at most so long ago. */
  public boolean provenWithin(String sessionId, Duration age) {
    return living(sessionId)
        .filter(session -> !session.provenAt().isBefore(now().minus(age)))
        .isPresent();
  }

  /** Opens a session under a given id and numbers. */
  Session open(
      Transaction tx,
      Account account,
      Client client,
      Optional<String> deviceId,
      String id,
      Numbers numbers,
      Instant provenAt) {
    Instant now = now();
    Instant absoluteEnd = now.plus(settings.maxLife());
    String device = devices.keepOrMint(tx, account.id(), deviceId);
    if (!provenAt.equals(Instant.EPOCH)) { // else the Python service's session goes on
      alarms.noteSignIn(tx, account, device, deviceId, client);
    }
    var session =
        new Session(
            id,
            account.id(),
            numbers,
            idleEnd(now, absoluteEnd),
            absoluteEnd,
            now,
            provenAt,
            Optional.empty(),
            Optional.of(device),
            client.address(),
            client.userAgent());
    tx.send(store.insert(session));
    events.record(
        tx, SecurityEvent.ok(SecurityEvent.Type.SESSION_OPENED, account.id(), client).of(id));
    return session;
  }

  /** Goes on with the session of that id, of which the client presents that number. */
  Refreshing refresh(String sessionId, int number, Client client) {
    for (int attempt = 0; attempt < MOST_LOST_RACES; attempt++) {
      // Known to have ended, though the row may have come back from an older copy.
      if (revocations.isEnded(sessionId)) {
        return refused("ended");
      }
      boolean passing = inPassing && attempt == 0;
      Optional<Found> found =
          passing
              ? database.commit(rotation(sessionId, number, client))
              : database.read(store.findOwned(sessionId));
      Optional<Refreshing> outcome =
          switch (found.orElse(null)) {
            case null -> Optional.of(refused("ended"));
            case Found.Rotated rotated -> Optional.of(refreshed(rotated));
            case Found.Owned(var session, var account)
                when !session.lives(clock.instant()) || !account.active() ->
                Optional.of(refused("ended"));
            case Found.Owned(var session, _) when passing && wouldRotate(session, number) ->
                Optional.empty(); // another request did, while the row was read: look again
            case Found.Owned(var session, var account) -> refresh(session, account, number, client);
          };
      if (outcome.isPresent()) {
        return outcome.get();
      }
    }
    throw new Unavailable(
        ErrorCode.OVERLOADED, Duration.ofSeconds(1), "too many refreshes of one session", null);
  }

  /** What presenting that number of that session means for whoever wants to leave it. */
  Presented presented(String sessionId, int number, Instant tokenExpiry) {
    Optional<Session> session = living(sessionId);
    if (session.isEmpty()) {
      return new Presented.Nothing();
    }
    long userId = session.get().userId();
    boolean good =
        clock.instant().isBefore(tokenExpiry)
            && !(decision(session.get(), number) instanceof Numbers.Decision.Reuse);
    return good
        ? new Presented.Good(userId, sessionId, tokenExpiry)
        : new Presented.Stale(userId, sessionId);
  }

  /** The row of that id, ended or not. */
  Optional<Session> find(String sessionId) {
    return database.read(store.find(sessionId));
  }

  /** The tokens of a session as its row stands: the same row gives the same refresh token. */
  Tokens tokens(Session session, Account account) {
    return tokens(
        session.claims(), session.absoluteExpiresAt(), session.deviceId(), account.profile());
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return List.of(new Sweep("sessions", store::sweep), alarms.sweep());
  }

  /** Empty when another request changed the row first: read again, decide again. */
  private Optional<Refreshing> refresh(
      Session session, Account account, int number, Client client) {
    return switch (decision(session, number)) {
      case Numbers.Decision.Repeat _ -> {
        alarms.noteGraceAnswer(session, account, client);
        repeated.increment();
        yield Optional.of(new Refreshing.Refreshed(tokens(session, account)));
      }
      case Numbers.Decision.Change(var next, var kind) ->
          change(session, account, next, kind, client)
              .map(changed -> refreshed(kind, tokens(changed, account)));
      case Numbers.Decision.Reuse _ -> {
        requireSteadyTime();
        yield alarms.endReused(session, account, client)
            ? Optional.of(refused("reused"))
            : Optional.empty();
      }
    };
  }

  /** After a step of the database's clock, what looks stolen may only look late. */
  private void requireSteadyTime() {
    if (!steady.getAsBoolean()) {
      throw new Unavailable(
          ErrorCode.DATABASE_UNAVAILABLE,
          STEADY_AGAIN,
          "the database's clock stepped, so nothing is called theft: bin/auth clock accept",
          null);
    }
  }

  private Optional<Session> change(
      Session session, Account account, Numbers numbers, Numbers.Kind kind, Client client) {
    Session next =
        session.with(numbers, idleEnd(numbers.changedAt(), session.absoluteExpiresAt()), client);
    return switch (kind) {
      case ROTATED, DISPLACED ->
          database.commit(store.change(session, next)) == 0 ? Optional.empty() : Optional.of(next);
      case ROLLED_FORWARD ->
          alarms.rollForward(session, next, client) == 0 ? Optional.empty() : Optional.of(next);
      case PREVIOUS_SEEN -> {
        if (database.commit(store.markPreviousSeen(session, numbers)) == 0) {
          yield Optional.empty();
        }
        alarms.noteGraceAnswer(session, account, client);
        yield Optional.of(session);
      }
    };
  }

  private void announceEnd(Transaction tx, long userId, List<String> sessionIds, Client client) {
    revocations.end(tx, userId, sessionIds);
    for (String id : sessionIds) {
      events.record(tx, SecurityEvent.ok(SecurityEvent.Type.SESSION_ENDED, userId, client).of(id));
    }
  }

  private Optional<Session> living(String sessionId) {
    return find(sessionId).filter(session -> session.lives(clock.instant()));
  }

  private Numbers.Decision decision(Session session, int number) {
    return session.numbers().present(number, now(), reuseGrace.get());
  }

  /** In the plainest case the look at the row is the change too; see the store. */
  private Statement<Optional<Found>> rotation(String sessionId, int number, Client client) {
    Instant now = now();
    return store.rotate(
        sessionId, number, now, reuseGrace.get(), now.plus(settings.idleLife()), client);
  }

  private boolean wouldRotate(Session session, int number) {
    return decision(session, number) instanceof Numbers.Decision.Change(_, var kind)
        && kind == Numbers.Kind.ROTATED;
  }

  private Refreshing refreshed(Found.Rotated it) {
    return refreshed(
        Numbers.Kind.ROTATED,
        tokens(it.claims(), it.absoluteExpiresAt(), it.deviceId(), it.user()));
  }

  private Refreshing refreshed(Numbers.Kind kind, Tokens tokens) {
    Objects.requireNonNull(changed.get(kind)).increment();
    return new Refreshing.Refreshed(tokens);
  }

  private Tokens tokens(
      RefreshTokens.Claims claims,
      Instant absoluteExpiresAt,
      Optional<String> deviceId,
      Profile user) {
    var access = accessTokens.issue(claims.userId(), claims.sessionId(), absoluteExpiresAt);
    return new Tokens(
        access.token(),
        Secret.of(refreshTokens.issue(claims)),
        access.life(),
        Duration.between(now(), claims.expiresAt()).plusMillis(999),
        devices.token(deviceId.orElse(""), claims.userId()),
        user);
  }

  private Refreshing refused(String outcome) {
    counter(outcome).increment();
    return new Refreshing.Refused();
  }

  private Counter counter(String outcome) {
    return meters.counter("auth.refreshes", "outcome", outcome);
  }

  private Instant idleEnd(Instant from, Instant absoluteEnd) {
    Instant idleEnd = from.plus(settings.idleLife());
    return idleEnd.isBefore(absoluteEnd) ? idleEnd : absoluteEnd;
  }

  // The row holds milliseconds; what is computed before writing must equal what is read after.
  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
