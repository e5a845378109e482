package org.authservice.oidc;

import java.util.Optional;
import org.authservice.account.EmailAddress;
import org.authservice.account.Identity;

/**
 * Whom a provider vouches for.
 *
 * @param email the address there, if it is one
 * @param emailProven whether the provider's word that it is theirs counts here
 * @param name what they call themselves there, if it is a name that may be stored
 */
record Person(
    Identity identity, Optional<EmailAddress> email, boolean emailProven, Optional<String> name) {}
