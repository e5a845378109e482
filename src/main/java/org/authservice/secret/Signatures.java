package org.authservice.secret;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;

/** Message authentication codes of one use, over a change of keys. */
public final class Signatures {
  private final Keyring keyring;
  private final List<Use> uses;

  record Use(Keyring.Key key, Hmac hmac) {}

  Signatures(Keyring keyring, List<Use> uses) {
    this.keyring = keyring;
    this.uses = uses;
  }

  /** The code over these parts under the current key, as 64 hexadecimal digits. */
  public String over(String... parts) {
    return uses.getFirst().hmac().over(parts);
  }

  /** The codes over these parts under every trusted key, the current first: for looking one up. */
  public List<String> candidates(String... parts) {
    return uses.stream()
        .filter(use -> keyring.trusts(use.key()))
        .map(use -> use.hmac().over(parts))
        .toList();
  }

  /** Whether a trusted key gives that code over these parts; compared in constant time. */
  public boolean match(String code, String... parts) {
    byte[] given = code.getBytes(StandardCharsets.UTF_8);
    return candidates(parts).stream()
        .anyMatch(right -> MessageDigest.isEqual(right.getBytes(StandardCharsets.UTF_8), given));
  }
}
