package org.authservice.settings;

/**
 * How accounts come to be.
 *
 * @param loginRequiresVerifiedEmail {@code LOGIN_REQUIRES_VERIFIED_EMAIL}
 * @param privacy {@code REGISTRATION_PRIVACY}
 * @param stepUp whether {@code STEP_UP} is {@code suspicious}: a password alone signs in known
 *     devices only
 */
public record RegistrationSettings(
    boolean loginRequiresVerifiedEmail, boolean privacy, boolean stepUp) {}
