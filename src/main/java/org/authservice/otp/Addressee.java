package org.authservice.otp;

import java.util.Optional;
import org.authservice.mail.Template;

/**
 * Whom a code is for.
 *
 * @param key the HMAC of the address, the same for all its spellings
 * @param mailbox where the mail goes; empty when nobody may get one, and then everything but the
 *     mail happens, so that a stranger learns nothing
 * @param userId the account
 * @param pendingId the registration that waits for its code
 * @param notice what is mailed instead of a code
 */
public record Addressee(
    String key,
    Optional<String> mailbox,
    Optional<Long> userId,
    Optional<String> pendingId,
    Optional<Template> notice) {

  /** An address that nobody here has. */
  public static Addressee nobody(String key) {
    return new Addressee(
        key, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** An account's address. */
  public static Addressee account(String key, String mailbox, long userId) {
    return new Addressee(
        key, Optional.of(mailbox), Optional.of(userId), Optional.empty(), Optional.empty());
  }

  /** The address of a registration that waits for its code. */
  public static Addressee pending(String key, String mailbox, String pendingId) {
    return new Addressee(
        key, Optional.of(mailbox), Optional.empty(), Optional.of(pendingId), Optional.empty());
  }

  /** The address of somebody who gets a notice, and no code, for what looks like a request. */
  public static Addressee notified(String key, String mailbox, Template notice) {
    return new Addressee(
        key, Optional.of(mailbox), Optional.empty(), Optional.empty(), Optional.of(notice));
  }
}
