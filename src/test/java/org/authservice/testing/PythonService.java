package org.authservice.testing;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.Objects;

/**
 * What the Python service leaves behind: its tables as SQLAlchemy writes them, four accounts, and
 * tokens for account 1. The passwords belong to the hashes in {@code python-service/rows.sql}.
 */
public final class PythonService {
  /** The key its tokens are signed with. */
  public static final String SECRET_KEY = "adopted-service-secret-key-0123456789abcdef";

  /** ada@example.com */
  public static final String ADA_PASSWORD = "Correct-Horse7!";

  /** grace@example.com */
  public static final String GRACE_PASSWORD = "Pässwörd9$ü";

  /** long@example.com: 70 bytes. */
  public static final String LONG_PASSWORD = "Aa1!" + "x".repeat(66);

  /** oauth@example.com has no password. */
  public static final String OAUTH_GOOGLE_ID = "108765432109876543210";

  /** For account 1, until 2035-01-01T00:00:00Z (2051222400). */
  public static final String ACCESS_TOKEN =
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjIwNTEyMjI0MDAsInN1YiI6IjEifQ"
          + ".kstut_LRtZMktjbBBC_o5G5EKvVFwMrPC-rO-0dY26U";

  /** For account 1, until 2035-01-01T00:00:00Z (2051222400). */
  public static final String REFRESH_TOKEN =
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjIwNTEyMjI0MDAsInN1YiI6IjEiLCJqdGkiOiIw"
          + "ZjhmYWQ1YmQ5Y2I0NjlmYTE2NTcwODY3NzI4OTUwZSJ9"
          + ".D1K9hm83H6xb0WOgBnLkEq0mYFlZRs6BSjPGxkZ9A_Q";

  /** The {@code jti} of {@link #REFRESH_TOKEN}. */
  public static final String REFRESH_JTI = "0f8fad5bd9cb469fa16570867728950e";

  private PythonService() {}

  /** A refresh token as it makes them, until 2035. */
  public static String refreshToken(long userId, String jti) throws JOSEException {
    var claims =
        new JWTClaimsSet.Builder()
            .subject(Long.toString(userId))
            .jwtID(jti)
            .expirationTime(Date.from(Instant.parse("2035-01-01T00:00:00Z")))
            .build();
    var header = new JWSHeader.Builder(JWSAlgorithm.HS256).type(JOSEObjectType.JWT).build();
    var jwt = new SignedJWT(header, claims);
    jwt.sign(new MACSigner(SECRET_KEY));
    return jwt.serialize();
  }

  /** Makes its tables and rows. */
  static void fill(TestDatabase database, Databases engine) {
    String tables =
        switch (engine) {
          case SQLITE -> "sqlite.sql";
          case POSTGRES -> "postgresql.sql";
        };
    database.execute(resource(tables) + "\n" + resource("rows.sql"));
  }

  private static String resource(String name) {
    try (InputStream stream =
        PythonService.class.getClassLoader().getResourceAsStream("python-service/" + name)) {
      return new String(
          Objects.requireNonNull(stream, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
