package org.authservice.mail;

/** A way for mail to leave. */
public sealed interface Transport permits SmtpTransport, DevMailbox, NoTransport {

  /** How sending one mail can end. */
  sealed interface Outcome {
    /** The next hop has taken it. */
    record Sent() implements Outcome {}

    /** It will never be taken; the reason holds no address and no code. */
    record Refused(String reason) implements Outcome {}

    /** Another try may succeed. */
    record Failed(String reason) implements Outcome {}
  }

  /** Whether it can send anything at all. */
  boolean available();

  /** Sends one mail. */
  Outcome send(String id, String recipient, Letter letter);

  /** Nothing more to send for now: connections may be closed. */
  void idle();
}
