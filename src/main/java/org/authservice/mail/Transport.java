package org.authservice.mail;

import java.time.Instant;
import java.util.function.BooleanSupplier;

/** A way for mail to leave. */
public sealed interface Transport permits SmtpTransport, DevMailbox, NoTransport {

  /**
   * What is on the outside of a mail.
   *
   * @param id the mail's, the same however often it is tried
   * @param recipient one address
   * @param thread names the mails it stands with in a mailbox
   * @param expiresAt when it must not be handed over any more
   */
  record Envelope(String id, String recipient, String thread, Instant expiresAt) {}

  /** How sending one mail can end. */
  sealed interface Outcome {
    /** The next hop has taken it. */
    record Sent() implements Outcome {}

    /**
     * It will never be taken; the reason holds no address and no code.
     *
     * @param noSuchMailbox the server knows that nobody has the address
     */
    record Refused(String reason, boolean noSuchMailbox) implements Outcome {}

    /** Another try may succeed. */
    record Failed(String reason) implements Outcome {}

    /** It was not wanted any more, and was not handed over. */
    record Withdrawn() implements Outcome {}

    /** No mail can leave for now. */
    record Unreachable(String reason) implements Outcome {}
  }

  /** Whether it can send anything at all. */
  boolean available();

  /**
   * Sends one mail. May be called by several threads at once.
   *
   * @param wanted asked last, when all that remains is handing it over: reaching a server may take
   *     long enough for the account to be erased
   */
  Outcome send(Envelope envelope, Letter letter, BooleanSupplier wanted);

  /** Nothing more to send for now: connections may be closed. */
  void idle();
}
