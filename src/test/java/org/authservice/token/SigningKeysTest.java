package org.authservice.token;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.crypto.factories.DefaultJWSVerifierFactory;
import com.nimbusds.jose.jwk.AsymmetricJWK;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.authservice.testing.Databases;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Access tokens under key pairs: made, published, rotated, revoked. */
class SigningKeysTest extends HttpTest {
  private static final List<String> ALGORITHMS = List.of("RS256", "ES256", "EdDSA");
  private static final String JWKS = "/.well-known/jwks.json";

  private TestService signingWith(String algorithm) {
    return TestService.with(engine)
        .set("ALGORITHM", algorithm)
        .set("PUBLIC_BASE_URL", "http://localhost:8000")
        .start();
  }

  @Test
  void anyResourceServerCanVerifyATokenWithThePublishedKeys() throws Exception {
    for (String algorithm : ALGORITHMS) {
      try (var signing = signingWith(algorithm)) {
        String token = signing.verified(ADA).text("access_token");
        signing.profile(token).expect(200);

        var jwt = SignedJWT.parse(token);
        assertThat(jwt.getHeader().getAlgorithm().getName()).isEqualTo(algorithm);
        assertThat(jwt.getHeader().getType().getType()).isEqualTo("at+jwt");
        assertThat(jwt.getJWTClaimsSet().getJWTID()).matches("[0-9a-f]{32}");
        assertThat(jwt.getJWTClaimsSet().getAudience()).containsExactly("http://localhost:8000");
        JWK key = published(signing).getKeyByKeyId(jwt.getHeader().getKeyID());
        assertThat(verifies(jwt, key)).isTrue();
      }
    }
  }

  @Test
  void noSymmetricAndNoPrivateKeyIsPublished() throws Exception {
    assertThat(service.get(JWKS).expect(200).http().body()).isEqualTo("{\"keys\":[]}");
    for (String algorithm : ALGORITHMS) {
      try (var signing = signingWith(algorithm)) {
        assertThat(published(signing).getKeys())
            .hasSize(1)
            .allSatisfy(key -> {
              assertThat(key.isPrivate()).isFalse();
              assertThat(key).isInstanceOf(AsymmetricJWK.class);
              assertThat(key.getAlgorithm().getName()).isEqualTo(algorithm);
            });
      }
    }
  }

  @Test
  void publishedKeysAreCacheable() {
    Reply first = service.get(JWKS).expect(200);

    assertThat(first.header("Cache-Control")).contains("public, max-age=300");
    String tag = first.header("ETag").orElseThrow();
    Reply again = service.get(JWKS, "If-None-Match", tag).expect(304);
    assertThat(again.http().body()).isEmpty();
    Reply discovery = service.get("/.well-known/openid-configuration").expect(200);
    assertThat(discovery.text("issuer")).isEqualTo(service.service().publicBaseUrl().toString());
    assertThat(discovery.text("jwks_uri")).endsWith(JWKS);
  }

