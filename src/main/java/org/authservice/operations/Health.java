package org.authservice.operations;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.authservice.http.Answer;
import org.authservice.http.Route;
import org.authservice.json.JsonObject;

/** Whether the service lives, is ready for requests, and reaches its database. */
public final class Health {
  private static final Duration CACHED = Duration.ofMillis(500);

  private final BooleanSupplier databaseReachable;
  private final BooleanSupplier following;
  private final ReentrantLock asking = new ReentrantLock();
  private volatile boolean serving;
  private volatile boolean lastAnswer;
  private volatile long askedAt;
  private volatile boolean asked;

  /**
   * Health of a service that does not serve yet.
   *
   * @param databaseReachable asks the database
   * @param following whether this node knows which sessions have ended
   */
  public Health(BooleanSupplier databaseReachable, BooleanSupplier following) {
    this.databaseReachable = databaseReachable;
    this.following = following;
  }

  /** From now on requests are welcome, or no longer. */
  public void serving(boolean now) {
    serving = now;
  }

  /** {@code /health}, for people and simple monitors. */
  public Route publicRoute() {
    return Route.open(
        "GET",
        "/health",
        request ->
            databaseUp()
                ? Answer.json(200, JsonObject.of("status", "healthy").put("database", "up"))
                : Answer.json(503, JsonObject.of("status", "unhealthy").put("database", "down")));
  }

  /** {@code /health/live} and {@code /health/ready}, for an orchestrator. */
  public List<Route> managementRoutes() {
    return List.of(
        Route.open(
            "GET", "/health/live", request -> Answer.json(200, JsonObject.of("status", "live"))),
        Route.open(
            "GET",
            "/health/ready",
            request -> {
              boolean ready = serving && following.getAsBoolean() && databaseUp();
              return Answer.json(
                  ready ? 200 : 503, JsonObject.of("status", ready ? "ready" : "not ready"));
            }));
  }

  /**
   * A crowd of monitors costs the database one question at a time, and twice a second at most: who
   * comes while it is asked takes the answer before.
   */
  private boolean databaseUp() {
    if (!asked) {
      asking.lock();
    } else if (!due() || !asking.tryLock()) {
      return lastAnswer;
    }
    try {
      if (due()) {
        lastAnswer = databaseReachable.getAsBoolean();
        askedAt = System.nanoTime();
        asked = true;
      }
      return lastAnswer;
    } finally {
      asking.unlock();
    }
  }

  private boolean due() {
    return !asked || System.nanoTime() - askedAt > CACHED.toNanos();
  }
}
