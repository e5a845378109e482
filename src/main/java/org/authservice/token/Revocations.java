package org.authservice.token;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.authservice.database.Channel;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.ErrorCode;
import org.authservice.http.Unavailable;
import org.authservice.operations.Sweep;
import org.authservice.operations.Worker;

/**
 * The ended sessions, on every node. Ending one inserts its id into {@code invalidated_tokens}, the
 * Python service's blacklist, and every node follows that table into a set in memory: a request
 * asks the set, never the database. A node that has not read the table for five seconds refuses
 * tokens rather than accept a dead one.
 */
public final class Revocations {
  /** Longer than any access token lives (a day) plus every leeway. */
  private static final Duration ENTRY_LIFE = Duration.ofHours(24).plusMinutes(2);

  /** All legacy tokens of an account, issued before so many milliseconds. */
  private static final Pattern ACCOUNT_ENTRY = Pattern.compile("u:([0-9]{1,18}):([0-9]{1,15})");

  private static final Duration POLL = Duration.ofMillis(300);
  private static final long STALE_NANOS = Duration.ofSeconds(5).toNanos();
  private static final long FULL_READ_NANOS = Duration.ofMinutes(1).toNanos();

  // Ids are given before commits, so a row may appear below one already read: each poll goes back
  // to where the table stood a minute ago.
  private static final long OVERLAP_NANOS = Duration.ofSeconds(60).toNanos();

  private static final int PAGE = 5_000;

  private static final String CHANNEL = "auth_revocations";
  private static final int ANNOUNCED_TOGETHER = 150;

  private final RevocationStore store;
  private final Database database;
  private final Clock clock;
  private final Worker follower;
  private final Counter heard;

  private final Map<String, Instant> ended = new ConcurrentHashMap<>();
  private final Map<Long, Instant> tokensValidFrom = new ConcurrentHashMap<>();
  private final Deque<Mark> marks = new ArrayDeque<>();
  private boolean readAll = true;
  private long fullReadAt;
  private volatile boolean followed;
  private volatile long readAt;

  /** The table's highest id at a moment of the monotonic clock. */
  private record Mark(long nanos, long id) {}

  /** Revocations in that database; none is known before {@link #follow} has run. */
  public Revocations(Database database, Clock clock, MeterRegistry meters) {
    this.database = database;
    this.clock = clock;
    this.store = new RevocationStore(database.dialect());
    this.heard = meters.counter("auth.revocations.heard");
    this.follower = new Worker("revocations", POLL, this::follow, meters);
    meters.gauge("auth.revocations.known", ended, Map::size);
    meters.gauge("auth.revocations.lag.seconds", this, it -> it.lagNanos() / 1e9);
  }

  /** What keeps the set up to date. */
  public Worker follower() {
    return follower;
  }

  /** On which revocations are heard as they happen; reading the table stays the guarantee. */
  public Channel channel() {
    return new Channel(CHANNEL, this::heard);
  }

  /**
   * Ends sessions, or tokens of the Python service by their fingerprints: none of their tokens
   * works on any node once the transaction commits.
   */
  public void end(Transaction tx, long userId, Collection<String> sessionIds) {
    Instant now = clock.instant();
    for (String id : sessionIds) {
      tx.send(store.insert(id, userId, now.plus(ENTRY_LIFE), now));
    }
    announce(tx, List.copyOf(sessionIds));
    tx.afterCommit(() -> sessionIds.forEach(id -> ended.put(id, now.plus(ENTRY_LIFE))));
  }

  /** Ends every token that the Python service issued to the account before now. */
  public void endLegacyTokens(Transaction tx, long userId) {
    Instant now = clock.instant();
    String entry = "u:" + userId + ":" + now.toEpochMilli();
    tx.send(store.insert(entry, userId, now.plus(ENTRY_LIFE), now));
    announce(tx, List.of(entry));
    tx.afterCommit(() -> add(entry, now.plus(ENTRY_LIFE)));
  }

  /**
   * Blacklists a refresh token of the Python service, so that neither service takes it again.
   *
   * @return false when it was blacklisted before
   */
  public boolean blacklist(Transaction tx, PythonTokens.Refresh token) {
    return tx.run(store.insert(token.jti(), token.userId(), token.expiresAt(), clock.instant()))
        == 1;
  }

