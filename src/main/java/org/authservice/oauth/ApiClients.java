package org.authservice.oauth;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.Bucket;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.http.Client;
import org.authservice.ratelimit.ClientAddresses;
import org.authservice.ratelimit.ClockTime;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;

/**
 * The programs that may ask about tokens and end them, each with a secret. Of failed attempts each
 * client id and address has ten a minute; beyond them even the right secret is refused, or else the
 * answers would go on telling which one is right.
 */
final class ApiClients {
  private static final int FAILURES_PER_MINUTE = 10;
  private static final int MOST_REMEMBERED = 100_000;
  private static final int LONGEST_ID = 100;

  private final Map<String, Secret> secrets;
  private final SecurityEvents events;
  private final MeterRegistry meters;
  private final Secret nobodys;
  private final ClockTime time;
  private final Cache<Attempt, Bucket> failures =
      Caffeine.newBuilder().maximumSize(MOST_REMEMBERED).build();

  /** Who tries to be whom, from where. */
  private record Attempt(String clientId, String network) {}

  ApiClients(
      Map<String, Secret> secrets,
      SecurityEvents events,
      Clock clock,
      Secrets random,
      MeterRegistry meters) {
    this.secrets = Map.copyOf(secrets);
    this.events = events;
    this.meters = meters;
    this.nobodys = random.token();
    this.time = new ClockTime(clock);
  }

  /** How a client's authentication can end. */
  sealed interface Authentication {
    /** It is who it says. */
    record Accepted() implements Authentication {}

    /** It is not, or gave no credentials. */
    record Refused() implements Authentication {}

    /** Too many failures; it may come back after that time. */
    record Limited(Duration retryAfter) implements Authentication {}
  }

  /**
   * Decides whether a client is who it says.
   *
   * @param readings its credentials in each way they can be read; they count as one attempt
   */
  Authentication authenticate(List<Credentials> readings, Client client) {
    Authentication outcome = decide(readings, client);
    meters.counter("auth.client.authentications", "outcome", name(outcome)).increment();
    return outcome;
  }

  private Authentication decide(List<Credentials> readings, Client client) {
    if (readings.isEmpty()) {
      return new Authentication.Refused();
    }
    String id = readings.getFirst().id();
    var attempt =
        new Attempt(
            id.substring(0, Math.min(id.length(), LONGEST_ID)),
            ClientAddresses.network(client.address()));
    boolean right = false;
    for (Credentials reading : readings) {
      right |= matches(reading);
    }
    Bucket earlier = failures.getIfPresent(attempt);
    if (right && (earlier == null || earlier.getAvailableTokens() > 0)) {
      return new Authentication.Accepted();
    }
    var probe = failures.get(attempt, it -> bucket()).tryConsumeAndReturnRemaining(1);
    if (!probe.isConsumed()) {
      return new Authentication.Limited(Duration.ofNanos(probe.getNanosToWaitForRefill()));
    }
    events.record(
        SecurityEvent.refused(
            SecurityEvent.Type.CLIENT_AUTHENTICATION, "invalid_client", Optional.empty(), client));
    return new Authentication.Refused();
  }

  /** An unknown client costs a comparison too. */
  private boolean matches(Credentials credentials) {
    Secret expected = secrets.get(credentials.id());
    boolean equal = (expected == null ? nobodys : expected).equals(credentials.secret());
    return equal && expected != null;
  }

  private Bucket bucket() {
    return Bucket.builder()
        .addLimit(limit ->
            limit
                .capacity(FAILURES_PER_MINUTE)
                .refillGreedy(FAILURES_PER_MINUTE, Duration.ofMinutes(1)))
        .withCustomTimePrecision(time)
        .build();
  }

  private static String name(Authentication outcome) {
    return switch (outcome) {
      case Authentication.Accepted _ -> "accepted";
      case Authentication.Refused _ -> "refused";
      case Authentication.Limited _ -> "limited";
    };
  }
}
