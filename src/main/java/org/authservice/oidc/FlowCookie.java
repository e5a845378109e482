package org.authservice.oidc;

import java.net.URI;
import java.util.Optional;
import org.authservice.http.Answer;
import org.authservice.http.Request;
import org.authservice.secret.Secret;

/**
 * The cookie that binds a flow to the browser it began in; each flow has its own, so that two tabs
 * do not disturb each other. {@code __Host-} lets no other host set it, {@code SameSite=Lax} sends
 * it along when the provider sends the browser back. Names and values are short: as many as a
 * browser keeps for one host fit into the headers that are accepted.
 */
final class FlowCookie {
  private static final int NAMED_BY = 8;

  private final boolean secure;

  FlowCookie(URI publicBaseUrl) {
    this.secure = "https".equals(publicBaseUrl.getScheme());
  }

  Answer set(Answer answer, String state, Secret browser) {
    return answer.with(
        "Set-Cookie", name(state) + "=" + browser.reveal() + attributes(Flows.LIFE.toSeconds()));
  }

  Answer clear(Answer answer, String state) {
    return answer.with("Set-Cookie", name(state) + "=" + attributes(0));
  }

  Optional<Secret> of(Request request, String state) {
    return request.cookie(name(state)).map(Secret::of);
  }

  private String attributes(long maxAge) {
    return "; Path=/; Max-Age=" + maxAge + "; HttpOnly; SameSite=Lax" + (secure ? "; Secure" : "");
  }

  private String name(String state) {
    String prefix = secure ? "__Host-auth-" : "auth-";
    return prefix + state.substring(0, Math.min(NAMED_BY, state.length()));
  }
}
