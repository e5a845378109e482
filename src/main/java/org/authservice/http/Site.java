package org.authservice.http;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.authservice.http.Route.Access;

/**
 * Everything that can be asked of a listener: its endpoints behind its filters. The order of the
 * filters is fixed here and nowhere else.
 */
public final class Site {
  // RFC 9110, section 9.1, and PATCH; anything else is not known to HTTP (501).
  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT");

  private final Router router;
  private final Handler chain;
  private final Filter log;
  private final Filter headers;
  private final Filter cors;

  /**
   * A site.
   *
   * @param routes its endpoints
   * @param log writes the access log
   * @param headers adds the security headers
   * @param cors answers browsers of other origins
   * @param failures turns exceptions into answers
   * @param ready refuses what this node cannot decide
   * @param bearer decides whom a token speaks for, on endpoints that require one
   * @param limit counts requests, by account once the token is known, else by address
   */
  public Site(
      List<Route> routes,
      Filter log,
      Filter headers,
      Filter cors,
      Filter failures,
      Filter ready,
      Bearer bearer,
      Filter limit) {
    this.router = new Router(routes);
    this.log = log;
    this.headers = headers;
    this.cors = cors;
    this.chain =
        chained(
            List.of(
                log,
                headers,
                cors,
                failures,
                ready,
                (request, next) -> next.handle(identified(request, bearer)),
                limit,
                failures), // again, so that a counted request that fails is told its limits too
            this::route);
  }

  /** Which endpoint a path belongs to. */
  Optional<Router.Match> find(String path) {
    return router.find(path);
  }

  /** Answers a request; throws nothing. */
  Answer handle(Request request) {
    return chain.handle(request);
  }

  /** Refuses a request that could not be read, with the same log line and headers as any other. */
  Answer refuse(Request request, ErrorCode code) {
    return chained(List.of(log, headers, cors), it -> Problem.of(code).answer()).handle(request);
  }

  private static Handler chained(List<Filter> filters, Handler last) {
    Handler handler = last;
    for (Filter filter : filters.reversed()) {
      Handler next = handler;
      handler = request -> filter.handle(request, next);
    }
    return handler;
  }

  private Request identified(Request request, Bearer bearer) {
    return endpoint(request)
        .flatMap(endpoint -> endpoint.route(request.method()))
        .filter(route -> route.access() == Access.BEARER)
        .flatMap(route -> request.bearerToken())
        .flatMap(bearer::accept)
        .map(request::as)
        .orElse(request);
  }

  private Answer route(Request request) {
    if (!METHODS.contains(request.method())) {
      return Problem.of(ErrorCode.NOT_IMPLEMENTED).answer();
    }
    Optional<Router.Endpoint> endpoint = endpoint(request);
    if (endpoint.isEmpty()) {
      return Problem.of(ErrorCode.NOT_FOUND).answer();
    }
    Optional<Route> route = endpoint.get().route(request.method());
    if (route.isEmpty()) {
      String allow = endpoint.get().allow();
      return request.method().equals("OPTIONS")
          ? Answer.empty(204).with("Allow", allow)
          : Problem.of(ErrorCode.METHOD_NOT_ALLOWED).answer().with("Allow", allow);
    }
    if (route.get().access() == Access.BEARER && request.bearer().isEmpty()) {
      return unauthorised(request);
    }
    return challenged(route.get(), route.get().handler().handle(request));
  }

  /** RFC 6750, section 3: no error code when no token was sent. */
  private static Answer unauthorised(Request request) {
    String challenge =
        request.header("authorization").isPresent() ? "Bearer error=\"invalid_token\"" : "Bearer";
    return Problem.of(ErrorCode.TOKEN_INVALID).answer().with("WWW-Authenticate", challenge);
  }

  /** A token may be good and its account gone: the endpoint's own 401 is challenged too. */
  private static Answer challenged(Route route, Answer answer) {
    return route.access() == Access.BEARER && answer.status() == 401
        ? answer.with("WWW-Authenticate", "Bearer error=\"invalid_token\"")
        : answer;
  }

  private Optional<Router.Endpoint> endpoint(Request request) {
    return router.find(request.path()).map(Router.Match::endpoint);
  }
}
