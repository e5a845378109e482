package org.authservice.oidc;

import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.InvalidRequest;
import org.authservice.http.Principal;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.json.JsonObject;
import org.authservice.oidc.SigninOutcome.Refusal;
import org.authservice.secret.Secret;
import org.authservice.session.SessionRoutes;

/** {@code /auth/google}, {@code /auth/oidc/{name}} and what is below them. */
final class OidcRoutes {
  private static final int MAX_STATE = 512;
  private static final int MAX_NONCE = 256;
  private static final Duration RETRY = Duration.ofSeconds(10);
  private static final String GOOGLE = "google";
  // The result of S256, RFC 7636, section 4.2.
  private static final Pattern CHALLENGE = Pattern.compile("[A-Za-z0-9_-]{43}");
  // States of ours; anything else need not be looked up, nor become a cookie's name.
  private static final Pattern STATE = Pattern.compile("[0-9a-f]{64}");

  private final Map<String, ProviderSignin> providers;
  private final Linking linking;
  private final Flows flows;
  private final Set<String> redirectUrls;
  private final FlowCookie cookie;
  private final Function<String, Optional<Principal>> bearer;

  OidcRoutes(
      Map<String, ProviderSignin> providers,
      Linking linking,
      Flows flows,
      Set<String> redirectUrls,
      URI publicBaseUrl,
      Function<String, Optional<Principal>> bearer) {
    this.providers = providers;
    this.linking = linking;
    this.flows = flows;
    this.redirectUrls = redirectUrls;
    this.cookie = new FlowCookie(publicBaseUrl);
    this.bearer = bearer;
  }

  List<Route> routes() {
    return List.of(
        Route.open("GET", "/auth/google", this::begin),
        Route.open("GET", "/auth/google/callback", this::finish),
        Route.open("POST", "/auth/google/nonce", this::nonce),
        Route.open("POST", "/auth/google/id-token", this::idToken),
        Route.bearer("POST", "/auth/google/link", this::link),
        Route.bearer("DELETE", "/auth/google", this::unlink),
        Route.open("GET", "/auth/oidc/{name}", this::begin),
        Route.open("GET", "/auth/oidc/{name}/callback", this::finish),
        Route.open("POST", "/auth/oidc/{name}/nonce", this::nonce),
        Route.open("POST", "/auth/oidc/{name}/id-token", this::idToken),
        Route.bearer("POST", "/auth/oidc/{name}/link", this::link),
        Route.bearer("DELETE", "/auth/oidc/{name}", this::unlink));
  }

  private Answer begin(Request request) {
    ProviderSignin provider = provider(request);
    Flows.Aim aim = aim(request);
    return switch (provider.begin(aim)) {
      case ProviderSignin.Beginning.Failed(var refusal) -> problem(refusal.code());
      case ProviderSignin.Beginning.Begun begun ->
          begun(begun, wantsJson(request), begun.authorization().toString());
    };
  }

  private Answer begun(ProviderSignin.Beginning.Begun begun, boolean json, String authorization) {
    Answer answer =
        json
            ? Answer.json(200, JsonObject.of("authorization_url", authorization))
            : Answer.seeOther(authorization);
    return cookie.set(answer, begun.state().reveal(), begun.browser());
  }

  private Answer finish(Request request) {
    ProviderSignin provider = provider(request);
    Optional<String> state =
        request.queryParameter("state").filter(it -> STATE.matcher(it).matches());
    var callback =
        new ProviderSignin.Callback(
            state,
            state.flatMap(it -> cookie.of(request, it)),
            request.queryParameter("code"),
            request.queryParameter("error"),
            request.queryParameter("iss"));
    ProviderSignin.Ended ended = provider.finish(callback, request.client());
    Optional<String> redirectTo = ended.aim().flatMap(Flows.Aim::redirectTo);
    Answer answer =
        redirectTo.isPresent()
            ? Answer.seeOther(back(redirectTo.get(), ended))
            : answer(ended.outcome());
    return ended.aim().isPresent() ? cookie.clear(answer, state.orElseThrow()) : answer;
  }

  private Answer nonce(Request request) {
    provider(request);
    return Answer.json(
        200,
        JsonObject.of("nonce", flows.issueNonce().reveal())
            .put("expires_in", Flows.LIFE.toSeconds()));
  }

  private Answer idToken(Request request) {
    ProviderSignin provider = provider(request);
    var fields = request.fields();
    Secret idToken = Secret.of(fields.text("id_token", SessionRoutes.MAX_TOKEN_LENGTH));
    Secret nonce = Secret.of(fields.text("nonce", MAX_NONCE));
    fields.verify();
    Optional<Long> speaker = request.bearerToken().flatMap(bearer).map(Principal::userId);
    return answer(provider.signIn(idToken, nonce, speaker, request.client()));
  }

  /** With an ID token that the app has, or by a flow in the browser that sends this request. */
  private Answer link(Request request) {
    ProviderSignin provider = provider(request);
    var fields = request.fields();
    boolean byToken = fields.has("id_token");
    String idToken = byToken ? fields.text("id_token", SessionRoutes.MAX_TOKEN_LENGTH) : "";
    String nonce = byToken ? fields.text("nonce", MAX_NONCE) : "";
    Optional<String> redirectTo = fields.optionalText("redirect_to", 2048);
    Optional<String> state = fields.optionalText("state", MAX_STATE);
    if (redirectTo.filter(it -> !redirectUrls.contains(it)).isPresent()) {
      fields.reject("redirect_to", "invalid", "This URL is not in LOGIN_REDIRECT_URLS.");
    }
    fields.verify();
    return switch (linking.permission(request.principal())) {
      case Linking.Permission.TokenInvalid _ -> problem(ErrorCode.TOKEN_INVALID);
      case Linking.Permission.LoginRequired _ -> problem(ErrorCode.LOGIN_REQUIRED);
      case Linking.Permission.Given(var linker) ->
          byToken
              ? answer(
                  provider.link(Secret.of(idToken), Secret.of(nonce), linker, request.client()))
              : beginLinking(
                  provider,
                  new Flows.Aim(redirectTo, Optional.empty(), state, Optional.of(linker)));
    };
  }

