package org.authservice.ratelimit;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.ErrorCode;
import org.authservice.http.Unavailable;
import org.authservice.operations.Sweep;

/**
 * How often a password may be guessed. Ten failures in any quarter of an hour begin a wait, and
 * until a quarter of an hour has passed after it, each further one begins a wait twice as long; a
 * hundred in any 24 hours are the most. Checks under way are counted apart, each by a lease of its
 * own: a burst of right passwords waits its turn and is never refused for it, and what a crashed
 * node was checking stops counting when its lease ends, whoever else goes on.
 */
public final class LoginThrottle {
  private static final int LIMIT = 10;
  private static final int DAY_LIMIT = 100;
  private static final Duration WINDOW = Duration.ofMinutes(15);
  private static final Duration DAY = Duration.ofDays(1);
  private static final Duration FIRST_WAIT = Duration.ofMinutes(1);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(15);
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(50);

  private final ThrottleStore store = new ThrottleStore();
  private final Database database;
  private final Clock clock;

  /** A throttle in that database. */
  public LoginThrottle(Database database, Clock clock) {
    this.database = database;
    this.clock = clock;
  }

  /**
   * A check that may begin; say how it ended, by one of the three methods.
   *
   * @param leaseEnd when it stops counting, if nobody says how it ended
   */
  public record Check(String subject, Instant leaseEnd) {}

  /** Whether a check may begin. */
  public sealed interface Entry {
    /** It may. */
    record Admitted(Check check) implements Entry {}

    /** Too many have failed. */
    record Blocked(Duration retryAfter) implements Entry {}
  }

  /**
   * Asks to check a password.
   *
   * @param subject whose: an address's key, alone or with a known device's id
   * @throws Unavailable when checks under way leave no room for five seconds
   */
  public Entry enter(String subject) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      Instant now = clock.instant();
      Optional<Instant> lease =
          database.commit(store.enter(subject, moments(now), now.plus(LEASE), LIMIT, DAY_LIMIT));
      if (lease.isPresent()) {
        return new Entry.Admitted(new Check(subject, lease.get()));
      }
      Optional<Duration> wait = database.read(store.state(subject)).flatMap(it -> wait(it, now));
      if (wait.isPresent()) {
        return new Entry.Blocked(wait.get());
      }
      if (System.nanoTime() > deadline) {
        throw overloaded();
      }
      pause();
    }
  }

  /**
   * The password was wrong.
   *
   * @return whether this began a wait
   */
  public boolean failed(Check check) {
    return database
        .commit(
            store.fail(
                check.subject(),
                check.leaseEnd(),
                moments(clock.instant()),
                FIRST_WAIT.toMillis(),
                LONGEST_WAIT.toMillis()))
        .filter(ThrottleStore.Failed::blocked)
        .isPresent();
  }

  /** Whether nobody has warned the owner of these failures for a day; true for one caller. */
  public boolean claimWarning(Transaction tx, String subject) {
    Instant now = clock.instant();
    return tx.run(store.claimWarning(subject, now, now.minus(DAY))) == 1;
  }

  /** The password was right: the failures before it are forgotten. */
  public void succeeded(Check check) {
    database.commit(store.succeed(check.subject(), check.leaseEnd(), clock.instant()));
  }

  /** The password was not looked at. */
  public void abandoned(Check check) {
    database.commit(store.abandon(check.subject(), check.leaseEnd(), clock.instant()));
  }

  /** The owner has proven the mailbox: no wait stands any more. */
  public void clear(Transaction tx, String subject) {
    tx.send(store.clear(subject));
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return List.of(new Sweep("throttles", store::sweep));
  }

  private static Optional<Duration> wait(ThrottleStore.State state, Instant now) {
    if (state.blockedUntil().isAfter(now)) {
      return Optional.of(Duration.between(now, state.blockedUntil()));
    }
    return state.day().roomAt(now, DAY_LIMIT).map(room -> Duration.between(now, room));
  }

  private static ThrottleStore.Moments moments(Instant now) {
    return new ThrottleStore.Moments(now, now.minus(WINDOW), now.minus(DAY));
  }

  private static void pause() {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw overloaded();
    }
  }

  private static Unavailable overloaded() {
    return new Unavailable(
        ErrorCode.OVERLOADED, Duration.ofSeconds(1), "too many checks of one password", null);
  }
}
