package org.authservice.account;

/**
 * Who somebody is at an OpenID provider: never their address there, which may change hands.
 *
 * @param issuer the provider, exactly as its ID tokens name it
 * @param subject the provider's own name for the person, never given twice by that issuer
 * @param google whether it is the provider that the Python service knows as {@code users.google_id}
 */
public record Identity(String issuer, String subject, boolean google) {
  /** OpenID Connect Core 1.0, section 2: at most 255 ASCII characters. */
  public static final int MAX_SUBJECT_LENGTH = 255;

  /** Masked: who somebody is elsewhere is personal. */
  @Override
  public String toString() {
    return "Identity[" + issuer + "]";
  }
}