  /** Whether a refresh token of the Python service is blacklisted. */
  public boolean isBlacklisted(PythonTokens.Refresh token) {
    return database.read(store.find(token.jti())).isPresent();
  }

  /**
   * Whether the session of that id has ended, or the Python service's token of that fingerprint.
   *
   * @throws Unavailable when this node does not know, because it cannot read the table
   */
  public boolean isEnded(String sessionId) {
    requireFresh();
    return ended.containsKey(sessionId);
  }

  /**
   * Whether a token of the Python service issued then to that account is dead.
   *
   * @throws Unavailable when this node does not know
   */
  boolean isEndedLegacy(long userId, Instant issuedAt) {
    requireFresh();
    Instant validFrom = tokensValidFrom.get(userId);
    return validFrom != null && issuedAt.isBefore(validFrom);
  }

  /** Whether every living entry has been read, a moment ago at the latest. */
  public boolean fresh() {
    return followed && lagNanos() <= STALE_NANOS;
  }

  /** Reads what is new; everything at first, after a failure and every minute. */
  public synchronized void follow() {
    long nanos = System.nanoTime();
    boolean all = readAll || lagNanos() > STALE_NANOS || nanos - fullReadAt > FULL_READ_NANOS;
    readAll = true; // unless this read succeeds
    long last = readAfter(all ? 0 : overlapStart(nanos));
    readAll = false;
    if (last > 0) {
      marks.addLast(new Mark(nanos, last));
    }
    if (all) {
      forgetExpired();
      fullReadAt = nanos;
    }
    readAt = nanos;
    followed = true;
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return List.of(new Sweep("invalidated_tokens", store::sweep));
  }

  /** Reads page by page; the last id, or 0 when there was nothing. */
  private long readAfter(long id) {
    long last = id;
    List<RevocationStore.Read> page;
    do {
      page = database.read(store.living(last, clock.instant(), PAGE));
      for (RevocationStore.Read read : page) {
        if (read.standby()) {
          throw unavailable("the database is a standby, which may be behind");
        }
        if (read.entry().isPresent()) {
          add(read.entry().get().jti(), read.entry().get().expiresAt());
          last = read.entry().get().id();
        }
      }
    } while (page.size() == PAGE);
    return last == id ? 0 : last;
  }

  /** What another node has ended a moment ago; reading the table would tell it too. */
  private void heard(String entries) {
    Instant expiresAt = clock.instant().plus(ENTRY_LIFE);
    for (String entry : entries.split(",", -1)) {
      add(entry, expiresAt);
      heard.increment();
    }
  }

  private void announce(Transaction tx, List<String> entries) {
    for (int from = 0; from < entries.size(); from += ANNOUNCED_TOGETHER) {
      int to = Math.min(entries.size(), from + ANNOUNCED_TOGETHER);
      tx.announce(CHANNEL, String.join(",", entries.subList(from, to)));
    }
  }

  private long overlapStart(long nanos) {
    long start = 0;
    while (!marks.isEmpty() && nanos - marks.getFirst().nanos() > OVERLAP_NANOS) {
      start = marks.removeFirst().id();
    }
    if (start > 0) {
      marks.addFirst(new Mark(nanos - OVERLAP_NANOS - 1, start));
    }
    return start;
  }

  private void add(String jti, Instant expiresAt) {
    Matcher account = ACCOUNT_ENTRY.matcher(jti);
    if (account.matches()) {
      tokensValidFrom.merge(
          Long.valueOf(account.group(1)),
          Instant.ofEpochMilli(Long.parseLong(account.group(2))),
          (one, other) -> one.isAfter(other) ? one : other);
    } else {
      ended.put(jti, expiresAt);
    }
  }

  private void forgetExpired() {
    Instant now = clock.instant();
    ended.values().removeIf(expiry -> expiry.isBefore(now));
    tokensValidFrom.values().removeIf(from -> from.plus(ENTRY_LIFE).isBefore(now));
  }

  private void requireFresh() {
    if (!fresh()) {
      throw unavailable("the revocations have not been read for " + lagNanos() / 1_000_000 + " ms");
    }
  }

  private static Unavailable unavailable(String message) {
    return new Unavailable(ErrorCode.DATABASE_UNAVAILABLE, Duration.ofSeconds(2), message, null);
  }

  private long lagNanos() {
    return System.nanoTime() - readAt;
  }
}
