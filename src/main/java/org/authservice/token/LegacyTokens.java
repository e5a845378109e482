package org.authservice.token;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.authservice.settings.TokenSettings.Legacy;

/** Whether the Python service's tokens are accepted now, and the note that one was seen. */
public final class LegacyTokens {
  private static final Duration AFTER_LAST_SEEN = Duration.ofDays(30);

  private final Legacy setting;
  private final boolean adopted;
  private final Instant adoptedAt;
  private final Supplier<Optional<Instant>> lastSeen;
  private final Consumer<Instant> note;

  /**
   * The rule for one installation.
   *
   * @param adopted whether the database was the Python service's
   * @param adoptedAt when this service first ran on it
   * @param lastSeen when such a token was last accepted
   * @param note remembers that one was seen; called for each, so it must be cheap
   */
  public LegacyTokens(
      Legacy setting,
      boolean adopted,
      Instant adoptedAt,
      Supplier<Optional<Instant>> lastSeen,
      Consumer<Instant> note) {
    this.setting = setting;
    this.adopted = adopted;
    this.adoptedAt = adoptedAt;
    this.lastSeen = lastSeen;
    this.note = note;
  }

  /** Whether they are accepted at that time. */
  public boolean accepted(Instant now) {
    return switch (setting) {
      case Legacy.Accepted _ -> true;
      case Legacy.Refused _ -> false;
      case Legacy.AcceptedUntil(var end) -> now.isBefore(end);
      case Legacy.Auto _ ->
          adopted && now.isBefore(lastSeen.get().orElse(adoptedAt).plus(AFTER_LAST_SEEN));
    };
  }

  void seen(Instant now) {
    note.accept(now);
  }
}
