package org.authservice.http;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns exceptions into answers: the one place where that happens. */
public final class Failsafe implements Filter {
  private static final Logger log = LoggerFactory.getLogger(Failsafe.class);

  /** The filter. */
  public Failsafe() {}

  @Override
  public Answer handle(Request request, Handler next) {
    try {
      return next.handle(request);
    } catch (InvalidRequest invalid) {
      return invalid.problem().answer();
    } catch (Unavailable unavailable) {
      log.atWarn()
          .addKeyValue("request_id", request.id())
          .log("unavailable: {}", unavailable.getMessage());
      Duration wait = unavailable.retryAfter();
      return Problem.of(unavailable.code()).retryAfter(wait).answer();
    } catch (RuntimeException | Error bug) {
      log.atError()
          .addKeyValue("request_id", request.id())
          .setCause(bug)
          .log("{} {} failed", request.method(), request.route());
      return Problem.of(ErrorCode.INTERNAL_ERROR).answer();
    }
  }
}
