package org.authservice.otp;

import java.util.Optional;

/**
 * A code that was guessed right and can be spent once.
 *
 * @param id its {@code otp_id}; the row's number for a code of the Python service
 * @param addressKey whose it is
 * @param purpose what it is good for
 * @param userId the account; empty for a registration that waits
 * @param pendingId the registration that waits for it
 * @param boundToId whether it was guessed with its own {@code otp_id}
 * @param python whether the Python service made it
 */
public record Code(
    String id,
    String addressKey,
    Purpose purpose,
    Optional<Long> userId,
    Optional<String> pendingId,
    boolean boundToId,
    boolean python) {}
