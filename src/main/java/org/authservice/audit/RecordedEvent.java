package org.authservice.audit;

import java.time.Instant;
import java.util.Optional;
import org.authservice.json.JsonObject;

/**
 * A security event as it was recorded.
 *
 * @param type what was tried
 * @param outcome {@code ok}, or the reason it failed
 * @param address where from; empty for the operator's own acts and for an erased account
 */
public record RecordedEvent(
    String id,
    Instant at,
    String type,
    String outcome,
    Optional<Long> userId,
    Optional<String> sessionId,
    String address,
    String userAgent) {

  /** As the account's owner sees it. */
  JsonObject json() {
    return JsonObject.of("id", id)
        .put("at", at.toString())
        .put("type", type)
        .put("outcome", outcome)
        .put("session_id", sessionId.orElse(null))
        .put("address", address)
        .put("user_agent", userAgent);
  }
}
