package org.authservice.audit;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.authservice.database.Database;
import org.authservice.operations.Sweep;
import org.authservice.operations.Worker;
import org.authservice.secret.Keyring;
import org.authservice.secret.Signatures;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Evidence that nobody changed the record of security events: a worker seals what each minute
 * brought, and {@link #verify} finds what was edited, deleted, put in or cut off since. Whoever
 * writes to the database, but does not have the secret key, cannot make a seal.
 *
 * <p>Which node seals is decided by the number: it is given once.
 */
public final class Seals {
  private static final Logger log = LoggerFactory.getLogger(Seals.class);
  private static final Duration INTERVAL = Duration.ofMinutes(1);

  /** No transaction takes so long: what it recorded is there before its minute is sealed. */
  private static final Duration SETTLED = Duration.ofMinutes(2);

  /** So long nothing is sealed while nothing happens. */
  private static final Duration IDLE = Duration.ofMinutes(10);

  /** So far behind the newest seal is at most while a node runs. */
  private static final Duration BEHIND = IDLE.plus(SETTLED).plusMinutes(5 * INTERVAL.toMinutes());

  private static final int PAGE = 500;

  private final SealStore store = new SealStore();
  private final Database database;
  private final SealedEvents contents;
  private final Signatures signatures;
  private final Duration kept;
  private final Clock clock;
  private final AtomicLong sealedUntil;
  private final Worker worker;
  private Seal newestHere = Seal.NONE;

  /**
   * Seals in that database.
   *
   * @param kept how long events are kept
   */
  Seals(Database database, Keyring keyring, Duration kept, Clock clock, MeterRegistry meters) {
    this.database = database;
    this.contents = new SealedEvents(database, store, Personal.under(keyring));
    this.signatures = keyring.signatures("audit seal");
    this.kept = kept;
    this.clock = clock;
    this.sealedUntil = meters.gauge("auth.audit.sealed.until.seconds", new AtomicLong());
    this.worker = new Worker("audit seal", INTERVAL, this::seal, meters);
  }

  /** What seals. */
  Worker worker() {
    return worker;
  }

  /** What clean-up may delete: seals of which no event is left. */
  List<Sweep> sweeps(Duration keptFor) {
    return List.of(
        new Sweep("audit_seals", (before, most) -> store.sweep(before.minus(keptFor), most)));
  }

  /**
   * What a check found.
   *
   * @param findings each in one sentence; none when nothing was tampered with
   * @param head the newest seal, as number and chain value; kept elsewhere, it shows later that
   *     nothing before it was cut off
   */
  public record Report(
      long seals, long events, Instant until, String head, List<String> findings) {}

  private void seal() {
    Instant until = clock.instant().minus(SETTLED).truncatedTo(ChronoUnit.MINUTES);
    Optional<Seal> newest = database.read(store.newest());
    Seal last = newest.isPresent() ? newest.get() : begin(until);
    if (last.number() < newestHere.number()) {
      log.error("audit seal {} is gone: the end of the record was cut off", newestHere.number());
    }
    if (!until.isAfter(last.until())) {
      return;
    }
    Seal.Contents found = contents.between(last.until(), until);
    if (found.events() > 0 || !until.isBefore(last.until().plus(IDLE))) {
      append(last, until, found);
    }
  }

  /** The first seal covers nothing: it says where the record begins. */
  private Seal begin(Instant until) {
    Instant start = database.read(store.oldest(Instant.EPOCH, until)).orElse(until);
    return append(Seal.NONE, start, contents.between(start, start));
  }

  private Seal append(Seal last, Instant until, Seal.Contents found) {
    Seal next = last.next(until, found, clock.instant().minus(kept));
    Seal signed = next.signed(signatures.over(signed(next)));
    if (database.commit(store.insert(signed)) == 1) {
      newestHere = signed;
      sealedUntil.set(until.getEpochSecond());
      log.info("sealed {} events, head {}", found.events(), head(signed));
    }
    return signed;
  }

  /**
   * Checks all seals against the events that are there.
   *
   * @param expected a head that was noted earlier and must still be in the chain
   */
  public Report verify(Optional<String> expected) {
    var check = new Check(expected);
    List<Seal> page = database.read(store.after(0, PAGE));
    Instant allowed = database.read(store.newest()).map(Seal::keptSince).orElse(Instant.EPOCH);
    while (!page.isEmpty()) {
      page.forEach(seal -> check.add(seal, allowed));
      page = database.read(store.after(check.last.number(), PAGE));
    }
    check.end();
    return new Report(
        check.seals, check.events, check.last.until(), head(check.last), check.findings);
  }

  /** One walk along the chain. */
  private final class Check {
    private final Optional<String> expected;
    private final List<String> findings = new ArrayList<>();
    private Seal last = Seal.NONE;
    private boolean expectedSeen;
    private long seals;
    private long events;

    Check(Optional<String> expected) {
      this.expected = expected;
    }

    void add(Seal seal, Instant allowed) {
      boolean first = seals == 0;
      seals++;
      events += seal.events();
      expectedSeen |= expected.filter(head(seal)::equals).isPresent();
      if (first && seal.number() > 1) {
        if (seal.until().isAfter(allowed)) {
          findings.add("the seals before " + seal.number() + " are gone before their time");
        }
      } else if (seal.follows(last)) {
        compare(seal, allowed);
      } else {
        findings.add(
            seal.number() == last.number() + 1
                ? "seal %d of %s was changed".formatted(seal.number(), seal.until())
                : "the seals between %d and %d are gone".formatted(last.number(), seal.number()));
      }
      last = seal;
    }

    /** Events that retention may have deleted are vouched for by nothing. */
    private void compare(Seal seal, Instant allowed) {
      boolean beginning = seal.number() == 1;
      Instant from = beginning ? allowed : last.until();
      if (from.isBefore(allowed) || !from.isBefore(seal.until())) {
        return;
      }
      Seal.Contents found = contents.between(from, seal.until());
      if (found.events() != seal.events()) {
        findings.add(
            "between %s and %s %d events were sealed, and %d are there"
                .formatted(from, seal.until(), seal.events(), found.events()));
      } else if (!found.digest().equals(seal.digest())) {
        findings.add("between %s and %s events were changed".formatted(from, seal.until()));
      }
    }

    void end() {
      Instant now = clock.instant();
      if (seals > 0 && !signatures.match(last.signature(), signed(last))) {
        findings.add("the newest seal, %d, was not signed here".formatted(last.number()));
      }
      if (seals > 0 && last.until().isBefore(now.minus(BEHIND))) {
        findings.add(
            "nothing is sealed since %s: no node runs, or the end was cut off"
                .formatted(last.until()));
      }
      database
          .read(store.oldest(last.until(), now.minus(BEHIND)))
          .ifPresent(at -> findings.add("an event of %s has no seal".formatted(at)));
      if (expected.isPresent() && !expectedSeen) {
        findings.add("seal %s is not in the chain".formatted(expected.get()));
      }
    }
  }

  private static String[] signed(Seal seal) {
    return new String[] {Long.toString(seal.number()), seal.chain()};
  }

  private static String head(Seal seal) {
    return seal.number() + ":" + seal.chain();
  }
}
