package org.authservice.account;

import java.time.Instant;
import java.util.Optional;
import org.authservice.json.JsonObject;

/**
 * What clients see of an account.
 *
 * @param id never given twice
 * @param email the stored address, where mail goes
 * @param fullName what its owner calls themselves
 * @param active whether it may sign in
 * @param verified whether its owner proved the mailbox
 */
public record Profile(
    long id,
    String email,
    Optional<String> fullName,
    boolean active,
    boolean verified,
    Optional<Instant> createdAt,
    Optional<Instant> updatedAt) {

  /** The members of {@code user}. */
  public JsonObject json() {
    return JsonObject.of("id", id)
        .put("email", email)
        .put("full_name", fullName.orElse(null))
        .put("is_active", active)
        .put("is_verified", verified)
        .put("created_at", createdAt.map(Instant::toString).orElse(null))
        .put("updated_at", updatedAt.map(Instant::toString).orElse(null));
  }

  /** Masked: addresses and names do not belong in logs. */
  @Override
  public String toString() {
    return "Profile[" + id + "]";
  }
}
