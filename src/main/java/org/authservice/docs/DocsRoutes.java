package org.authservice.docs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.authservice.http.Answer;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.jspecify.annotations.Nullable;

/**
 * {@code /docs}, {@code /redoc}, {@code /openapi.json} and {@code /docs/errors}. Scripts come from
 * files of this service only; styles may be inline, because both viewers write them.
 */
public final class DocsRoutes {
  private static final String POLICY =
      "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline';"
          + " img-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'none';"
          + " frame-ancestors 'none'; form-action 'self'";
  private static final String WEBJARS = "/META-INF/resources/webjars/";
  private static final String ASSETS = "/docs/assets/";
  private static final String REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg";
  private static final String JAVASCRIPT = "text/javascript; charset=utf-8";
  private static final String CSS = "text/css; charset=utf-8";

  /** Served name, and where the file is. */
  private static final Map<String, String> FILES =
      Map.of(
          "swagger-ui.css",
          WEBJARS + "swagger-ui/5.34.1/swagger-ui.css",
          "swagger-ui-bundle.js",
          WEBJARS + "swagger-ui/5.34.1/swagger-ui-bundle.js",
          "redoc.standalone.js",
          WEBJARS + "redoc/2.5.1/redoc.standalone.js",
          "swagger.js",
          "/docs/swagger.js",
          "redoc.js",
          "/docs/redoc.js",
          "page.css",
          "/docs/page.css");

  private final boolean viewers;
  private final String publicBaseUrl;
  private byte @Nullable [] openApi;

  /**
   * The documentation.
   *
   * @param viewers whether the contract and its viewers are served; the error page always is
   */
  public DocsRoutes(boolean viewers, String publicBaseUrl) {
    this.viewers = viewers;
    this.publicBaseUrl = publicBaseUrl;
  }

  /** The endpoints. */
  public List<Route> routes() {
    List<Route> routes = new ArrayList<>();
    routes.add(Route.open("GET", "/docs/errors", request -> page(ErrorPage.html())));
    routes.add(Route.open("GET", ASSETS + "page.css", request -> asset("page.css")));
    if (viewers) {
      routes.add(Route.open("GET", "/docs", request -> page(file("/docs/swagger.html"))));
      routes.add(Route.open("GET", "/redoc", request -> page(file("/docs/redoc.html"))));
      routes.add(Route.open("GET", "/openapi.json", this::openApi));
      for (String name : FILES.keySet()) {
        if (!name.equals("page.css")) {
          routes.add(Route.open("GET", ASSETS + name, request -> asset(name)));
        }
      }
    }
    return routes;
  }

  private synchronized Answer openApi(Request request) {
    byte[] json = openApi;
    if (json == null) {
      json = OpenApi.json(publicBaseUrl);
      openApi = json;
    }
    return Answer.bytes(200, "application/json", json);
  }

  private static Answer page(String html) {
    return Answer.bytes(200, "text/html; charset=utf-8", html.getBytes(StandardCharsets.UTF_8))
        .with("Content-Security-Policy", POLICY);
  }

  private static Answer asset(String name) {
    String type = name.endsWith(".css") ? CSS : JAVASCRIPT;
    String resource = Objects.requireNonNull(FILES.get(name));
    byte[] content =
        name.equals("redoc.standalone.js")
            // Its one picture from elsewhere, which the policy would block with a complaint.
            ? file(resource).replace(REDOC_LOGO, "data:,").getBytes(StandardCharsets.UTF_8)
            : bytes(resource);
    return Answer.bytes(200, type, content).with("Cache-Control", "public, max-age=3600");
  }

  private static String file(String resource) {
    return new String(bytes(resource), StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String resource) {
    try (InputStream in = DocsRoutes.class.getResourceAsStream(resource)) {
      return Objects.requireNonNull(in, resource).readAllBytes();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
