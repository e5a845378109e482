package org.authservice.testing;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a service publishes, and one key more of which a test has the private half, so that a
 * resource server can be shown tokens that are well signed and otherwise wrong.
 */
public final class PublishedKeys implements AutoCloseable {
  private final ECKey another;
  private final HttpServer server;

  /** The keys of a service that signs with ES256. */
  public PublishedKeys(TestService service) throws IOException, JOSEException {
    another = new ECKeyGenerator(Curve.P_256).keyID("another").generate();
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] body = published(service).getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().set("Content-Type", "application/json");
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  /** Where they are. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/jwks.json");
  }

  /** The one that the test has. */
  public ECKey another() {
    return another;
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private String published(TestService service) {
    try {
      String keys = service.get("/.well-known/jwks.json").expect(200).http().body();
      List<JWK> all = new ArrayList<>(JWKSet.parse(keys).getKeys());
      all.add(another.toPublicJWK());
      return new JWKSet(all).toString();
    } catch (ParseException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
