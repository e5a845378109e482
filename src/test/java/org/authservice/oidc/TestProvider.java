package org.authservice.oidc;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** An OpenID provider that misbehaves as a test wants it to. */
final class TestProvider implements AutoCloseable {
  static final String CLIENT = "the-client";
  static final String SECRET = "the-secret";

  /** What it answers to a path, instead of what it should. */
  record Reply(int status, String contentType, String body) {}

  final AtomicInteger keyFetches = new AtomicInteger();
  final AtomicInteger tokenRequests = new AtomicInteger();
  final Map<String, Reply> instead = new HashMap<>();

  /** Paths that are taken and never answered. */
  final Set<String> silent = ConcurrentHashMap.newKeySet();

  /** Paths whose answers come a byte at a time and never end. */
  final Set<String> dripping = ConcurrentHashMap.newKeySet();

  final List<RSAKey> keys = new ArrayList<>(List.of(key("first")));
  final Map<String, String> userInfo = new HashMap<>();
  Consumer<JWTClaimsSet.Builder> claims = builder -> {};
  UnaryOperator<String> token = text -> text;
  Function<RSAKey, JWSHeader> header =
      key -> new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(key.getKeyID()).build();
  RSAKey signing = keys.getFirst();
  String nonce = "";
  String subject = "subject-1";
  Instant now = Instant.EPOCH;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final HttpServer server;

  TestProvider() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::handle);
    server.start();
  }

  String issuer() {
    return "http://localhost:" + port();
  }

  int port() {
    return server.getAddress().getPort();
  }

  static RSAKey key(String id) {
    try {
      return new RSAKeyGenerator(2048).keyID(id).keyUse(KeyUse.SIGNATURE).generate();
    } catch (JOSEException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** The claims of somebody with that address. */
  void user(String who, String email, boolean verified) {
    subject = who;
    claims =
        builder ->
            builder
                .claim("email", email)
                .claim("email_verified", verified)
                .claim("hd", email.substring(email.indexOf('@') + 1))
                .claim("name", "Ada Lovelace");
  }

  /** An ID token as it would give it. */
  String idToken() {
    var builder =
        new JWTClaimsSet.Builder()
            .issuer(issuer())
            .subject(subject)
            .audience(CLIENT)
            .claim("nonce", nonce)
            .issueTime(Date.from(now))
            .expirationTime(Date.from(now.plusSeconds(300)));
    claims.accept(builder);
    try {
      var jwt = new SignedJWT(header.apply(signing), builder.build());
      jwt.sign(new RSASSASigner(signing));
      return token.apply(jwt.serialize());
    } catch (JOSEException failure) {
      throw new IllegalStateException(failure);
    }
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
  }

  private void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    if (path.equals("/keys")) {
      keyFetches.incrementAndGet();
    }
    if (path.equals("/token")) {
      tokenRequests.incrementAndGet();
    }
    if (silent.contains(path)) {
      awaitClosed(Duration.ofMinutes(1));
    }
    if (dripping.contains(path)) {
      drip(exchange);
    }
    Reply usual =
        switch (path) {
          case "/.well-known/openid-configuration" -> json(discovery());
          case "/keys" -> json(new JWKSet(List.copyOf(keys)).toPublicJWKSet().toString());
          case "/token" ->
              json(
                  "{\"access_token\":\"at\",\"token_type\":\"Bearer\",\"expires_in\":60,\"id_token\":\""
                      + idToken()
                      + "\"}");
          case "/userinfo" -> json(members(userInfo));
          default -> new Reply(404, "text/plain", "");
        };
    Reply reply = instead.getOrDefault(path, usual);
    byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", reply.contentType());
    if (reply.status() == 302) {
      exchange.getResponseHeaders().set("Location", issuer() + "/elsewhere");
    }
    exchange.sendResponseHeaders(reply.status(), body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private void drip(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, 0);
    do {
      exchange.getResponseBody().write(' ');
      exchange.getResponseBody().flush();
    } while (!awaitClosed(Duration.ofMillis(100)));
  }

  private boolean awaitClosed(Duration most) {
    try {
      return closed.await(most.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  private String discovery() {
    return members(
            Map.of(
                "issuer", issuer(),
                "authorization_endpoint", issuer() + "/authorize",
                "token_endpoint", issuer() + "/token",
                "userinfo_endpoint", issuer() + "/userinfo",
                "jwks_uri", issuer() + "/keys"))
        .replaceFirst(
            "\\}$",
            ",\"response_types_supported\":[\"code\"],\"subject_types_supported\":[\"public\"],"
                + "\"id_token_signing_alg_values_supported\":[\"RS256\"]}");
  }

  private static Reply json(String body) {
    return new Reply(200, "application/json", body);
  }

  private static String members(Map<String, String> values) {
    List<String> members = new ArrayList<>();
    values.forEach((name, value) -> {
      boolean bare = value.equals("true") || value.equals("false");
      members.add("\"" + name + "\":" + (bare ? value : "\"" + value + "\""));
    });
    return "{" + String.join(",", members) + "}";
  }
}
