package org.authservice.settings;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * Request limits.
 *
 * @param perMinute {@code RATE_LIMIT_PER_MINUTE}, per client; 0 is off
 * @param endpoints {@code RATE_LIMITS}, by "METHOD /path"
 * @param networks {@code RATE_LIMIT_NETWORKS}, requests per minute for each address, by network
 * @param redis {@code REDIS_URL}, where nodes share their limits; its text may hold a password
 * @param trustedProxies {@code TRUSTED_PROXIES}, networks
 */
public record LimitSettings(
    int perMinute,
    Map<String, Rate> endpoints,
    Map<String, Integer> networks,
    Optional<Secret> redis,
    List<String> trustedProxies) {

  /** So many requests in a period. */
  public record Rate(int requests, Duration period) {}
}
