package org.authservice.http;

import java.util.Map;

/** Tells a request's client address from its peer and its headers. */
@FunctionalInterface
public interface ClientAddress {
  /**
   * The client's address in canonical text form.
   *
   * @param peer the address at the other end of the connection
   * @param headers by lower-case name; forwarding fields joined in order
   */
  String of(String peer, Map<String, String> headers);
}
