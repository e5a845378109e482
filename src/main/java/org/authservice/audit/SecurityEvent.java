package org.authservice.audit;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.authservice.http.Client;

/**
 * Something that happened to credentials or sessions.
 *
 * @param type what was tried
 * @param outcome {@code ok}, or the reason it failed
 * @param userId whom it concerns; empty when there is no such account
 * @param sessionId the session, when there is one
 * @param client who asked
 */
public record SecurityEvent(
    Type type, String outcome, Optional<Long> userId, Optional<String> sessionId, Client client) {

  /** The outcome of what succeeded. */
  public static final String OK = "ok";

  /** Who acts by {@code bin/auth}. */
  public static final Client OPERATOR = new Client("", "bin/auth", Optional.empty(), "bin-auth");

  /** What was tried. */
  public enum Type {
    REGISTRATION,
    LOGIN,
    CODE_REQUEST,
    CODE_CHECK,
    PASSWORD_RESET,
    PASSWORD_CHANGE,
    MAILBOX_PROOF,
    CLIENT_AUTHENTICATION,
    TOKEN_REVOKED,
    PROVIDER_LOGIN,
    IDENTITY_LINK,
    IDENTITY_UNLINK,
    EXCHANGE,
    SESSION_OPENED,
    SESSION_ENDED,
    SESSION_REUSED,
    SESSION_ROLLED_FORWARD,
    SESSION_SHARED,
    NEW_DEVICE,
    NEW_NETWORK,
    MANY_ACCOUNTS_FROM_ONE_ADDRESS,
    ONE_PASSWORD_ON_MANY_ACCOUNTS,
    ACCOUNT_CREATED,
    ACCOUNT_DEACTIVATED,
    ACCOUNT_REACTIVATED,
    ACCOUNT_DELETED,
    ACCOUNT_SIGNED_OUT,
    OPERATOR_READ,
    SETTING_CHANGED,
    SIGNING_KEY_MADE,
    SIGNING_KEY_REVOKED,
    SECRET_KEY_DISTRUSTED,
    CLOCK_ACCEPTED,
    MAIL_RETRIED,
    MAIL_DROPPED,
    MAIL_ALLOWED;

    /** Whether somebody should look at it at once. */
    boolean alarming() {
      return ALARMING.contains(this);
    }

    /** As it is stored and logged. */
    public String code() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final Set<Type> ALARMING =
      EnumSet.of(
          Type.SESSION_REUSED,
          Type.NEW_DEVICE,
          Type.NEW_NETWORK,
          Type.MANY_ACCOUNTS_FROM_ONE_ADDRESS,
          Type.ONE_PASSWORD_ON_MANY_ACCOUNTS);

  /** Something that succeeded for an account. */
  public static SecurityEvent ok(Type type, long userId, Client client) {
    return new SecurityEvent(type, OK, Optional.of(userId), Optional.empty(), client);
  }

  /** What an operator did, to no account in particular. */
  public static SecurityEvent byOperator(Type type) {
    return new SecurityEvent(type, OK, Optional.empty(), Optional.empty(), OPERATOR);
  }

  /**
   * What an operator looked at.
   *
   * @param what the command, which becomes the outcome
   * @param userId whose data, if it was one account's
   */
  public static SecurityEvent readByOperator(String what, Optional<Long> userId) {
    return new SecurityEvent(Type.OPERATOR_READ, what, userId, Optional.empty(), OPERATOR);
  }

  /** Something that was refused. */
  public static SecurityEvent refused(
      Type type, String reason, Optional<Long> userId, Client client) {
    return new SecurityEvent(type, reason, userId, Optional.empty(), client);
  }

  /** The same, of that session. */
  public SecurityEvent of(String session) {
    return new SecurityEvent(type, outcome, userId, Optional.of(session), client);
  }
}
