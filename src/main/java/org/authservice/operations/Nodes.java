package org.authservice.operations;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.authservice.database.Database;
import org.authservice.http.Unavailable;
import org.authservice.secret.Secrets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes that run on one database. Each announces its grace for repeated refresh tokens, and
 * while they differ the longest counts on all: what one node has promised to a client, another must
 * not take for theft.
 */
public final class Nodes {
  private static final Logger log = LoggerFactory.getLogger(Nodes.class);
  private static final Duration LOOK = Duration.ofSeconds(2);
  private static final Duration RENEWAL = Duration.ofSeconds(10);
  private static final Duration SILENCE = Duration.ofSeconds(30);

  private final NodeStore store = new NodeStore();
  private final Database database;
  private final Clock clock;
  private final String id;
  private final Duration ownGrace;
  private final Worker worker;
  private Instant announcedAt = Instant.EPOCH;
  private volatile Duration longestGrace;

  /**
   * This node, not announced yet.
   *
   * @param ownGrace {@code REFRESH_REUSE_GRACE_SECONDS}
   */
  public Nodes(
      Database database, Clock clock, Secrets secrets, Duration ownGrace, MeterRegistry meters) {
    this.database = database;
    this.clock = clock;
    this.id = secrets.id();
    this.ownGrace = ownGrace;
    this.longestGrace = ownGrace;
    this.worker = new Worker("nodes", LOOK, this::meet, meters);
    meters.gauge("auth.refresh.grace.seconds", this, it -> it.reuseGrace().toMillis() / 1e3);
  }

  /** What announces this node and looks at the others. */
  public Worker worker() {
    return worker;
  }

  /** The grace that counts now: the longest of all nodes that run. */
  public Duration reuseGrace() {
    return longestGrace;
  }

  /** This node stops. If it cannot say so, the others notice by its silence. */
  public void leave() {
    try {
      database.commit(store.forget(id));
    } catch (Unavailable away) {
      log.debug("this node leaves without a word", away);
    }
  }

  private synchronized void meet() {
    Instant now = clock.instant();
    if (announcedAt.plus(RENEWAL).isBefore(now) || announcedAt.isAfter(now)) {
      database.commit(store.forgetSilent(now.minus(SILENCE)));
      database.commit(store.announce(id, ownGrace, now));
      announcedAt = now;
    }
    Duration longest = database.read(store.longestGrace(now.minus(SILENCE))).orElse(ownGrace);
    Duration counts = longest.compareTo(ownGrace) > 0 ? longest : ownGrace;
    if (!counts.equals(longestGrace)) {
      log.info("the grace for repeated refresh tokens is {} s now", counts.toMillis() / 1e3);
      longestGrace = counts;
    }
  }
}
