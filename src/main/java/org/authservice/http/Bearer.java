package org.authservice.http;

import java.util.Optional;

/** Decides whom an access token speaks for. */
@FunctionalInterface
public interface Bearer {
  /**
   * Whom the token speaks for; empty when it is not valid.
   *
   * @throws Unavailable when that cannot be told now
   */
  Optional<Principal> accept(String token);
}
