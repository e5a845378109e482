package org.authservice.http;

/** A step around the handling of every request; filters run in one fixed order. */
@FunctionalInterface
public interface Filter {
  /** Answers the request itself or lets {@code next} answer it, and may change what it says. */
  Answer handle(Request request, Handler next);
}
