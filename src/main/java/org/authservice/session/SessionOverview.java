package org.authservice.session;

import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.authservice.account.Accounts;
import org.authservice.database.Database;
import org.authservice.database.LaggingReads;
import org.authservice.http.Client;
import org.authservice.http.Principal;
import org.authservice.json.JsonObject;

/** The living sessions of an account, for its owner and for operators to see and end. */
public final class SessionOverview {
  private static final int MOST_LISTED = 100;

  private final SessionStore store = new SessionStore();
  private final DeviceNames deviceNames = new DeviceNames();
  private final Database database;
  private final LaggingReads lagging;
  private final Sessions sessions;
  private final Accounts accounts;
  private final Clock clock;

  /** The sessions of that database, listed as they were a moment ago. */
  public SessionOverview(
      Database database, LaggingReads lagging, Sessions sessions, Accounts accounts, Clock clock) {
    this.database = database;
    this.lagging = lagging;
    this.sessions = sessions;
    this.accounts = accounts;
    this.clock = clock;
  }

  /**
   * A living session as it is shown.
   *
   * @param device a readable name
   * @param address from where it was last opened or refreshed
   * @param lastUsedAt when it was last opened or refreshed, to the hour; told by what a refresh
   *     writes anyway
   * @param current whether it is that of whoever asks
   */
  public record Shown(
      String id,
      String device,
      String address,
      Instant createdAt,
      Instant lastUsedAt,
      boolean current) {

    /** As clients see it. */
    public JsonObject json() {
      return JsonObject.of("id", id)
          .put("device", device)
          .put("address", address)
          .put("created_at", createdAt.toString())
          .put("last_used_at", lastUsedAt.toString())
          .put("current", current);
    }
  }

  /** How ending one of one's own sessions can end. */
  public sealed interface Ending {
    /** Neither of its tokens works any more. */
    record Ended() implements Ending {}

    /** The account has no such session, or it had ended. */
    record NotFound() implements Ending {}

    /** The access token no longer speaks for an active account. */
    record TokenInvalid() implements Ending {}
  }

  /**
   * The hundred sessions last used, the asking one first; empty when the access token no longer
   * speaks for an active account.
   */
  public Optional<List<Shown>> list(Principal principal) {
    return accounts.of(principal).map(account -> list(account.id(), principal.sessionId()));
  }

  /** The same, for an operator. */
  public List<Shown> list(long userId) {
    return list(userId, Optional.empty());
  }

  /** Ends one of the principal's own sessions, perhaps the very one it asks by. */
  public Ending end(Principal principal, String sessionId, Client client) {
    if (accounts.of(principal).isEmpty()) {
      return new Ending.TokenInvalid();
    }
    return end(principal.userId(), sessionId, client) ? new Ending.Ended() : new Ending.NotFound();
  }

  /** Ends anybody's session, for an operator; false when there is none of that id alive. */
  public boolean end(String sessionId, Client client) {
    return sessions
        .find(sessionId)
        .filter(session -> end(session.userId(), sessionId, client))
        .isPresent();
  }

  private boolean end(long userId, String sessionId, Client client) {
    return database.transaction(tx -> {
      accounts.lock(tx, userId);
      return sessions.end(tx, userId, sessionId, client);
    });
  }

  private List<Shown> list(long userId, Optional<String> asking) {
    Instant now = clock.instant();
    return lagging.read(store.living(userId, asking, now, MOST_LISTED)).stream()
        .map(row -> shown(row, asking.filter(row.id()::equals).isPresent(), now))
        .toList();
  }

  private Shown shown(SessionStore.Listed row, boolean current, Instant now) {
    Instant used =
        Stream.of(row.createdAt(), row.changedAt(), row.previousSeenAt())
            .max(Instant::compareTo)
            .orElseThrow();
    return new Shown(
        row.id(),
        deviceNames.of(row.userAgent()),
        row.address(),
        row.createdAt(),
        (current ? now : used).truncatedTo(ChronoUnit.HOURS),
        current);
  }
}
