package org.authservice;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.authservice.operations.SecretKeys;
import org.authservice.operations.Sweep;
import org.authservice.secret.Keyring;
import org.authservice.token.SigningKeys;

/**
 * What an operator can do to keys.
 *
 * @param keyring this node's secret keys
 * @param secretKeys those that the installation needs
 * @param signingKeys the key pairs; none while the secret key itself signs
 */
public record KeyAdministration(
    Keyring keyring, SecretKeys secretKeys, Optional<SigningKeys> signingKeys) {

  /** What clean-up may delete. */
  List<Sweep> sweeps() {
    return Stream.concat(
            secretKeys.sweeps().stream(),
            signingKeys.map(SigningKeys::sweeps).stream().flatMap(List::stream))
        .toList();
  }
}