  @Test
  void confusedAndForgedTokensAreRefusedUnderEveryAlgorithm() throws Exception {
    for (String algorithm : ALGORITHMS) {
      try (var signing = signingWith(algorithm)) {
        Reply tokens = signing.verified(ADA);
        String token = tokens.text("access_token");
        String[] parts = token.split("\\.");
        String kid = SignedJWT.parse(token).getHeader().getKeyID();
        JWK key = published(signing).getKeyByKeyId(kid);
        byte[] publicKey =
            algorithm.equals("EdDSA")
                ? key.toOctetKeyPair().getDecodedX()
                : ((AsymmetricJWK) key).toPublicKey().getEncoded();
        String other = algorithm.equals("RS256") ? "ES256" : "RS256";
        List<String> bad =
            List.of(
                part("{'alg':'none','typ':'at+jwt','kid':'" + kid + "'}") + "." + parts[1] + ".",
                hmac("{'alg':'HS256','typ':'at+jwt','kid':'" + kid + "'}", parts[1], publicKey),
                hmac(
                    "{'alg':'HS256','typ':'at+jwt'}",
                    parts[1],
                    "a-key-for-tests-0123456789abcdefghijkl".getBytes(StandardCharsets.UTF_8)),
                part("{'alg':'" + other + "','typ':'at+jwt','kid':'" + kid + "'}")
                    + "."
                    + parts[1]
                    + "."
                    + parts[2],
                part("{'alg':'" + algorithm + "','typ':'at+jwt','kid':'nobody'}")
                    + "."
                    + parts[1]
                    + "."
                    + parts[2],
                parts[0] + "." + parts[1] + "." + "A".repeat(parts[2].length()),
                tokens.text("refresh_token"));
        for (String forged : bad) {
          signing.profile(forged).expect(401, "token_invalid");
        }
        signing.refresh(token).expect(401, "refresh_token_invalid");
      }
    }
  }

  @Test
  void aKeyIsPublishedAnHourBeforeItSignsAndVerifiesUntilItsLastTokenIsDead() throws Exception {
    try (var signing = signingWith("ES256")) {
      String refresh = signing.verified(ADA).text("refresh_token");
      String first = kidOf(signing.refresh(refresh).text("access_token"));
      var clock = signing.clock();

      clock.advance(Duration.ofDays(90).minusMinutes(61));
      signing.service().worker("signing-keys").runOnce();
      assertThat(published(signing).getKeys()).hasSize(1);
      clock.advance(Duration.ofMinutes(2));
      signing.service().worker("signing-keys").runOnce();
      assertThat(published(signing).getKeys()).hasSize(2);
      String token = signing.login(ADA, TestService.PASSWORD).text("access_token");
      assertThat(kidOf(token)).isEqualTo(first);

      clock.advance(Duration.ofHours(1));
      Reply renewed = signing.login(ADA, TestService.PASSWORD).expect(200);
      assertThat(kidOf(renewed.text("access_token"))).isNotEqualTo(first);

      clock.advance(Duration.ofDays(2));
      signing.service().worker("signing-keys").runOnce();
      assertThat(published(signing).getKeys())
          .extracting(JWK::getKeyID)
          .containsExactly(kidOf(renewed.text("access_token")));
    }
  }

  @Test
  void aRotationNowSignsAtOnceAndKeepsOlderTokensGood() {
    try (var signing = signingWith("EdDSA")) {
      Reply before = signing.verified(ADA);

      signing.clock().advance(Duration.ofSeconds(1));
      signing.signingKeys().rotate(true);
      signing.service().worker("signing-keys").runOnce();

      Reply after = signing.refresh(before.text("refresh_token")).expect(200);
      assertThat(kidOf(after.text("access_token")))
          .isNotEqualTo(kidOf(before.text("access_token")));
      signing.profile(before.text("access_token")).expect(200);
      signing.profile(after.text("access_token")).expect(200);
    }
  }

  @Test
  void aRevokedKeyEndsItsTokensAndAnotherSignsAtOnce() {
    try (var signing = signingWith("ES256")) {
      Reply before = signing.verified(ADA);
      signing.profile(before.text("access_token")).expect(200);

      signing.signingKeys().revoke(kidOf(before.text("access_token")));
      signing.service().worker("signing-keys").runOnce();

      signing.profile(before.text("access_token")).expect(401, "token_invalid");
      Reply after = signing.refresh(before.text("refresh_token")).expect(200);
      signing.profile(after.text("access_token")).expect(200);
    }
  }

