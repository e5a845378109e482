package org.authservice.settings;

import java.time.Duration;

/**
 * One-time codes.
 *
 * @param life {@code OTP_EXPIRY_MINUTES}
 * @param maxAttempts {@code OTP_MAX_ATTEMPTS}, comparisons per code
 * @param interval {@code OTP_RATE_LIMIT_MINUTES}, between two codes for one address and purpose;
 *     zero is off
 * @param perHour {@code OTP_MAX_PER_HOUR}, codes per address and purpose
 * @param perDay {@code OTP_MAX_PER_DAY}
 */
public record CodeSettings(
    Duration life, int maxAttempts, Duration interval, int perHour, int perDay) {}
