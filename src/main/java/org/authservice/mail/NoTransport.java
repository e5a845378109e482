package org.authservice.mail;

import java.util.function.BooleanSupplier;

/** Production without {@code SMTP_HOST}: no mail leaves. */
public final class NoTransport implements Transport {
  /** The absence of a transport. */
  public NoTransport() {}

  @Override
  public boolean available() {
    return false;
  }

  @Override
  public Outcome send(Envelope envelope, Letter letter, BooleanSupplier wanted) {
    return new Outcome.Unreachable("SMTP_HOST is not set");
  }

  @Override
  public void idle() {}
}
