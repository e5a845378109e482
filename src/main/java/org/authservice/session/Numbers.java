package org.authservice.session;

import java.time.Duration;
import java.time.Instant;

/**
 * Which refresh tokens a session has given out, and the rule that decides what presenting one of
 * them does. The rule never throws out an honest client whose requests and answers each take less
 * than half a grace, and finds a thief and an owner who both go on at the second change between
 * them; docs/decisions tells why each row is as it is.
 *
 * @param current the newest number
 * @param previous the number whose presenting made {@code current}
 * @param oldest the {@code previous} before that
 * @param changedAt when {@code current} was made; {@link Instant#EPOCH} for a new session, which
 *     counts as changed long ago
 * @param previousSeenAt when {@code previous} was last presented again
 */
record Numbers(int current, int previous, int oldest, Instant changedAt, Instant previousSeenAt) {

  /** A session whose first token is number 1 and was asked for by a sign-in. */
  static Numbers first() {
    return new Numbers(1, 0, 0, Instant.EPOCH, Instant.EPOCH);
  }

  /** A session that a refresh token from elsewhere opened: that token is number 0. */
  static Numbers openedByRefresh(Instant now) {
    return new Numbers(1, 0, 0, now, Instant.EPOCH);
  }

  /** What presenting a token does. */
  sealed interface Decision {
    /** The current token is answered again; nothing is written. */
    record Repeat() implements Decision {}

    /** The current token is answered, and the numbers change. */
    record Change(Numbers next, Kind kind) implements Decision {}

    /** Two parties use one session: it ends. */
    record Reuse() implements Decision {}
  }

  /** Why the numbers change. */
  enum Kind {
    /** The current token was used: a new one follows it. */
    ROTATED,
    /** The previous token came again in time: its answer may have been lost. */
    PREVIOUS_SEEN,
    /** The previous token came again late: its successor was never received and is replaced. */
    DISPLACED,
    /** The token is newer than the row, which was restored from an older copy. */
    ROLLED_FORWARD
  }

  boolean everChanged() {
    return changedAt.isAfter(Instant.EPOCH);
  }

  /**
   * Decides what presenting a number does.
   *
   * @param grace for how long a repeated token is taken for a lost answer or a racing tab
   */
  Decision present(int number, Instant now, Duration grace) {
    Duration sinceChange = age(changedAt, now);
    if (number == current) {
      return sinceChange.compareTo(grace) >= 0 ? rotate(now) : new Decision.Repeat();
    }
    if (number > current) {
      return new Decision.Change(
          new Numbers(number + 1, number, number, now, previousSeenAt), Kind.ROLLED_FORWARD);
    }
    if (number == previous) {
      return previousInTime(now, sinceChange, grace)
          ? new Decision.Change(
              new Numbers(current, previous, oldest, changedAt, now), Kind.PREVIOUS_SEEN)
          : new Decision.Change(
              new Numbers(current + 1, previous, previous, now, previousSeenAt), Kind.DISPLACED);
    }
    boolean lateCopy = oldest <= number && number < previous && sinceChange.compareTo(grace) < 0;
    return lateCopy ? new Decision.Repeat() : new Decision.Reuse();
  }

  private Decision rotate(Instant now) {
    return new Decision.Change(
        new Numbers(current + 1, current, previous, now, previousSeenAt), Kind.ROTATED);
  }

  private boolean previousInTime(Instant now, Duration sinceChange, Duration grace) {
    boolean seenJustNow = age(previousSeenAt, now).compareTo(grace) < 0;
    return sinceChange.compareTo(grace.multipliedBy(2)) < 0
        || (seenJustNow && sinceChange.compareTo(grace.multipliedBy(10)) < 0);
  }

  /** Another node's clock may be a little ahead: what happens there happened now at the latest. */
  private static Duration age(Instant then, Instant now) {
    return then.isBefore(now) ? Duration.between(then, now) : Duration.ZERO;
  }
}
