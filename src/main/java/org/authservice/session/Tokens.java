package org.authservice.session;

import java.time.Duration;
import org.authservice.account.Profile;
import org.authservice.json.JsonObject;
import org.authservice.secret.Secret;

/**
 * What a sign-in or a refresh gives to the client.
 *
 * @param expiresIn how long the access token lives
 * @param refreshExpiresIn how long the session lives if it is not used
 * @param deviceToken marks the device as one that has signed in
 */
public record Tokens(
    Secret accessToken,
    Secret refreshToken,
    Duration expiresIn,
    Duration refreshExpiresIn,
    Secret deviceToken,
    Profile user) {

  /** As clients see it. */
  public JsonObject json() {
    return JsonObject.of("access_token", accessToken.reveal())
        .put("refresh_token", refreshToken.reveal())
        .put("token_type", "bearer")
        .put("expires_in", expiresIn.toSeconds())
        .put("refresh_expires_in", refreshExpiresIn.toSeconds())
        .put("device_token", deviceToken.reveal())
        .put("user", user.json());
  }
}
