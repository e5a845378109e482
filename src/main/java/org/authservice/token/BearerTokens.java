package org.authservice.token;

import java.util.Optional;
import org.authservice.http.Principal;

/** Decides whom a Bearer token speaks for (RFC 6750), without any database access. */
public final class BearerTokens {
  private final AccessTokens accessTokens;
  private final PythonTokens pythonTokens;
  private final Revocations revocations;

  /** Tokens of this service, and of the Python service while they are accepted. */
  public BearerTokens(
      AccessTokens accessTokens, PythonTokens pythonTokens, Revocations revocations) {
    this.accessTokens = accessTokens;
    this.pythonTokens = pythonTokens;
    this.revocations = revocations;
  }

  /**
   * Whom the token speaks for; empty when it is not valid or its session has ended.
   *
   * @throws org.authservice.http.Unavailable when this node does not know which sessions have ended
   */
  public Optional<Principal> accept(String token) {
    Optional<Jwt> parsed = Jwt.parse(token);
    if (parsed.isEmpty()) {
      return Optional.empty();
    }
    Optional<Principal> ours = accessTokens.verify(parsed.get());
    if (ours.isPresent()) {
      return ours.filter(it -> !revocations.isEnded(it.sessionId().orElseThrow()));
    }
    return pythonTokens
        .access(parsed.get())
        .filter(access -> !revocations.isEndedLegacy(access))
        .map(access -> new Principal(access.userId(), Optional.empty(), access.issuedAt()));
  }
}
