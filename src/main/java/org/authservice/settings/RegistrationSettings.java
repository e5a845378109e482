package org.authservice.settings;

/**
 * How accounts come to be.
 *
 * @param loginRequiresVerifiedEmail {@code LOGIN_REQUIRES_VERIFIED_EMAIL}
 * @param privacy {@code REGISTRATION_PRIVACY}
 */
public record RegistrationSettings(boolean loginRequiresVerifiedEmail, boolean privacy) {}
