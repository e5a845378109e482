package org.authservice.http;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the endpoint of a path. Paths are compared as they were sent, undecoded: what differs in a
 * single character from a template, by an encoding or a path parameter, is another path.
 */
final class Router {
  private static final Pattern PART = Pattern.compile("\\{([a-z_]+)}");

  private final Map<String, Endpoint> fixed = new HashMap<>();
  private final List<Endpoint> varying = new ArrayList<>();

  /** All routes of one template, by method. */
  static final class Endpoint {
    private final String template;
    private final Pattern pattern;
    private final List<String> parts;
    private final Map<String, Route> methods = new LinkedHashMap<>();

    Endpoint(String template) {
      this.template = template;
      this.parts = PART.matcher(template).results().map(it -> it.group(1)).toList();
      this.pattern = Pattern.compile(PART.matcher(template).replaceAll("([A-Za-z0-9._~-]{1,128})"));
    }

    String template() {
      return template;
    }

    /** The route for a method; HEAD is answered as GET. */
    Optional<Route> route(String method) {
      return Optional.ofNullable(methods.get(method.equals("HEAD") ? "GET" : method));
    }

    /** For the header Allow (RFC 9110, section 10.2.1). */
    String allow() {
      Set<String> allowed = new TreeSet<>(methods.keySet());
      if (allowed.contains("GET")) {
        allowed.add("HEAD");
      }
      allowed.add("OPTIONS");
      return String.join(", ", allowed);
    }
  }

  /** An endpoint, and what its varying parts are in a path. */
  record Match(Endpoint endpoint, Map<String, String> parts) {}

  Router(List<Route> routes) {
    Map<String, Endpoint> endpoints = new LinkedHashMap<>();
    for (Route route : routes) {
      Endpoint endpoint = endpoints.computeIfAbsent(route.template(), Endpoint::new);
      if (endpoint.methods.put(route.method(), route) != null) {
        throw new IllegalArgumentException(
            "two routes for " + route.method() + " " + route.template());
      }
    }
    for (Endpoint endpoint : endpoints.values()) {
      if (endpoint.parts.isEmpty()) {
        fixed.put(endpoint.template, endpoint);
      } else {
        varying.add(endpoint);
      }
    }
  }

  Optional<Match> find(String path) {
    Endpoint exact = fixed.get(path);
    if (exact != null) {
      return Optional.of(new Match(exact, Map.of()));
    }
    for (Endpoint endpoint : varying) {
      Matcher matcher = endpoint.pattern.matcher(path);
      if (matcher.matches()) {
        Map<String, String> parts = new HashMap<>();
        for (int i = 0; i < endpoint.parts.size(); i++) {
          parts.put(endpoint.parts.get(i), matcher.group(i + 1));
        }
        return Optional.of(new Match(endpoint, parts));
      }
    }
    return Optional.empty();
  }
}
