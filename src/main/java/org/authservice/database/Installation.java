package org.authservice.database;

import java.time.Instant;
import java.util.Optional;

/**
 * What is true of this installation whatever node runs on it.
 *
 * @param salt 32 random bytes, for deriving keys
 * @param adopted whether the Python service made the database
 * @param createdAt when this service first ran on the database
 * @param legacyTokenSeenAt when a token of the Python service was last accepted, to the hour
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares installations
public record Installation(
    byte[] salt, boolean adopted, Instant createdAt, Optional<Instant> legacyTokenSeenAt) {}
