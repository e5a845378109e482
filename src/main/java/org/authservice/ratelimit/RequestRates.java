package org.authservice.ratelimit;

import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import io.github.bucket4j.ConsumptionProbe;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;
import java.util.function.Function;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Filter;
import org.authservice.http.Handler;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.secret.Keyring;
import org.authservice.settings.LimitSettings;
import org.authservice.settings.LimitSettings.Rate;

/**
 * How often a client may ask: an account where a token is required and good, an address everywhere
 * else. Answers tell of each limit that applied what is left
 * (draft-ietf-httpapi-ratelimit-headers-10).
 */
public final class RequestRates implements Filter, AutoCloseable {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Set<String> UNCOUNTED = Set.of("/health");

  // A proxy asks here for every request that it forwards: a refusal would end honest sessions.
  private static final Set<String> NEVER_REFUSED = Set.of("/auth/check");

  private static final Set<String> FAILURES_ONLY =
      Set.of("/auth/introspect", "/auth/revoke", "/mail/events");

  private final LimitSettings settings;
  private final List<Network> networks;
  private final Rate general;
  private final Source buckets;
  private final MeterRegistry meters;

  /** A network whose addresses have a figure of their own. */
  private record Network(IPAddress block, Rate rate) {
    boolean holds(IPAddress address) {
      return block.getIPVersion() == address.getIPVersion() && block.contains(address);
    }

    int prefixLength() {
      return block.isPrefixed() ? block.getPrefixLength() : block.getBitCount();
    }
  }

  /** A limit that applies to a request. */
  private record Applied(String policy, Buckets.Key key) {}

  /** What a limit said. */
  private record Said(Applied limit, ConsumptionProbe probe) {}

  /** Where tokens are taken from. */
  interface Source {
    /** Takes a token, if one is left. */
    ConsumptionProbe take(Buckets.Key key);

    /** Whether a token is left. */
    ConsumptionProbe look(Buckets.Key key);

    /** Lets go of connections. */
    default void close() {}
  }

  /**
   * Limits kept in this node's memory, and on Redis when there is one.
   *
   * @param keyring names buckets on Redis
   */
  public RequestRates(LimitSettings settings, Keyring keyring, Clock clock, MeterRegistry meters) {
    this.settings = settings;
    this.meters = meters;
    this.general = new Rate(settings.perMinute(), MINUTE);
    var local = new Buckets(clock, meters);
    this.buckets =
        settings
            .redis()
            .<Source>map(
                url -> new SharedBuckets(url, local, keyring.lookup("request rate")::over, meters))
            .orElse(local);
    // Of networks within each other, the smallest that holds an address counts.
    this.networks =
        settings.networks().entrySet().stream()
            .map(it ->
                new Network(
                    HostAddress.unmapped(new IPAddressString(it.getKey()).getAddress()),
                    new Rate(it.getValue(), MINUTE)))
            .sorted(Comparator.comparingInt(Network::prefixLength).reversed())
            .toList();
  }

  @Override
  public Answer handle(Request request, Handler next) {
    if (UNCOUNTED.contains(request.route()) || request.method().equals("OPTIONS")) {
      return next.handle(request);
    }
    if (NEVER_REFUSED.contains(request.route())) {
      return countFailure(request, next.handle(request), List.of());
    }
    return failuresOnly(request) ? refuseOrCountFailure(request, next) : count(request, next);
  }

  @Override
  public void close() {
    buckets.close();
  }

  private static boolean failuresOnly(Request request) {
    return FAILURES_ONLY.contains(request.route()) || request.route().startsWith("/.well-known/");
  }

  private Answer count(Request request, Handler next) {
    List<Applied> limits = new ArrayList<>(own(request));
    limits.addAll(general(request));
    List<Said> said = ask(limits, buckets::take);
    return refusal(said).orElseGet(() -> told(next.handle(request), said));
  }