  private Answer beginLinking(ProviderSignin provider, Flows.Aim aim) {
    return switch (provider.begin(aim)) {
      case ProviderSignin.Beginning.Failed(var refusal) -> problem(refusal.code());
      case ProviderSignin.Beginning.Begun begun ->
          begun(begun, true, begun.authorization().toString());
    };
  }

  private Answer unlink(Request request) {
    ProviderSignin provider = provider(request);
    return switch (linking.permission(request.principal())) {
      case Linking.Permission.TokenInvalid _ -> problem(ErrorCode.TOKEN_INVALID);
      case Linking.Permission.LoginRequired _ -> problem(ErrorCode.LOGIN_REQUIRED);
      case Linking.Permission.Given(var linker) ->
          switch (provider.unlink(linker, request.client())) {
            case Linking.Unlinking.Unlinked(var codesOnly) ->
                Answer.message(
                    codesOnly
                        ? "Unlinked. From now on you sign in with codes mailed to your address."
                        : "Unlinked.");
            case Linking.Unlinking.NotLinked _ ->
                Problem.of(ErrorCode.NOT_FOUND, "No identity of this provider is linked.").answer();
            case Linking.Unlinking.LastMethod _ -> problem(ErrorCode.LAST_SIGN_IN_METHOD);
            case Linking.Unlinking.LoginRequired _ -> problem(ErrorCode.LOGIN_REQUIRED);
          };
    };
  }

  private ProviderSignin provider(Request request) {
    String name = request.pathParts().getOrDefault("name", GOOGLE);
    ProviderSignin provider = providers.get(name);
    boolean here = request.pathParts().isEmpty() == name.equals(GOOGLE);
    if (provider == null || !here) {
      ErrorCode code =
          request.pathParts().isEmpty() ? ErrorCode.GOOGLE_DISABLED : ErrorCode.NOT_FOUND;
      throw new InvalidRequest(Problem.of(code));
    }
    return provider;
  }

  /**
   * Where the app wants the sign-in to lead; the list is exact, as open redirectors begin small.
   */
  private Flows.Aim aim(Request request) {
    List<Problem.FieldError> errors = new ArrayList<>();
    Optional<String> redirectTo = request.queryParameter("redirect_to");
    Optional<String> challenge = request.queryParameter("code_challenge");
    Optional<String> state = request.queryParameter("state");
    if (redirectTo.filter(it -> !redirectUrls.contains(it)).isPresent()) {
      errors.add(error("redirect_to", "This URL is not in LOGIN_REDIRECT_URLS."));
    }
    boolean challenged = challenge.filter(it -> CHALLENGE.matcher(it).matches()).isPresent();
    if (redirectTo.isPresent() && !challenged) {
      errors.add(error("code_challenge", "It must be the base64url SHA-256 of a code_verifier."));
    }
    if (request
        .queryParameter("code_challenge_method")
        .filter(it -> !it.equals("S256"))
        .isPresent()) {
      errors.add(error("code_challenge_method", "Only S256 is supported."));
    }
    if (state
        .filter(it ->
            it.codePointCount(0, it.length()) > MAX_STATE
                || it.chars().anyMatch(Character::isISOControl))
        .isPresent()) {
      errors.add(error("state", "At most 512 characters, none of them a control character."));
    }
    if (!errors.isEmpty()) {
      throw new InvalidRequest(ErrorCode.VALIDATION_FAILED, errors);
    }
    return redirectTo.isPresent()
        ? new Flows.Aim(redirectTo, challenge, state, Optional.empty())
        : new Flows.Aim(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  private static Problem.FieldError error(String field, String message) {
    return new Problem.FieldError(field, "invalid", message);
  }

  private static boolean wantsJson(Request request) {
    String accept = request.header("accept").orElse("").toLowerCase(Locale.ROOT);
    return accept.contains("application/json") && !accept.contains("text/html");
  }

  private static String back(String redirectTo, ProviderSignin.Ended ended) {
    String result =
        switch (ended.outcome()) {
          case SigninOutcome.CodeGiven(var code) -> "code=" + code.reveal();
          case SigninOutcome.Linked _ -> "linked=true";
          case Refusal refusal -> "error=" + refusal.code().code();
          case SigninOutcome.SignedIn _ ->
              throw new IllegalStateException("tokens do not belong into a URL");
        };
    return redirectTo
        + (redirectTo.contains("?") ? "&" : "?")
        + result
        + ended
            .aim()
            .flatMap(Flows.Aim::appState)
            .map(state -> "&state=" + URLEncoder.encode(state, StandardCharsets.UTF_8))
            .orElse("");
  }

  private static Answer answer(SigninOutcome outcome) {
    return switch (outcome) {
      case SigninOutcome.SignedIn(var tokens) -> Answer.json(200, tokens.json());
      case SigninOutcome.Linked _ -> Answer.message("Linked.");
      case SigninOutcome.CodeGiven _ ->
          throw new IllegalStateException("a code without an app to collect it");
      case Refusal refusal -> problem(refusal.code());
    };
  }

  private static Answer problem(ErrorCode code) {
    Problem problem = Problem.of(code);
    return code.status() == 503 ? problem.retryAfter(RETRY).answer() : problem.answer();
  }
}
