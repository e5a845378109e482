package org.authservice.settings;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads where the service listens and who may reach it. */
final class ListenerSettingsReader {
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "localhost", "::1", "[::1]");

  // Any scheme, since apps that are web pages inside have their own; never a wildcard or "null".
  private static final Pattern BROWSER_ORIGIN =
      Pattern.compile(
          "(?!http://[^\\[]*:80$)(?!https://[^\\[]*:443$)"
              + "[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\\[[0-9a-f:.]+\\])(:[1-9][0-9]{0,4})?");

  private final Source source;

  ListenerSettingsReader(Source source) {
    this.source = source;
  }

  /** Whether only this machine reaches that host. */
  static boolean isLoopback(String host) {
    return LOOPBACK.contains(host);
  }

  /** Those of a service that runs in production, or not. */
  ListenerSettings read(boolean production) {
    String host = source.text("HOST").orElse("127.0.0.1");
    if (!production && !isLoopback(host)) {
      source.require("SECRET_KEY", "HOST is not a loopback address, so others can reach it");
    }
    int management = source.number("MANAGEMENT_PORT", 9000, 0, 65535);
    return new ListenerSettings(
        host,
        source.number("PORT", 8000, 0, 65535),
        management == 0 ? Optional.empty() : Optional.of(management),
        source.text("PUBLIC_BASE_URL").flatMap(url -> origin("PUBLIC_BASE_URL", url, production)),
        corsOrigins(production),
        Duration.ofSeconds(source.number("SLOW_REQUEST_SECONDS", 2, 0, 3600)),
        Duration.ofSeconds(source.number("SHUTDOWN_DELAY_SECONDS", production ? 5 : 0, 0, 60)),
        source.flag("DOCS_ENABLED", !production));
  }

  private List<String> corsOrigins(boolean production) {
    List<String> fallback = production ? List.of() : List.of("http://localhost:3000");
    List<String> origins = source.list("BACKEND_CORS_ORIGINS", fallback);
    for (String origin : origins) {
      if (!BROWSER_ORIGIN.matcher(origin).matches()) {
        source.reject(
            "BACKEND_CORS_ORIGINS",
            "\"" + origin + "\" is not an origin as browsers send it (lower case, no usual port)");
      }
    }
    return origins;
  }

  private Optional<URI> origin(String name, String text, boolean httpsOnly) {
    Optional<URI> origin = origin(text);
    if (origin.isEmpty()) {
      source.reject(name, "it must be an origin: http(s)://host[:port] without a path");
    } else if (httpsOnly && !"https".equals(origin.get().getScheme())) {
      source.reject(name, "production needs https");
    }
    return origin;
  }

  private static Optional<URI> origin(String text) {
    try {
      URI uri = URI.create(text);
      boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      boolean bare = uri.getPath().isEmpty() && uri.getQuery() == null;
      boolean plain = uri.getFragment() == null && uri.getUserInfo() == null;
      boolean whole = uri.getHost() != null && !text.contains("*");
      return web && bare && plain && whole ? Optional.of(uri) : Optional.empty();
    } catch (IllegalArgumentException | NullPointerException notOne) {
      return Optional.empty();
    }
  }
}
