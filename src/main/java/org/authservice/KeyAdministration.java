package org.authservice;

import java.util.Optional;
import org.authservice.operations.SecretKeys;
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
    Keyring keyring, SecretKeys secretKeys, Optional<SigningKeys> signingKeys) {}
