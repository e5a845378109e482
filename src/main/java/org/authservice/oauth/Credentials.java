package org.authservice.oauth;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * A client's id and the secret it gave for it.
 *
 * @param id the client's id, as it claims
 * @param secret what it offers as proof
 */
record Credentials(String id, Secret secret) {
  private static final String BASIC = "Basic ";

  /** What stands in the body ({@code client_secret_post}); a secret alone names nobody. */
  static List<Credentials> posted(Optional<String> id, Optional<String> secret) {
    return id.isPresent() && secret.isPresent()
        ? List.of(new Credentials(id.get(), Secret.of(secret.get())))
        : List.of();
  }

  /**
   * What an Authorization header says ({@code client_secret_basic}), in each way it can be read:
   * RFC 6749, section 2.3.1, has id and secret form-encoded first, and many clients leave that out.
   * The two differ only where there is a {@code +} or {@code %}.
   */
  static List<Credentials> basic(String header) {
    if (!header.regionMatches(true, 0, BASIC, 0, BASIC.length())) {
      return List.of();
    }
    try {
      byte[] decoded = Base64.getDecoder().decode(header.substring(BASIC.length()).strip());
      String pair = new String(decoded, StandardCharsets.UTF_8);
      int colon = pair.indexOf(':');
      if (colon < 1) {
        return List.of();
      }
      List<Credentials> readings = new ArrayList<>();
      readings.add(of(pair.substring(0, colon), pair.substring(colon + 1)));
      if (pair.indexOf('+') >= 0 || pair.indexOf('%') >= 0) {
        readings.add(of(unescaped(pair.substring(0, colon)), unescaped(pair.substring(colon + 1))));
      }
      return readings;
    } catch (IllegalArgumentException undecodable) {
      return List.of();
    }
  }

  private static Credentials of(String id, String secret) {
    return new Credentials(id, Secret.of(secret));
  }

  /** As it stands when it is not form-encoded. */
  private static String unescaped(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException plain) {
      return text;
    }
  }
}
