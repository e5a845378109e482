package org.authservice.http;

import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * Who sent a request, as far as the network and the headers tell.
 *
 * @param address the client's address in canonical text form, IPv4-mapped IPv6 as IPv4
 * @param userAgent the User-Agent header, cut to 400 characters, empty when absent
 * @param deviceToken the Device-Token header, unchecked
 * @param requestId the request's id, for the records
 * @param languages the Accept-Language header, empty when absent, malformed or over 120 characters
 */
public record Client(
    String address,
    String userAgent,
    Optional<Secret> deviceToken,
    String requestId,
    String languages) {

  /** A client that says nothing of languages. */
  public Client(String address, String userAgent, Optional<Secret> deviceToken, String requestId) {
    this(address, userAgent, deviceToken, requestId, "");
  }
}
