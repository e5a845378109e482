package org.authservice.oidc;

import java.util.Optional;
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

  /** The state is unknown, used, expired, or another browser's. */
  record StateInvalid() implements SigninOutcome {}

  /** The user said no at the provider. */
  record Denied() implements SigninOutcome {}

  /** The provider's answer is not acceptable. */
  record Refused() implements SigninOutcome {}

  /** The provider is down or slow. */
  record Down() implements SigninOutcome {}

  /** The ID token that an app sent, or its nonce, is not acceptable. */
  record IdTokenInvalid() implements SigninOutcome {}

  /** The provider's word on the address does not count, and nobody proved it here. */
  record EmailUnverified() implements SigninOutcome {}

  /** The address is somebody's here, and this identity is not theirs for sure. */
  record LinkRequiresLogin() implements SigninOutcome {}

  /** The account is switched off. */
  record AccountDisabled() implements SigninOutcome {}

  /** The session that links has ended, or proved itself too long ago. */
  record LoginRequired() implements SigninOutcome {}

  /** The identity, or the account, is linked to another. */
  record IdentityTaken() implements SigninOutcome {}

  /** The code of a refusal; empty for a success. */
  default Optional<ErrorCode> refusal() {
    return switch (this) {
      case SignedIn _, CodeGiven _, Linked _ -> Optional.empty();
      case StateInvalid _ -> Optional.of(ErrorCode.GOOGLE_STATE_INVALID);
      case Denied _ -> Optional.of(ErrorCode.GOOGLE_DENIED);
      case Refused _ -> Optional.of(ErrorCode.GOOGLE_REFUSED);
      case Down _ -> Optional.of(ErrorCode.GOOGLE_UNAVAILABLE);
      case IdTokenInvalid _ -> Optional.of(ErrorCode.ID_TOKEN_INVALID);
      case EmailUnverified _ -> Optional.of(ErrorCode.GOOGLE_EMAIL_UNVERIFIED);
      case LinkRequiresLogin _ -> Optional.of(ErrorCode.LINK_REQUIRES_LOGIN);
      case AccountDisabled _ -> Optional.of(ErrorCode.ACCOUNT_DISABLED);
      case LoginRequired _ -> Optional.of(ErrorCode.LOGIN_REQUIRED);
      case IdentityTaken _ -> Optional.of(ErrorCode.IDENTITY_TAKEN);
    };
  }
}
