package org.authservice.token;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.crypto.MACSigner;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class TokenAttackTest extends HttpTest {

  private static final String KEY = "a-key-for-tests-0123456789abcdefghijkl";

  @Test
  void tokensThatAreNotOursAreRefused() throws JOSEException {
    String good = service.verified(ADA).text("access_token");
    String[] parts = good.split("\\.");
    String header = "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}";
    String claims = decoded(parts[1]);
    service.profile(signed(header, claims, KEY)).expect(200);

    List<String> bad =
        List.of(
            base64("{\"alg\":\"none\",\"typ\":\"at+jwt\"}") + "." + parts[1] + ".",
            base64("{\"alg\":\"NoNe\",\"typ\":\"at+jwt\"}") + "." + parts[1] + "." + parts[2],
            signed(header, claims, "another-key-0123456789abcdefghijklmnop"),
            signed("{\"alg\":\"HS512\",\"typ\":\"at+jwt\"}", claims, KEY + KEY),
            signed("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", claims, KEY),
            signed("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"crit\":[\"x\"],\"x\":1}", claims, KEY),
            signed("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"b64\":false}", claims, KEY),
            signed("{\"alg\":\"HS256\",\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", claims, KEY),
            signed(header, claims.replace("\"iss\"", "\"ISS\""), KEY),
            signed(header, claims.replace("localhost", "evil.example"), KEY),
            signed(header, claims.replaceFirst("\"exp\":\\d+,", ""), KEY),
            signed(header, claims.replaceFirst("\"exp\":\\d+", "\"exp\":1"), KEY),
            signed(header, claims.replaceFirst("\"iat\":\\d+", "\"iat\":99999999999"), KEY),
            signed(header, claims.replaceFirst("}$", ",\"nbf\":99999999999}"), KEY),
            signed(header, claims.replaceFirst("}$", ",\"aud\":\"other\"}"), KEY),
            signed(header, claims.replaceFirst("}$", ",\"sub\":\"2\"}"), KEY),
            signed(header, claims.replaceFirst("\"sub\":\"", "\"sub\":\"0"), KEY),
            signed(header, claims.replaceFirst("\"sub\":\"", "\"sub\":\"+"), KEY),
            signed(header, claims.replaceFirst("\"sub\":\"", "\"sub\":\"-"), KEY),
            signed(header, claims.replaceFirst("\"sub\":\"", "\"sub\":\"9" + "0".repeat(20)), KEY),
            signed(header, claims.replaceFirst("\"sub\":\"\\d+\"", "\"sub\":\"\u0661\""), KEY),
            signed(header, "{\"a\":" + "[".repeat(500) + "]".repeat(500) + "}", KEY),
            signed(
                header, claims.replaceFirst("}$", ",\"pad\":\"" + "x".repeat(9000) + "\"}"), KEY),
            parts[0] + "." + parts[1],
            parts[0] + "." + parts[1] + "." + parts[2] + ".x.y",
            good + "=",
            respelt(good),
            good.substring(0, good.length() - 4),
            "",
            ".",
            "..",
            "x".repeat(9000));
    for (String token : bad) {
      Reply reply = service.profile(token);
      assertThat(reply.status()).as(token).isEqualTo(401);
      assertThat(reply.text("code")).isEqualTo("token_invalid");
    }
    service.profile(good).expect(200);
  }

  /** Whoever holds the key must not make two tokens of one either; spaces move the parts' ends. */
  @Test
  void aPartThatIsSpeltOtherwiseIsRefusedThoughItIsSigned() throws GeneralSecurityException {
    String[] parts = service.verified(ADA).text("access_token").split("\\.");
    int respellings = 0;
    for (String spaces : List.of("", " ", "  ")) {
      String header = base64(decoded(parts[0]) + spaces);
      String claims = base64(decoded(parts[1]) + spaces);
      service.profile(mac(header + "." + claims, KEY)).expect(200);
      if (header.length() % 4 > 0) {
        service.profile(mac(respelt(header) + "." + claims, KEY)).expect(401, "token_invalid");
        respellings++;
      }
      if (claims.length() % 4 > 0) {
        service.profile(mac(header + "." + respelt(claims), KEY)).expect(401, "token_invalid");
        respellings++;
      }
    }
    assertThat(respellings).isEqualTo(4);
  }

  /** The fastest of five tells the work apart from a busy machine. */
  @Test
  void hostileTokensAreRefusedInLessThanFiftyMilliseconds() throws JOSEException {
    String header = "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}";
    String deep = "[".repeat(2900) + "]".repeat(2900);
    List<String> hostile =
        List.of(
            base64("{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"zip\":\"DEF\"}") + "..x.y.z",
            signed("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"zip\":\"DEF\"}", "{}", KEY),
            signed("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"b64\":false}", "{}", KEY),
            signed(header, "{" + "\"a\":1,".repeat(800) + "\"a\":1}", KEY),
            signed(header, "{\"a\":" + deep + "}", KEY),
            base64(deep) + "." + base64(deep) + ".x",
            "a.".repeat(4000),
            "x".repeat(8200));
    for (String token : hostile) {
      long fastest = Long.MAX_VALUE;
      for (int i = 0; i < 5; i++) {
        long start = System.nanoTime();
        service.profile(token).expect(401, "token_invalid");
        fastest = Math.min(fastest, System.nanoTime() - start);
      }
      assertThat(Duration.ofNanos(fastest)).as(token).isLessThan(Duration.ofMillis(50));
    }
  }

  @Test
  void keysNamedInAHeaderAreIgnored() throws JOSEException {
    String claims = decoded(service.verified(ADA).text("access_token").split("\\.")[1]);
    String another = "another-key-0123456789abcdefghijklmnop";
    List<String> named =
        List.of(
            "\"jku\":\"http://evil.example/keys\"",
            "\"x5u\":\"http://evil.example/certificate\"",
            "\"jwk\":{\"kty\":\"oct\",\"k\":\"" + base64(another) + "\"}",
            "\"x5c\":[\"" + base64(another) + "\"]",
            "\"kid\":\"../../etc/passwd\"",
            "\"kid\":\"x' OR '1'='1\"");
    for (String parameter : named) {
      String header = "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"," + parameter + "}";

      service.profile(signed(header, claims, KEY)).expect(200);
      service.profile(signed(header, claims, another)).expect(401, "token_invalid");
    }
  }

  /** An adopted service's short key verifies that service's tokens only. */
  @Test
  void aShortPreviousKeyMakesNoAccessTokens() throws GeneralSecurityException, JOSEException {
    String shortKey = "short-key-of-an-adopted-service";
    try (var adopted =
        TestService.with(engine)
            .set("SECRET_KEY_PREVIOUS", shortKey)
            .set("LEGACY_TOKENS", "2035-01-01T00:00:00Z")
            .start()) {
      String claims = decoded(adopted.verified(ADA).text("access_token").split("\\.")[1]);
      String header = "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}";
      adopted.profile(signed(header, claims, KEY)).expect(200);

      adopted.profile(mac(header, claims, shortKey)).expect(401, "token_invalid");
    }
  }

  @Test
  void theAudienceIsDemandedWhenItIsSet() throws JOSEException {
    try (var strict =
        TestService.with(engine).set("JWT_AUDIENCE", "https://api.example.com").start()) {
      String token = strict.verified(ADA).text("access_token");
      String claims = decoded(token.split("\\.")[1]);
      assertThat(claims).contains("\"aud\":\"https://api.example.com\"");
      strict.profile(token).expect(200);
      strict
          .profile(
              signed(
                  "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}",
                  claims.replace("api.example", "other.example"),
                  KEY))
          .expect(401, "token_invalid");
      String audience = "\"aud\":\"https://api.example.com\"";
      for (String other : List.of("\"x\":1", "\"aud\":[\"https://other.example\"]", "\"aud\":7")) {
        strict
            .profile(
                signed(
                    "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", claims.replace(audience, other), KEY))
            .expect(401, "token_invalid");
      }
    }
  }

  /** The rules of python-jose and of the Python service, restated. */
  @Test
  void thePythonServiceTakesTheAccessTokenForOneAndNotForARefreshToken() throws JOSEException {
    String token = service.verified(ADA).text("access_token");
    String[] parts = token.split("\\.");
    String claims = decoded(parts[1]);

    assertThat(signed(decoded(parts[0]), claims, KEY)).isEqualTo(token);
    assertThat(decoded(parts[0])).contains("\"alg\":\"HS256\"");
    assertThat(claims).containsPattern("\"sub\":\"[0-9]+\"").containsPattern("\"exp\":[0-9]+");
    assertThat(claims).doesNotContain("\"aud\"");
    assertThat(claims).doesNotContain("\"jti\"");
  }

  private static String signed(String header, String claims, String key) throws JOSEException {
    String input = base64(header) + "." + base64(claims);
    var signer = new MACSigner(key.getBytes(StandardCharsets.UTF_8));
    var algorithm =
        header.contains("HS512")
            ? com.nimbusds.jose.JWSAlgorithm.HS512
            : com.nimbusds.jose.JWSAlgorithm.HS256;
    return input
        + "."
        + signer.sign(
            new com.nimbusds.jose.JWSHeader(algorithm), input.getBytes(StandardCharsets.US_ASCII));
  }

  private static String mac(String header, String claims, String key)
      throws GeneralSecurityException {
    return mac(base64(header) + "." + base64(claims), key);
  }

  /** The library refuses keys that are too short, and other spellings of a part. */
  private static String mac(String input, String key) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
    return input + "." + base64(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));
  }

  /** With other bits in the last character that no byte is made of. */
  private static String respelt(String base64) {
    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int last = base64.length() - 1;
    return base64.substring(0, last) + alphabet.charAt(alphabet.indexOf(base64.charAt(last)) + 1);
  }

  private static String base64(String text) {
    return base64(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static String decoded(String base64) {
    return new String(Base64.getUrlDecoder().decode(base64), StandardCharsets.UTF_8);
  }
}
