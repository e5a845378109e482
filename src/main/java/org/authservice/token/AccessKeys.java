package org.authservice.token;

import java.util.List;
import org.authservice.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** The keys of access tokens: shared secrets, or key pairs of the installation. */
public sealed interface AccessKeys permits SharedKeys, SigningKeys {
  /** The key that signs now. */
  JwsKey signer();

  /**
   * The keys that may have signed a token whose header says that.
   *
   * @param id the header's {@code kid}; {@code null} when it has none
   */
  List<JwsKey> candidates(@Nullable String id);

  /**
   * Another object once other keys are believed: what was verified before may not count any more.
   */
  Object trust();

  /** The public keys as JWKs (RFC 7517); none when the keys are shared secrets. */
  List<JsonObject> published();
}
