package org.authservice.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line and one timing per request. Only the route's template is told, never the path, which may
 * hold what does not belong in a log.
 */
public final class AccessLog implements Filter {
  private static final Logger log = LoggerFactory.getLogger("access");

  private final Duration slow;
  private final MeterRegistry meters;
  private final Map<Timed, Timer> timers = new ConcurrentHashMap<>();

  private record Timed(String method, String route, int status) {}

  /**
   * The filter.
   *
   * @param slow requests that take longer are warned about
   */
  public AccessLog(Duration slow, MeterRegistry meters) {
    this.slow = slow;
    this.meters = meters;
  }

  @Override
  public Answer handle(Request request, Handler next) {
    long start = System.nanoTime();
    Answer answer = next.handle(request);
    Duration taken = Duration.ofNanos(System.nanoTime() - start);
    timer(request, answer).record(taken);
    boolean isSlow = taken.compareTo(slow) > 0;
    (isSlow ? log.atWarn() : log.atInfo())
        .addKeyValue("method", request.method())
        .addKeyValue("route", request.route())
        .addKeyValue("status", answer.status())
        .addKeyValue("ms", taken.toMillis())
        .addKeyValue("address", request.client().address())
        .addKeyValue("user_agent", request.client().userAgent())
        .addKeyValue("request_id", request.id())
        .log(isSlow ? "slow request" : "request");
    return answer;
  }

  private Timer timer(Request request, Answer answer) {
    // An unknown method or path is anybody's text and must not make a metric each.
    String method = request.route().equals("-") ? "-" : request.method();
    var timed = new Timed(method, request.route(), answer.status());
    Timer known = timers.get(timed); // without the lock that computeIfAbsent may take
    return known != null ? known : timers.computeIfAbsent(timed, this::timer);
  }

  private Timer timer(Timed timed) {
    return Timer.builder("http.server.requests")
        .tags("method", timed.method, "route", timed.route)
        .tag("status", Integer.toString(timed.status))
        .publishPercentileHistogram()
        .register(meters);
  }
}
