package org.authservice.http;

/** Answers a request. */
@FunctionalInterface
public interface Handler {
  /**
   * Answers the request.
   *
   * @throws InvalidRequest when the request's shape is wrong
   * @throws Unavailable when a part the answer needs is down or overloaded
   */
  Answer handle(Request request);
}
