package org.authservice.ratelimit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Filter;
import org.authservice.http.Handler;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.settings.LimitSettings;
import org.authservice.settings.LimitSettings.Rate;

/**
 * How often a client may ask: an account where a token is required and good, an address everywhere
 * else. Buckets refill continuously, so that no window's edge lets twice the limit pass at once.
 * Answers tell what is left (draft-ietf-httpapi-ratelimit-headers-10).
 */
public final class RequestRates implements Filter {
  private static final int MOST_CLIENTS = 100_000;
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Set<String> UNCOUNTED = Set.of("/health");

  // A proxy asks here for every request that it forwards: a refusal would end honest sessions.
  private static final Set<String> NEVER_REFUSED = Set.of("/auth/check");

  private static final Set<String> FAILURES_ONLY = Set.of("/auth/introspect", "/auth/revoke");

  private final LimitSettings settings;
  private final Map<IPAddress, Integer> networks = new HashMap<>();
  private final Cache<Client, Bucket> buckets;
  private final TimeMeter time;
  private final MeterRegistry meters;

  /** Whose bucket; an endpoint's own limit is counted beside the general one. */
  private record Client(String who, String endpoint) {}

  /** A limit that applies to a request. */
  private record Applied(String policy, Client client, Rate rate) {}

  /** Limits kept in this node's memory. */
  public RequestRates(LimitSettings settings, Clock clock, MeterRegistry meters) {
    this.settings = settings;
    this.meters = meters;
    settings
        .networks()
        .forEach((network, perMinute) ->
            networks.put(new IPAddressString(network).getAddress(), perMinute));
    this.time = new ClockTime(clock);
    this.buckets = Caffeine.newBuilder().maximumSize(MOST_CLIENTS).build();
    meters.gauge("auth.limits.clients", buckets, Cache::estimatedSize);
  }

  @Override
  public Answer handle(Request request, Handler next) {
    if (UNCOUNTED.contains(request.route()) || request.method().equals("OPTIONS")) {
      return next.handle(request);
    }
    if (NEVER_REFUSED.contains(request.route())) {
      return countFailure(request, next.handle(request));
    }
    return failuresOnly(request)
        ? refuseOrCountFailure(request, next)
        : count(Stream.concat(own(request), general(request)).toList(), request, next);
  }

  private static boolean failuresOnly(Request request) {
    return FAILURES_ONLY.contains(request.route()) || request.route().startsWith("/.well-known/");
  }

  /** A limit of the endpoint's own counts everything; the general one only what failed. */
  private Answer refuseOrCountFailure(Request request, Handler next) {
    for (Applied limit : general(request).toList()) {
      if (bucket(limit).getAvailableTokens() <= 0) {
        return refuse(limit, ConsumptionProbe.rejected(0, wait(limit), MINUTE.toNanos()));
      }
    }
    return countFailure(request, count(own(request).toList(), request, next));
  }

  /** Failures count towards what else the client may ask. */
  private Answer countFailure(Request request, Answer answer) {
    Answer counted = answer;
    if (answer.status() >= 400 && answer.status() < 500) {
      for (Applied limit : general(request).toList()) {
        counted = told(counted, limit, bucket(limit).tryConsumeAndReturnRemaining(1));
      }
    }
    return counted;
  }

  private Answer count(List<Applied> limits, Request request, Handler next) {
    Optional<Applied> strictest = Optional.empty();
    ConsumptionProbe left = null;
    for (Applied limit : limits) {
      ConsumptionProbe probe = bucket(limit).tryConsumeAndReturnRemaining(1);
      if (!probe.isConsumed()) {
        return refuse(limit, probe);
      }
      if (left == null || probe.getRemainingTokens() < left.getRemainingTokens()) {
        strictest = Optional.of(limit);
        left = probe;
      }
    }
    Answer answer = next.handle(request);
    return strictest.isEmpty() || left == null ? answer : told(answer, strictest.get(), left);
  }

  private Stream<Applied> general(Request request) {
    int perMinute = perMinute(request);
    return perMinute == 0
        ? Stream.empty()
        : Stream.of(
            new Applied("client", new Client(who(request), ""), new Rate(perMinute, MINUTE)));
  }

  private Stream<Applied> own(Request request) {
    String endpoint = request.method() + " " + request.route();
    return Optional.ofNullable(settings.endpoints().get(endpoint)).stream()
        .map(rate -> new Applied("endpoint", new Client(who(request), endpoint), rate));
  }

  private static String who(Request request) {
    return request
        .bearer()
        .map(principal -> "account " + principal.userId())
        .orElseGet(() -> ClientAddresses.network(request.client().address()));
  }

  private int perMinute(Request request) {
    if (networks.isEmpty() || request.bearer().isPresent()) {
      return settings.perMinute();
    }
    IPAddress address = new IPAddressString(request.client().address()).getAddress();
    return networks.entrySet().stream()
        .filter(it ->
            address != null
                && it.getKey().getIPVersion() == address.getIPVersion()
                && it.getKey().contains(address))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(settings.perMinute());
  }

  private long wait(Applied limit) {
    return bucket(limit).estimateAbilityToConsume(1).getNanosToWaitForRefill();
  }

  private Bucket bucket(Applied limit) {
    return buckets.get(
        limit.client(),
        it ->
            Bucket.builder()
                .addLimit(bandwidth ->
                    bandwidth
                        .capacity(limit.rate().requests())
                        .refillGreedy(limit.rate().requests(), limit.rate().period()))
                .withCustomTimePrecision(time)
                .build());
  }

  private Answer refuse(Applied limit, ConsumptionProbe probe) {
    meters.counter("auth.limits.refused", "policy", limit.policy()).increment();
    Answer answer =
        Problem.of(ErrorCode.RATE_LIMITED)
            .retryAfter(Duration.ofNanos(probe.getNanosToWaitForRefill()))
            .answer();
    return told(answer, limit, probe);
  }

  private static Answer told(Answer answer, Applied limit, ConsumptionProbe probe) {
    long reset = Duration.ofNanos(probe.getNanosToWaitForReset()).plusMillis(999).toSeconds();
    return answer
        .with(
            "RateLimit",
            '"' + limit.policy() + "\";r=" + probe.getRemainingTokens() + ";t=" + reset)
        .with(
            "RateLimit-Policy",
            '"'
                + limit.policy()
                + "\";q="
                + limit.rate().requests()
                + ";w="
                + limit.rate().period().toSeconds());
  }
}