  @Test
  @Tag("one-node")
  void anotherNodeTakesAKeyThatSignsAtOnceWithoutWaiting() {
    try (TestDatabase shared = engine.migrated();
        var one = node(shared, "ES256").start();
        var other = node(shared, "ES256").clock(one.clock()).start()) {
      String refresh = one.verified(ADA).text("refresh_token");
      one.clock().advance(Duration.ofSeconds(1));
      one.signingKeys().rotate(true);
      one.service().worker("signing-keys").runOnce();

      String token = one.refresh(refresh).text("access_token");

      other.clock().advance(Duration.ofSeconds(2));
      other.profile(token).expect(200);
    }
  }

  @Test
  void racingNodesMakeOneKey() {
    try (TestDatabase shared = Databases.POSTGRES.migrated()) {
      List<TestService> nodes = TestService.parallel(4, () -> node(shared, "ES256").start());
      try {
        assertThat(shared.column("SELECT kid FROM signing_keys")).hasSize(1);
      } finally {
        nodes.forEach(TestService::close);
      }
    }
  }

  @Test
  void changingTheAlgorithmEndsAccessTokensAndNoSession() {
    try (TestDatabase shared = engine.migrated()) {
      Reply before;
      try (var shared256 = node(shared, "HS256").start()) {
        before = shared256.verified(ADA);
      }
      try (var pair = node(shared, "RS256").start()) {
        pair.profile(before.text("access_token")).expect(401, "token_invalid");
        Reply after = pair.refresh(before.text("refresh_token")).expect(200);
        pair.profile(after.text("access_token")).expect(200);
      }
    }
  }

  @Test
  void privateKeysAreNotReadableInTheDatabase() {
    try (TestDatabase shared = engine.migrated();
        var signing = node(shared, "RS256").start()) {
      signing.verified(ADA);
      // PKCS #8 of an RSA key names its algorithm by these bytes.
      String column =
          engine == Databases.SQLITE ? "hex(private_key)" : "encode(private_key, 'hex')";
      assertThat(shared.column("SELECT " + column + " FROM signing_keys"))
          .hasSize(1)
          .noneMatch(hex -> hex.toString().toUpperCase().contains("2A864886F70D010101"));
    }
  }

  private static TestService.Builder node(TestDatabase database, String algorithm) {
    return TestService.with(database)
        .set("ALGORITHM", algorithm)
        .set("PUBLIC_BASE_URL", "http://localhost:8000");
  }

  private static JWKSet published(TestService signing) throws java.text.ParseException {
    return JWKSet.parse(signing.get(JWKS).expect(200).http().body());
  }

  /** With the JDK, as Nimbus would need another library for Ed25519. */
  private static boolean verifies(SignedJWT jwt, JWK key) throws Exception {
    if (key.getAlgorithm().getName().equals("EdDSA")) {
      byte[] raw = key.toOctetKeyPair().getDecodedX();
      byte[] prefix = java.util.HexFormat.of().parseHex("302a300506032b6570032100");
      byte[] encoded = java.util.Arrays.copyOf(prefix, prefix.length + raw.length);
      System.arraycopy(raw, 0, encoded, prefix.length, raw.length);
      var signature = java.security.Signature.getInstance("Ed25519");
      signature.initVerify(
          java.security.KeyFactory.getInstance("Ed25519")
              .generatePublic(new java.security.spec.X509EncodedKeySpec(encoded)));
      signature.update(jwt.getSigningInput());
      return signature.verify(jwt.getSignature().decode());
    }
    return jwt.verify(
        new DefaultJWSVerifierFactory()
            .createJWSVerifier(jwt.getHeader(), ((AsymmetricJWK) key).toPublicKey()));
  }

  private static String kidOf(String token) {
    try {
      return SignedJWT.parse(token).getHeader().getKeyID();
    } catch (java.text.ParseException notOne) {
      throw new AssertionError(notOne);
    }
  }

  private static String part(String json) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  private static String hmac(String header, String claims, byte[] key) throws Exception {
    String input = part(header) + "." + claims;
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    byte[] signature = mac.doFinal(input.getBytes(StandardCharsets.US_ASCII));
    return input + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature);
  }
}
