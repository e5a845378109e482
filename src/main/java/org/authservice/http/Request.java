package org.authservice.http;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A request as features see it: routed, within its limits, its client known.
 *
 * @param method the HTTP method
 * @param path the path as received
 * @param route the endpoint's template, or {@code "-"} when no endpoint has this path
 * @param pathParts the values of the template's {@code {name}} parts
 * @param query decoded query parameters; the first of a repeated one
 * @param headers header fields by lower-case name; the first of a repeated one
 * @param body the content, empty when there was none
 * @param client who sent it
 * @param bearer whom its access token speaks for, on endpoints that require one
 */
public record Request(
    String method,
    String path,
    String route,
    Map<String, String> pathParts,
    Map<String, String> query,
    Map<String, String> headers,
    byte[] body,
    Client client,
    Optional<Principal> bearer) {
  private static final String BEARER = "Bearer ";

  /** The header field of that name, in whatever case. */
  public Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name.toLowerCase(Locale.ROOT)));
  }

  /** The value of the cookie of that name (RFC 6265, section 5.4). */
  public Optional<String> cookie(String name) {
    for (String pair : header("cookie").orElse("").split(";", -1)) {
      int equals = pair.indexOf('=');
      if (equals > 0 && pair.substring(0, equals).strip().equals(name)) {
        return Optional.of(pair.substring(equals + 1).strip());
      }
    }
    return Optional.empty();
  }

  /** The access token that was sent, unchecked. */
  public Optional<String> bearerToken() {
    return header("authorization")
        .filter(value -> value.regionMatches(true, 0, BEARER, 0, BEARER.length()))
        .map(value -> value.substring(BEARER.length()).strip());
  }

  /** The query parameter of that name. */
  public Optional<String> queryParameter(String name) {
    return Optional.ofNullable(query.get(name));
  }

  /** The request's id. */
  public String id() {
    return client.requestId();
  }

  /** Whom the access token speaks for; only on endpoints that require one. */
  public Principal principal() {
    return bearer.orElseThrow(() -> new IllegalStateException(route + " requires no token"));
  }

  /** The same, with its body read. */
  Request with(byte[] content) {
    return new Request(method, path, route, pathParts, query, headers, content, client, bearer);
  }

  /** The same, with its access token accepted. */
  public Request as(Principal principal) {
    return new Request(
        method, path, route, pathParts, query, headers, body, client, Optional.of(principal));
  }

  /**
   * The members of the JSON body.
   *
   * @throws InvalidRequest 415 when it is not declared as JSON, 400 when it cannot be parsed, 422
   *     when it is no object or repeats a member
   */
  public Fields fields() {
    return Fields.of(this);
  }

  /** The parameters of the form in the body; empty when it is none, or gives one twice. */
  public Optional<Form> form() {
    return Form.of(this);
  }
}
