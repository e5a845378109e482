package org.authservice.operations;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.authservice.database.Database;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a node's clock at the database's time, so that all nodes agree whatever their own clocks
 * say. A measurement is the middle of a round trip of half a second at most. A step of more than 30
 * seconds against the monotonic clock is not believed: the node goes on with the time it knows,
 * calls for the operator and stops cleaning up, until {@code bin/auth clock accept}.
 */
public final class ClockKeeper {
  private static final Logger log = LoggerFactory.getLogger(ClockKeeper.class);
  private static final Duration INTERVAL = Duration.ofSeconds(20);
  private static final Duration LONGEST_ROUND_TRIP = Duration.ofMillis(500);
  private static final Duration LARGEST_STEP = Duration.ofSeconds(30);
  private static final Duration ACCEPTANCE_LIFE = Duration.ofMinutes(10);
  private static final int TRIES_AT_START = 3;

  private final ClockStore store;
  private final Database database;
  private final DatabaseClock clock;
  private final Worker worker;
  private final AtomicLong roundTripMillis;
  private volatile Duration refusedStep = Duration.ZERO;
  private Optional<Instant> acceptanceSeen = Optional.empty();
  private Optional<Duration> uptime = Optional.empty();
  private Instant machineTime = Instant.EPOCH;
  private long measuredAt;

  /** Keeps that clock at that database's time. */
  public ClockKeeper(Database database, DatabaseClock clock, MeterRegistry meters) {
    this.store = new ClockStore(database.dialect());
    this.database = database;
    this.clock = clock;
    this.worker = new Worker("clock", INTERVAL, this::measure, meters);
    this.roundTripMillis = meters.gauge("auth.clock.round.trip.millis", new AtomicLong());
    meters.gauge("auth.clock.offset.seconds", clock, it -> it.offset().toMillis() / 1e3);
    meters.gauge("auth.clock.refused.step.seconds", this, it -> it.refusedStep.toMillis() / 1e3);
  }

  /** What measures now and then. */
  public Worker worker() {
    return worker;
  }

  /** Whether the database's time is known. */
  public boolean ready() {
    return clock.measured();
  }

  /** Whether the time can be trusted enough to delete what has expired. */
  public boolean steady() {
    return ready() && refusedStep.isZero();
  }

  /** Measures before anything is served; a database that is slow now is asked again later. */
  public void start() {
    for (int i = 0; i < TRIES_AT_START && !ready(); i++) {
      measure();
    }
  }

  /** An operator says that the database's time is right, whatever step it took. */
  public void accept() {
    database.commit(store.accept());
  }

  private synchronized void measure() {
    long start = System.nanoTime();
    ClockStore.Now now = database.read(store.now()).orElseThrow();
    Duration roundTrip = Duration.ofNanos(System.nanoTime() - start);
    roundTripMillis.set(roundTrip.toMillis());
    if (roundTrip.compareTo(LONGEST_ROUND_TRIP) > 0) {
      log.info("the database took {} ms to tell its time: asking again", roundTrip.toMillis());
      return;
    }
    long middle = start + roundTrip.toNanos() / 2;
    if (!clock.measured()) {
      acceptanceSeen = now.acceptedAt();
      believe(now, middle);
      return;
    }
    Duration behind = Duration.between(clock.at(middle), now.time());
    Duration step = behind.minus(slept(middle));
    // The answer is exact to half a round trip, and cut to a millisecond.
    Duration doubt = roundTrip.dividedBy(2).plusMillis(1);
    if (behind.abs().compareTo(doubt) <= 0 && refusedStep.isZero()) {
      remember(middle);
    } else if (step.abs().compareTo(LARGEST_STEP) <= 0 || accepted(now)) {
      believe(now, middle);
    } else {
      refuse(step);
    }
  }

  private void believe(ClockStore.Now now, long nanos) {
    if (!refusedStep.isZero()) {
      log.warn("the database's time is believed again: {}", now.time());
    }
    clock.set(now.time(), nanos);
    refusedStep = Duration.ZERO;
    remember(nanos);
  }

  private void refuse(Duration step) {
    refusedStep = step;
    log.error(
        "the database's clock stepped by {} s: this node goes on with the time before and cleans"
            + " nothing up; if the database is right, run bin/auth clock accept",
        step.toSeconds());
  }

  /** One acceptance counts once, and not for a step that comes long after. */
  private boolean accepted(ClockStore.Now now) {
    if (now.acceptedAt().equals(acceptanceSeen) || now.acceptedAt().isEmpty()) {
      return false;
    }
    Duration age = Duration.between(now.acceptedAt().get(), now.time());
    if (age.isNegative() || age.compareTo(ACCEPTANCE_LIFE) > 0) {
      return false;
    }
    acceptanceSeen = now.acceptedAt();
    return true;
  }

  private void remember(long nanos) {
    measuredAt = nanos;
    uptime = Uptime.read();
    machineTime = clock.machineTime();
  }

  /** How long the machine slept since the last measurement. */
  private Duration slept(long nanos) {
    Duration awake = Duration.ofNanos(nanos - measuredAt);
    Duration passed =
        Uptime.read()
            .flatMap(now -> uptime.map(now::minus))
            .orElseGet(() -> Duration.between(machineTime, clock.machineTime()));
    Duration slept = passed.minus(awake);
    return slept.compareTo(Duration.ofSeconds(5)) > 0 ? slept : Duration.ZERO;
  }
}
