package org.authservice.mail;

import java.io.PrintStream;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Where mail goes in development without SMTP: to the terminal (not to the log, which holds no
 * codes) and into memory, for {@code /dev/mail}.
 */
public final class DevMailbox implements Transport {
  private static final int KEPT = 100;

  private final Deque<Delivered> mails = new ArrayDeque<>();
  private final PrintStream terminal;
  private final Clock clock;

  /** A mail that was delivered here. */
  public record Delivered(String id, String to, Letter letter, Instant sentAt) {}

  /** A mailbox that prints to that terminal. */
  public DevMailbox(PrintStream terminal, Clock clock) {
    this.terminal = terminal;
    this.clock = clock;
  }

  @Override
  public boolean available() {
    return true;
  }

  @Override
  public Outcome send(Envelope envelope, Letter letter, BooleanSupplier wanted) {
    if (!wanted.getAsBoolean()) {
      return new Outcome.Withdrawn();
    }
    take(envelope, letter);
    return new Outcome.Sent();
  }

  private synchronized void take(Envelope envelope, Letter letter) {
    mails.addFirst(new Delivered(envelope.id(), envelope.recipient(), letter, clock.instant()));
    while (mails.size() > KEPT) {
      mails.removeLast();
    }
    terminal.printf(
        "%n--- mail to %s%n--- %s%n%n%s---%n%n",
        envelope.recipient(), letter.subject(), letter.text());
    terminal.flush();
  }

  @Override
  public void idle() {}

  /** The mails, newest first. */
  public synchronized List<Delivered> mails() {
    return List.copyOf(mails);
  }
}
