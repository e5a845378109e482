package org.authservice.settings;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Base64;
import java.util.Optional;
import org.authservice.secret.Secret;

/** Reads what concerns alarms. */
final class AlarmSettingsReader {
  private static final String URL = "SECURITY_WEBHOOK_URL";
  private static final String SECRET = "SECURITY_WEBHOOK_SECRET";
  private static final String ENCODED = "whsec_";
  private static final int LEAST_BYTES = 24;

  private final Source source;

  AlarmSettingsReader(Source source) {
    this.source = source;
  }

  AlarmSettings read(boolean production) {
    return new AlarmSettings(
        webhook(production),
        source.number("SUSPICIOUS_ACCOUNTS_PER_ADDRESS", 100, 0, 1000),
        source.number("SUSPICIOUS_ACCOUNTS_PER_PASSWORD", 20, 0, 1000));
  }

  private Optional<AlarmSettings.Webhook> webhook(boolean production) {
    Optional<String> url = source.text(URL);
    Optional<String> secret = source.text(SECRET);
    if (url.isPresent() != secret.isPresent()) {
      source.reject(url.isPresent() ? SECRET : URL, URL + " and " + SECRET + " go together");
      return Optional.empty();
    }
    Optional<URI> target = url.flatMap(it -> target(it, production));
    return secret
        .filter(this::strong)
        .flatMap(it -> target.map(to -> new AlarmSettings.Webhook(to, Secret.of(it))));
  }

  private Optional<URI> target(String text, boolean production) {
    try {
      var url = new URI(text);
      boolean http = "http".equals(url.getScheme()) && !production;
      if ((http || "https".equals(url.getScheme()))
          && url.getHost() != null
          && url.getUserInfo() == null
          && url.getFragment() == null) {
        return Optional.of(url);
      }
    } catch (URISyntaxException notAUrl) {
      // said below
    }
    source.reject(URL, production ? "it must be an https URL" : "it must be an http or https URL");
    return Optional.empty();
  }

  private boolean strong(String secret) {
    int bytes;
    try {
      bytes =
          secret.startsWith(ENCODED)
              ? Base64.getDecoder().decode(secret.substring(ENCODED.length())).length
              : Secret.of(secret).bytes().length;
    } catch (IllegalArgumentException notBase64) {
      bytes = 0;
    }
    if (bytes < LEAST_BYTES) {
      source.reject(
          SECRET, "it must have at least " + LEAST_BYTES + " bytes, or whsec_ and base64 of them");
    }
    return bytes >= LEAST_BYTES;
  }
}
