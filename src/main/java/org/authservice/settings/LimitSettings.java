package org.authservice.settings;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Request limits.
 *
 * @param perMinute {@code RATE_LIMIT_PER_MINUTE}, per client; 0 is off
 * @param endpoints {@code RATE_LIMITS}, by "METHOD /path"
 * @param networks {@code RATE_LIMIT_NETWORKS}, requests per minute for each address, by network
 * @param trustedProxies {@code TRUSTED_PROXIES}, networks
 */
public record LimitSettings(
    int perMinute,
    Map<String, Rate> endpoints,
    Map<String, Integer> networks,
    List<String> trustedProxies) {

  /** So many requests in a period. */
  public record Rate(int requests, Duration period) {}
}
