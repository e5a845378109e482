package org.authservice.settings;

import java.time.Duration;

/**
 * How long sessions live.
 *
 * @param idleLife {@code REFRESH_TOKEN_EXPIRE_DAYS}
 * @param maxLife {@code SESSION_MAX_DAYS}
 * @param reuseGrace {@code REFRESH_REUSE_GRACE_SECONDS}
 */
public record SessionSettings(Duration idleLife, Duration maxLife, Duration reuseGrace) {}
