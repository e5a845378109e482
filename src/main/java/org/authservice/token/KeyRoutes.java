package org.authservice.token;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.authservice.http.Answer;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;

/** {@code /.well-known}: the public keys (RFC 7517) and where things are (RFC 8414). */
public final class KeyRoutes {
  /** Far less than the hour for which a key is published before it signs. */
  private static final String CACHE = "public, max-age=300";

  private final AccessKeys keys;
  private final String issuer;
  private final String publicBaseUrl;
  private final String algorithm;

  /** The routes of an installation whose tokens name that issuer. */
  public KeyRoutes(AccessKeys keys, String algorithm, String issuer, String publicBaseUrl) {
    this.keys = keys;
    this.algorithm = algorithm;
    this.issuer = issuer;
    this.publicBaseUrl = publicBaseUrl;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(
        Route.open("GET", "/.well-known/jwks.json", this::keys),
        Route.open("GET", "/.well-known/openid-configuration", this::configuration));
  }

  private Answer keys(Request request) {
    return cacheable(request, JsonObject.of("keys", keys.published()));
  }

  /**
   * What a resource server needs. It names no authorization endpoint, because there is none: this
   * service signs its own users in and is no provider for others.
   */
  private Answer configuration(Request request) {
    return cacheable(
        request,
        JsonObject.of("issuer", issuer)
            .put("jwks_uri", publicBaseUrl + "/.well-known/jwks.json")
            .put("introspection_endpoint", publicBaseUrl + "/auth/introspect")
            .put("revocation_endpoint", publicBaseUrl + "/auth/revoke")
            .put("response_types_supported", List.of())
            .put("subject_types_supported", List.of("public"))
            .put("id_token_signing_alg_values_supported", List.of(algorithm)));
  }

  private static Answer cacheable(Request request, JsonObject object) {
    byte[] body = Json.write(object);
    String tag = "\"" + digest(body) + "\"";
    boolean known = request.header("if-none-match").filter(it -> it.contains(tag)).isPresent();
    Answer answer = known ? Answer.empty(304) : Answer.bytes(200, "application/json", body);
    return answer.with("ETag", tag).with("Cache-Control", CACHE);
  }

  private static String digest(byte[] body) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(body);
      return HexFormat.of().formatHex(hash, 0, 16);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
