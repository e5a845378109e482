package org.authservice.http;

import java.time.Instant;
import java.util.Optional;

/**
 * Whom a good Bearer token speaks for.
 *
 * @param userId the account
 * @param sessionId the session the token belongs to; empty for a token of the Python service
 * @param issuedAt when the token was issued
 */
public record Principal(long userId, Optional<String> sessionId, Instant issuedAt) {}
