package org.authservice.token;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.authservice.settings.TokenSettings.Legacy;

/** Whether the Python service's tokens are accepted now, and the note that one was seen. */
public final class LegacyTokens {
  private static final Duration AFTER_LAST_SEEN = Duration.ofDays(30);

  private final Legacy setting;
  private final boolean adopted;
  private volatile Instant lastSeen;
  private volatile Optional<Instant> seenHere = Optional.empty();

  /**
   * The rule for one installation.
   *
   * @param adopted whether the database was the Python service's
   * @param lastSeen when such a token was last accepted, or when this service took over
   */
  public LegacyTokens(Legacy setting, boolean adopted, Instant lastSeen) {
    this.setting = setting;
    this.adopted = adopted;
    this.lastSeen = lastSeen;
  }

  /** Whether they are accepted at that time. */
  public boolean accepted(Instant now) {
    return switch (setting) {
      case Legacy.Accepted _ -> true;
      case Legacy.Refused _ -> false;
      case Legacy.AcceptedUntil(var end) -> now.isBefore(end);
      case Legacy.Auto _ -> adopted && now.isBefore(lastSeen.plus(AFTER_LAST_SEEN));
    };
  }

  /** One was accepted, here or on another node. */
  public void seen(Instant at) {
    if (at.isAfter(lastSeen)) {
      lastSeen = at;
    }
  }

  /** When this node last accepted one, since its start. */
  public Optional<Instant> seenHere() {
    return seenHere;
  }

  void accept(Instant now) {
    seen(now);
    seenHere = Optional.of(now);
  }
}
