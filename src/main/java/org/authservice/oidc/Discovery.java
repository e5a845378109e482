package org.authservice.oidc;

import com.nimbusds.oauth2.sdk.ParseException;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What a provider says of itself (OpenID Connect Discovery 1.0), read when it is first needed and
 * again after an hour. When that fails, what was read before stays in use for a day.
 */
final class Discovery {
  private static final Duration FRESH = Duration.ofHours(1);
  private static final Duration USABLE = Duration.ofDays(1);
  private static final Duration RETRY = Duration.ofMinutes(1);

  private final String issuer;
  private final Outbound outbound;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable Read last;

  private record Read(OIDCProviderMetadata metadata, Instant at, Instant next) {}

  Discovery(String issuer, Outbound outbound, Clock clock) {
    this.issuer = issuer;
    this.outbound = outbound;
    this.clock = clock;
  }

  OIDCProviderMetadata metadata(Deadline deadline) throws ProviderFault {
    Read read = last;
    if (read != null && clock.instant().isBefore(read.next())) {
      return read.metadata();
    }
    try {
      // One asks, the others wait for its answer.
      if (!lock.tryLock(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
        throw ProviderFault.unavailable("the discovery document is slow", null);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw ProviderFault.unavailable("interrupted", interrupted);
    }
    try {
      return reread(deadline);
    } finally {
      lock.unlock();
    }
  }

  private OIDCProviderMetadata reread(Deadline deadline) throws ProviderFault {
    Instant now = clock.instant();
    Read read = last;
    if (read != null && now.isBefore(read.next())) {
      return read.metadata();
    }
    try {
      OIDCProviderMetadata metadata = fetch(deadline);
      last = new Read(metadata, now, now.plus(FRESH));
      return metadata;
    } catch (ProviderFault fault) {
      if (read == null || now.isAfter(read.at().plus(USABLE))) {
        throw fault;
      }
      last = new Read(read.metadata(), read.at(), now.plus(RETRY));
      return read.metadata();
    }
  }

  private OIDCProviderMetadata fetch(Deadline deadline) throws ProviderFault {
    String base = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
    URI uri = URI.create(base + "/.well-known/openid-configuration");
    var received =
        outbound.get(uri, Map.of("Accept", "application/json"), deadline).ok("discovery");
    try {
      OIDCProviderMetadata metadata = OIDCProviderMetadata.parse(received.body());
      if (!metadata.getIssuer().getValue().equals(issuer)) {
        throw ProviderFault.refused("the discovery document names another issuer");
      }
      requireSafe("authorization_endpoint", metadata.getAuthorizationEndpointURI());
      requireSafe("token_endpoint", metadata.getTokenEndpointURI());
      requireSafe("jwks_uri", metadata.getJWKSetURI());
      return metadata;
    } catch (ParseException garbage) {
      throw ProviderFault.refused("the discovery document cannot be read");
    }
  }

  /** As safe as the issuer: https, or http where the issuer itself is on loopback. */
  void requireSafe(String name, @Nullable URI endpoint) throws ProviderFault {
    String scheme = endpoint == null ? "" : String.valueOf(endpoint.getScheme());
    boolean safe = scheme.equals("https") || (scheme.equals("http") && issuer.startsWith("http:"));
    if (!safe) {
      throw ProviderFault.refused(name + " is missing or no https URL");
    }
  }
}
