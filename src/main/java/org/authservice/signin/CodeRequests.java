package org.authservice.signin;

import java.time.Duration;
import java.util.Optional;
import org.authservice.account.EmailAddress;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.http.Client;
import org.authservice.mail.Outbox;
import org.authservice.otp.Otps;
import org.authservice.otp.Purpose;

/** Asking for a code by mail. An address nobody has is answered, and charged, like any other. */
public final class CodeRequests {
  private final Directory directory;
  private final Otps otps;
  private final Outbox outbox;
  private final SecurityEvents events;

  CodeRequests(Directory directory, Otps otps, Outbox outbox, SecurityEvents events) {
    this.directory = directory;
    this.otps = otps;
    this.outbox = outbox;
    this.events = events;
  }

  /** How asking can end. */
  public sealed interface Outcome {
    /** A code is on its way, if anybody has that address. */
    record Sent(String otpId) implements Outcome {}

    /** Too soon, or too many. */
    record TooMany(Duration retryAfter) implements Outcome {}

    /** This installation sends no mail. */
    record MailUnavailable() implements Outcome {}
  }

  /** Asks for a code. */
  public Outcome request(EmailAddress email, Purpose purpose, Client client) {
    if (!outbox.available()) {
      return new Outcome.MailUnavailable();
    }
    var entry = directory.look(email, client);
    var addressee = directory.addressee(entry, purpose);
    return otps.send(
        addressee,
        purpose,
        client,
        entry.deviceId(),
        (tx, sending) ->
            switch (sending) {
              case Otps.Sending.Sent(var otpId) -> {
                events.record(tx, event(SecurityEvent.OK, entry.userId(), client));
                yield new Outcome.Sent(otpId);
              }
              case Otps.Sending.TooMany(var wait) -> {
                events.record(tx, event("otp_rate_limited", entry.userId(), client));
                yield new Outcome.TooMany(wait);
              }
            });
  }

  private static SecurityEvent event(String outcome, Optional<Long> userId, Client client) {
    return SecurityEvent.refused(SecurityEvent.Type.CODE_REQUEST, outcome, userId, client);
  }
}
