package org.authservice.oidc;

import org.authservice.http.ErrorCode;
import org.authservice.secret.Secret;
import org.authservice.session.Tokens;

/** Every way in which signing in by a provider, or linking one, can end. */
sealed interface SigninOutcome {
  /** Signed in. */
  record SignedIn(Tokens tokens) implements SigninOutcome {}

  /** Signed in; the app collects the tokens with this code. */
  record CodeGiven(Secret code) implements SigninOutcome {}

  /** The identity is linked to the account that asked for it. */
  record Linked() implements SigninOutcome {}

  /** Neither, and why. */
  enum Refusal implements SigninOutcome {
    /** The state is unknown, used, expired, or another browser's. */
    STATE_INVALID(ErrorCode.GOOGLE_STATE_INVALID),
    /** The user said no at the provider. */
    DENIED(ErrorCode.GOOGLE_DENIED),
    /** The provider's answer must not be believed. */
    NOT_ACCEPTABLE(ErrorCode.GOOGLE_REFUSED),
    /** The provider is down or slow. */
    DOWN(ErrorCode.GOOGLE_UNAVAILABLE),
    /** The ID token that an app sent, or its nonce, is not acceptable. */
    ID_TOKEN_INVALID(ErrorCode.ID_TOKEN_INVALID),
    /** The provider's word on the address does not count, and nobody proved it here. */
    EMAIL_UNVERIFIED(ErrorCode.GOOGLE_EMAIL_UNVERIFIED),
    /** The address is somebody's here, and this identity is not theirs for sure. */
    LINK_REQUIRES_LOGIN(ErrorCode.LINK_REQUIRES_LOGIN),
    /** The account is switched off. */
    ACCOUNT_DISABLED(ErrorCode.ACCOUNT_DISABLED),
    /** The session that links has ended, or proved itself too long ago. */
    LOGIN_REQUIRED(ErrorCode.LOGIN_REQUIRED),
    /** The identity, or the account, is linked to another. */
    IDENTITY_TAKEN(ErrorCode.IDENTITY_TAKEN);

    private final ErrorCode code;

    Refusal(ErrorCode code) {
      this.code = code;
    }

    /** What the client is told. */
    ErrorCode code() {
      return code;
    }
  }
}
