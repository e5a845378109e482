package org.authservice.http;

/**
 * One endpoint.
 *
 * @param method the HTTP method; a GET route answers HEAD too
 * @param template the path, with {@code {name}} for a part that varies
 * @param access who may call it
 * @param handler what answers
 */
public record Route(String method, String template, Access access, Handler handler) {

  /** Who may call an endpoint. */
  public enum Access {
    /** Anyone. */
    PUBLIC,
    /** Whoever has a good access token; {@link Request#principal()} tells who. */
    BEARER
  }

  /** A public endpoint. */
  public static Route open(String method, String template, Handler handler) {
    return new Route(method, template, Access.PUBLIC, handler);
  }

  /** An endpoint that requires an access token. */
  public static Route bearer(String method, String template, Handler handler) {
    return new Route(method, template, Access.BEARER, handler);
  }
}
