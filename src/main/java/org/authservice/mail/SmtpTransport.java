package org.authservice.mail;

import java.time.Clock;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.authservice.operations.Tracing;
import org.authservice.settings.MailSettings;
import org.jspecify.annotations.Nullable;

/** Sends by SMTP. What speaks it is loaded with the first mail: the start does not wait for it. */
public final class SmtpTransport implements Transport {
  private final Supplier<SmtpSender> loader;
  private final String host;
  private final Tracing tracing;
  private @Nullable SmtpSender sender;

  /** Sends through that server. */
  public SmtpTransport(MailSettings.Smtp server, String from, Clock clock, Tracing tracing) {
    this.host = server.host();
    this.tracing = tracing;
    this.loader = () -> new SmtpSender(server, from, clock);
  }

  @Override
  public boolean available() {
    return true;
  }

  @Override
  public Outcome send(Envelope envelope, Letter letter, BooleanSupplier wanted) {
    return tracing.call(
        "SMTP send", Map.of("server.address", host), _ -> sender().send(envelope, letter, wanted));
  }

  @Override
  public synchronized void idle() {
    if (sender != null) {
      sender.closeIdle();
    }
  }

  private synchronized SmtpSender sender() {
    if (sender == null) {
      sender = loader.get();
    }
    return sender;
  }
}
