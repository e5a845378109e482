package org.authservice.mail;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import org.authservice.database.Database;
import org.authservice.secret.Hmac;
import org.authservice.secret.Secret;

/**
 * What a mail provider tells of mails after it took them: that one bounced for good, or that its
 * reader complained of it. Both stop further mail to the address for a while.
 */
public final class MailEvents {
  /** Longer than a signature is good by any clock within the tolerance. */
  private static final int REMEMBERED_TOLERANCES = 3;

  private final MailEventStore store = new MailEventStore();
  private final Database database;
  private final Secret key;
  private final Hmac hmac;
  private final Suppressions suppressions;
  private final Clock clock;
  private final MeterRegistry meters;

  /**
   * Events signed with that key.
   *
   * @param hmac names signatures in the database
   */
  MailEvents(
      Database database,
      Secret key,
      Hmac hmac,
      Suppressions suppressions,
      Clock clock,
      MeterRegistry meters) {
    this.database = database;
    this.key = key;
    this.hmac = hmac;
    this.suppressions = suppressions;
    this.clock = clock;
    this.meters = meters;
  }

  /** What happened to a mail. */
  enum Kind {
    /** The address will not take mail. */
    BOUNCED,
    /** Its owner does not want our mail. */
    COMPLAINED,
    /** Anything else, which changes nothing. */
    OTHER;

    static Kind of(String type) {
      return switch (type) {
        case "bounced" -> BOUNCED;
        case "complained" -> COMPLAINED;
        default -> OTHER;
      };
    }

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What a header field signs this body with; empty when it does not. It may have been used before.
   */
  Optional<EventSignature> signature(Optional<String> header, byte[] body) {
    Optional<EventSignature> good =
        header.flatMap(EventSignature::parse).filter(it -> it.covers(body, key, clock.instant()));
    if (good.isEmpty()) {
      refused();
    }
    return good;
  }

  /** Applies an event whose signature is good; false when that was used before. */
  boolean apply(EventSignature signature, Kind kind, String address) {
    Instant until =
        clock.instant().plus(EventSignature.TOLERANCE.multipliedBy(REMEMBERED_TOLERANCES));
    boolean first =
        database.transaction(tx -> {
          if (tx.run(store.take(hmac.over(signature.code().reveal()), until)) == 0) {
            return false;
          }
          if (kind != Kind.OTHER) {
            suppressions.add(tx, address, kind.word());
          }
          return true;
        });
    if (first) {
      meters.counter("auth.mail.events", "type", kind.word()).increment();
    }
    return first || refused();
  }

  private boolean refused() {
    meters.counter("auth.mail.events", "type", "refused").increment();
    return false;
  }
}