  /** A limit of the endpoint's own counts everything; the general one only what failed. */
  private Answer refuseOrCountFailure(Request request, Handler next) {
    List<Said> left = ask(general(request), buckets::look);
    Optional<Answer> refused = refusal(left);
    if (refused.isPresent()) {
      return refused.get();
    }
    List<Said> said = ask(own(request), buckets::take);
    return refusal(said).orElseGet(() -> countFailure(request, next.handle(request), said));
  }

  /** Failures count towards what else the client may ask; they are answered all the same. */
  private Answer countFailure(Request request, Answer answer, List<Said> said) {
    if (answer.status() < 400 || answer.status() >= 500) {
      return told(answer, said);
    }
    List<Said> all = new ArrayList<>(said);
    all.addAll(ask(general(request), buckets::take));
    return told(answer, all);
  }

  /** Asks one limit after the other, up to the first that refuses. */
  private static List<Said> ask(
      List<Applied> limits, Function<Buckets.Key, ConsumptionProbe> question) {
    if (limits.isEmpty()) {
      return List.of();
    }
    List<Said> said = new ArrayList<>(2);
    for (Applied limit : limits) {
      ConsumptionProbe probe = question.apply(limit.key());
      said.add(new Said(limit, probe));
      if (!probe.isConsumed()) {
        break;
      }
    }
    return said;
  }

  private List<Applied> general(Request request) {
    Rate rate = rate(request);
    return rate.requests() == 0
        ? List.of()
        : List.of(new Applied("client", new Buckets.Key(who(request), "", rate)));
  }

  private List<Applied> own(Request request) {
    if (settings.endpoints().isEmpty()) {
      return List.of();
    }
    // HEAD is answered as GET, and so counted as one.
    String method = request.method().equals("HEAD") ? "GET" : request.method();
    String endpoint = method + " " + request.route();
    Rate rate = settings.endpoints().get(endpoint);
    return rate == null
        ? List.of()
        : List.of(new Applied("endpoint", new Buckets.Key(who(request), endpoint, rate)));
  }

  private static String who(Request request) {
    return request
        .bearer()
        .map(principal -> "account " + principal.userId())
        .orElseGet(() -> ClientAddresses.network(request.client().address()));
  }

  private Rate rate(Request request) {
    if (networks.isEmpty() || request.bearer().isPresent()) {
      return general;
    }
    return HostAddress.parse(request.client().address())
        .flatMap(address -> networks.stream().filter(it -> it.holds(address)).findFirst())
        .map(Network::rate)
        .orElse(general);
  }

  /** The answer to a request that a limit refused, which is the last that was asked. */
  private Optional<Answer> refusal(List<Said> said) {
    return said.isEmpty() || said.getLast().probe().isConsumed()
        ? Optional.empty()
        : Optional.of(told(refusal(said.getLast()), said));
  }

  private Answer refusal(Said said) {
    meters.counter("auth.limits.refused", "policy", said.limit().policy()).increment();
    return Problem.of(ErrorCode.RATE_LIMITED)
        .retryAfter(Duration.ofNanos(said.probe().getNanosToWaitForRefill()))
        .answer();
  }

  private static Answer told(Answer answer, List<Said> said) {
    if (said.isEmpty()) {
      return answer;
    }
    var left = new StringJoiner(", ");
    var policies = new StringJoiner(", ");
    for (Said it : said) {
      left.add(left(it));
      policies.add(policy(it));
    }
    return answer.with("RateLimit", left.toString()).with("RateLimit-Policy", policies.toString());
  }

  private static String left(Said said) {
    ConsumptionProbe probe = said.probe();
    long reset = Duration.ofNanos(probe.getNanosToWaitForReset()).plusMillis(999).toSeconds();
    return '"' + said.limit().policy() + "\";r=" + probe.getRemainingTokens() + ";t=" + reset;
  }

  private static String policy(Said said) {
    Rate rate = said.limit().key().rate();
    return '"'
        + said.limit().policy()
        + "\";q="
        + rate.requests()
        + ";w="
        + rate.period().toSeconds();
  }
}
