package org.authservice.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.authservice.secret.Secrets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
  @TempDir Path folder;

  /** Fingerprints of these texts are kept, and nodes of other versions compare them. */
  @Test
  void whatIsWatchedReadsAsItsRecordsDo() {
    Settings settings =
        SettingsReader.read(
                Map.of(
                    "SMTP_HOST", "mail.example.com",
                    "MAIL_FROM", "Example <no-reply@example.com>",
                    "MAIL_BRAND_NAME", "Example",
                    "SECURITY_WEBHOOK_URL", "https://alarms.example.com/",
                    "SECURITY_WEBHOOK_SECRET", "0123456789abcdef0123456789abcdef"),
                folder,
                Secrets.secure())
            .settings();

    assertThat(settings.watched("http://localhost"))
        .containsEntry("session settings", settings.sessions().toString())
        .containsEntry("OTP settings", settings.codes().toString())
        .containsEntry("password settings", settings.passwords().toString())
        .containsEntry("registration settings", settings.registration().toString())
        .containsEntry("provider settings", settings.providers().toString())
        .containsEntry("alarm settings", settings.alarms().toString())
        .containsEntry("mail settings", settings.mail().toString());
  }
}
