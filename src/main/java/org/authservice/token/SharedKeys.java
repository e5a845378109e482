package org.authservice.token;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.authservice.json.JsonObject;
import org.authservice.secret.Keyring;
import org.authservice.settings.TokenSettings.Algorithm;
import org.jspecify.annotations.Nullable;

/**
 * The secret keys themselves, for an HS algorithm: services that hold them verify tokens on their
 * own. A key that is shorter than the algorithm demands is none of them.
 */
public final class SharedKeys implements AccessKeys {
  private final Keyring keyring;
  private final Map<String, JwsKey> keys;

  /** The node's secret keys, for that algorithm. */
  public SharedKeys(Keyring keyring, Algorithm algorithm) {
    this.keyring = keyring;
    this.keys =
        keyring.all().stream()
            .filter(key -> key.secret().bytes().length >= algorithm.leastKeyBytes())
            .map(key -> JwsKey.Hmac.of(key.id(), algorithm, key.secret().bytes()))
            .collect(Collectors.toUnmodifiableMap(JwsKey::id, Function.identity()));
  }

  @Override
  public JwsKey signer() {
    return Objects.requireNonNull(keys.get(keyring.current().id())); // settings hold it long enough
  }

  /** The key that the header names, or else any: services that hold the secret may not name it. */
  @Override
  public List<JwsKey> candidates(@Nullable String id) {
    List<JwsKey> trusted =
        keyring.trusted().stream().flatMap(key -> Stream.ofNullable(keys.get(key.id()))).toList();
    List<JwsKey> named = trusted.stream().filter(key -> key.id().equals(id)).toList();
    return named.isEmpty() ? trusted : named;
  }

  @Override
  public Object trust() {
    return keyring.distrusted();
  }

  @Override
  public List<JsonObject> published() {
    return List.of();
  }
}
