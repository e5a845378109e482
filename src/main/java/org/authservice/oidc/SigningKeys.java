package org.authservice.oidc;

import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import java.net.URI;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The keys that a provider signs ID tokens with. They are read when first needed and again after an
 * hour, or when a token names a key that is not among them, since providers change their keys; but
 * once they are there, they are asked for at most once a minute, whatever tokens name.
 */
final class SigningKeys {
  private static final Duration FRESH = Duration.ofHours(1);
  private static final Duration USABLE = Duration.ofDays(1);
  private static final Duration BETWEEN = Duration.ofMinutes(1);

  private final Outbound outbound;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable Read last;

  /** What was read, when, and when it was last tried. */
  private record Read(JWKSet keys, Instant at, Instant triedAt) {}

  SigningKeys(Outbound outbound, Clock clock) {
    this.outbound = outbound;
    this.clock = clock;
  }

  /** The keys that may have signed under this header; none when it names one nobody knows. */
  List<JWK> candidates(JWSHeader header, URI source, Deadline deadline) throws ProviderFault {
    Read read = last;
    if (read != null && clock.instant().isBefore(read.at().plus(FRESH))) {
      List<JWK> known = matching(read, header);
      if (!known.isEmpty() || clock.instant().isBefore(read.triedAt().plus(BETWEEN))) {
        return known;
      }
    }
    return matching(reread(read, source, deadline), header);
  }

  private Read reread(@Nullable Read seen, URI source, Deadline deadline) throws ProviderFault {
    try {
      // One asks, the others wait for its answer.
      if (!lock.tryLock(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
        throw ProviderFault.unavailable("the keys are slow", null);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw ProviderFault.unavailable("interrupted", interrupted);
    }
    try {
      Read read = last;
      if (read != null
          && (read != seen || clock.instant().isBefore(read.triedAt().plus(BETWEEN)))) {
        return read;
      }
      return fetch(read, source, deadline);
    } finally {
      lock.unlock();
    }
  }

  private Read fetch(@Nullable Read before, URI source, Deadline deadline) throws ProviderFault {
    Instant now = clock.instant();
    try {
      var received = outbound.get(source, Map.of("Accept", "application/json"), deadline);
      Read read = new Read(JWKSet.parse(received.ok("keys").body()), now, now);
      last = read;
      return read;
    } catch (ParseException garbage) {
      return keep(before, now, ProviderFault.refused("the keys cannot be read"));
    } catch (ProviderFault fault) {
      return keep(before, now, fault);
    }
  }

  private Read keep(@Nullable Read before, Instant now, ProviderFault fault) throws ProviderFault {
    if (before == null || now.isAfter(before.at().plus(USABLE))) {
      throw fault;
    }
    Read read = new Read(before.keys(), before.at(), now);
    last = read;
    return read;
  }

  private static List<JWK> matching(Read read, JWSHeader header) {
    JWKMatcher matcher = JWKMatcher.forJWSHeader(header);
    return matcher == null ? List.of() : new JWKSelector(matcher).select(read.keys());
  }
}
