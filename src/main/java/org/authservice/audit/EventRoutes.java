package org.authservice.audit;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.InvalidRequest;
import org.authservice.http.Principal;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.json.JsonObject;

/** {@code GET /auth/events}: what happened to one's own account. */
public final class EventRoutes {
  private static final int DEFAULT_PAGE = 50;
  private static final Pattern PAGE = Pattern.compile("[1-9][0-9]?|100");
  private static final Pattern CURSOR = Pattern.compile("([0-9]{1,15})-([0-9a-f]{32})");

  private final SecurityEvents events;
  private final Predicate<Principal> speaks;

  /**
   * Routes to those events.
   *
   * @param speaks whether a good token still speaks for an active account
   */
  public EventRoutes(SecurityEvents events, Predicate<Principal> speaks) {
    this.events = events;
    this.speaks = speaks;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(Route.bearer("GET", "/auth/events", this::list));
  }

  private Answer list(Request request) {
    if (!speaks.test(request.principal())) {
      return Problem.of(ErrorCode.TOKEN_INVALID).answer();
    }
    int most = limit(request);
    var before = request.queryParameter("before").map(EventRoutes::position);
    List<RecordedEvent> page = events.of(request.principal().userId(), before, most);
    Optional<String> next =
        page.size() < most ? Optional.empty() : Optional.of(cursor(page.getLast()));
    return Answer.json(
        200,
        JsonObject.of("events", page.stream().map(RecordedEvent::json).toList())
            .put("next", next.orElse(null)));
  }

  private static int limit(Request request) {
    Optional<String> limit = request.queryParameter("limit");
    if (limit.filter(it -> !PAGE.matcher(it).matches()).isPresent()) {
      throw invalid("limit", "It must be a whole number from 1 to 100.");
    }
    return limit.map(Integer::parseInt).orElse(DEFAULT_PAGE);
  }

  private static SecurityEvents.Position position(String cursor) {
    Matcher parts = CURSOR.matcher(cursor);
    if (!parts.matches()) {
      throw invalid("before", "It must be the member next of an earlier page.");
    }
    return new SecurityEvents.Position(
        Instant.ofEpochMilli(Long.parseLong(parts.group(1))), parts.group(2));
  }

  private static String cursor(RecordedEvent last) {
    return last.at().toEpochMilli() + "-" + last.id();
  }

  private static InvalidRequest invalid(String parameter, String message) {
    return new InvalidRequest(
        ErrorCode.VALIDATION_FAILED,
        List.of(new Problem.FieldError(parameter, "invalid", message)));
  }
}
