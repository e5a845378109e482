package org.authservice.oidc;

import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.oauth2.sdk.AuthorizationCode;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.ParseException;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientAuthenticationMethod;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.ClientSecretPost;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.authservice.account.EmailAddress;
import org.authservice.account.Identity;
import org.authservice.account.PersonName;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;
import org.authservice.json.MalformedJson;
import org.authservice.operations.Tracing;
import org.authservice.secret.Secret;
import org.authservice.settings.ProviderSettings.EmailTrust;
import org.authservice.settings.ProviderSettings.OpenIdProvider;
import org.jspecify.annotations.Nullable;

/** One OpenID provider, as this service speaks to it (OpenID Connect Core 1.0, section 3.1). */
final class Provider {
  private final OpenIdProvider settings;
  private final Outbound outbound;
  private final Discovery discovery;
  private final IdTokens webTokens;
  private final IdTokens nativeTokens;

  Provider(OpenIdProvider settings, Clock clock, MeterRegistry meters, Tracing tracing) {
    this.settings = settings;
    this.outbound = new Outbound(settings.name(), meters, tracing);
    this.discovery = new Discovery(settings.issuer(), outbound, clock);
    var keys = new SigningKeys(outbound, clock);
    Set<String> all = new HashSet<>(settings.nativeClientIds());
    all.add(settings.clientId());
    this.webTokens = new IdTokens(settings.issuer(), Set.of(settings.clientId()), keys, clock);
    this.nativeTokens = new IdTokens(settings.issuer(), all, keys, clock);
  }

  /**
   * What only the two ends of one flow know.
   *
   * @param nonce comes back in the ID token
   * @param verifier proves at the token endpoint that we began the flow (RFC 7636)
   */
  record FlowSecrets(Secret nonce, Secret verifier) {}

  /** Where to send the browser. */
  URI authorization(URI callback, Secret state, FlowSecrets flow, Deadline deadline)
      throws ProviderFault {
    return new AuthenticationRequest.Builder(
            new ResponseType(ResponseType.Value.CODE),
            new Scope("openid", "email", "profile"),
            new ClientID(settings.clientId()),
            callback)
        .endpointURI(discovery.metadata(deadline).getAuthorizationEndpointURI())
        .state(new State(state.reveal()))
        .nonce(new Nonce(flow.nonce().reveal()))
        .codeChallenge(new CodeVerifier(flow.verifier().reveal()), CodeChallengeMethod.S256)
        .build()
        .toURI();
  }

  /** Refuses an answer that another provider may have made (RFC 9207). */
  void requireIssuer(Optional<String> issuer, Deadline deadline) throws ProviderFault {
    boolean right =
        issuer.isPresent()
            ? issuer.get().equals(settings.issuer())
            : !discovery.metadata(deadline).supportsAuthorizationResponseIssuerParam();
    if (!right) {
      throw ProviderFault.refused("iss of the callback");
    }
  }

  /** Trades the callback's code for the person who signed in. */
  Person redeem(Secret code, URI callback, FlowSecrets flow, Deadline deadline)
      throws ProviderFault {
    OIDCProviderMetadata metadata = discovery.metadata(deadline);
    OIDCTokenResponse tokens = tokens(code, callback, flow, metadata, deadline);
    String idToken = tokens.getOIDCTokens().getIDTokenString();
    if (idToken == null) {
      throw ProviderFault.refused("no ID token");
    }
    JWTClaimsSet claims = webTokens.verify(idToken, flow.nonce(), metadata, deadline);
    String access = tokens.getOIDCTokens().getAccessToken().getValue();
    return claims.getClaim("email") == null && metadata.getUserInfoEndpointURI() != null
        ? person(claims.getSubject(), userInfo(claims, access, metadata, deadline))
        : person(claims.getSubject(), claims.getClaims());
  }

  /** The person whom an ID token speaks of that a native app got. */
  Person accept(String idToken, Secret nonce, Deadline deadline) throws ProviderFault {
    OIDCProviderMetadata metadata = discovery.metadata(deadline);
    JWTClaimsSet claims = nativeTokens.verify(idToken, nonce, metadata, deadline);
    return person(claims.getSubject(), claims.getClaims());
  }

  private OIDCTokenResponse tokens(
      Secret code, URI callback, FlowSecrets flow, OIDCProviderMetadata metadata, Deadline deadline)
      throws ProviderFault {
    var grant =
        new AuthorizationCodeGrant(
            new AuthorizationCode(code.reveal()),
            callback,
            new CodeVerifier(flow.verifier().reveal()));
    HTTPRequest request =
        new TokenRequest.Builder(metadata.getTokenEndpointURI(), client(metadata), grant)
            .build()
            .toHTTPRequest();
    var received =
        outbound.post(
            metadata.getTokenEndpointURI(), request.getHeaderMap(), request.getBody(), deadline);
    if (received.status() >= 500 || received.status() == 429) {
      throw ProviderFault.unavailable("token endpoint: status " + received.status(), null);
    }
    try {
      var response = new HTTPResponse(received.status());
      response.setContentType(received.contentType());
      response.setBody(received.body());
      TokenResponse parsed = OIDCTokenResponseParser.parse(response);
      if (!(parsed instanceof OIDCTokenResponse tokens)) {
        throw ProviderFault.refused(
            "token endpoint: " + parsed.toErrorResponse().getErrorObject().getCode());
      }
      return tokens;
    } catch (ParseException garbage) {
      throw ProviderFault.refused("token endpoint: status " + received.status() + ", unreadable");
    }
  }

  private ClientAuthentication client(OIDCProviderMetadata metadata) {
    var id = new ClientID(settings.clientId());
    var secret = new com.nimbusds.oauth2.sdk.auth.Secret(settings.clientSecret().reveal());
    List<ClientAuthenticationMethod> methods = metadata.getTokenEndpointAuthMethods();
    boolean basic =
        methods == null || methods.contains(ClientAuthenticationMethod.CLIENT_SECRET_BASIC);
    return basic ? new ClientSecretBasic(id, secret) : new ClientSecretPost(id, secret);
  }

  /** Some providers tell the address only here. It must speak of the same person. */
  private Map<String, Object> userInfo(
      JWTClaimsSet claims, String accessToken, OIDCProviderMetadata metadata, Deadline deadline)
      throws ProviderFault {
    discovery.requireSafe("userinfo_endpoint", metadata.getUserInfoEndpointURI());
    var received =
        outbound
            .get(
                metadata.getUserInfoEndpointURI(),
                Map.of("Authorization", "Bearer " + accessToken, "Accept", "application/json"),
                deadline)
            .ok("userinfo");
    try {
      Json.Parsed parsed = Json.parse(received.body().getBytes(StandardCharsets.UTF_8));
      if (parsed.value() instanceof JsonObject info
          && parsed.repeated().isEmpty()
          && claims.getSubject().equals(info.get("sub"))) {
        Map<String, Object> members = new HashMap<>();
        info.members()
            .forEach((name, value) -> {
              if (value != null) {
                members.put(name, value);
              }
            });
        return members;
      }
    } catch (MalformedJson garbage) {
      throw ProviderFault.refused("userinfo: unreadable");
    }
    throw ProviderFault.refused("userinfo: sub");
  }

  private Person person(String subject, Map<String, Object> claims) {
    Optional<EmailAddress> email = text(claims.get("email")).flatMap(EmailAddress::parse);
    Object verified = claims.get("email_verified");
    boolean claimed = Boolean.TRUE.equals(verified) || "true".equals(verified);
    return new Person(
        new Identity(settings.issuer(), subject, settings.trust() == EmailTrust.GOOGLE),
        email,
        claimed && email.filter(it -> trusted(it, claims.get("hd"))).isPresent(),
        text(claims.get("name")).flatMap(PersonName::parse));
  }

  /**
   * Whether the provider's word on this address counts. Google says verified also of addresses that
   * somebody proved once at another mail provider and may have lost since; it is the authority only
   * for its own and for those in a domain that it hosts.
   */
  private boolean trusted(EmailAddress email, @Nullable Object hostedDomain) {
    return switch (settings.trust()) {
      case ALWAYS -> true;
      case NEVER -> false;
      case GOOGLE -> {
        String address = email.normalised();
        String domain = address.substring(address.lastIndexOf('@') + 1);
        String hosted = hostedDomain instanceof String text ? text.toLowerCase(Locale.ROOT) : "";
        yield domain.equals("gmail.com")
            || (!hosted.isEmpty() && (domain.equals(hosted) || domain.endsWith("." + hosted)));
      }
    };
  }

  private static Optional<String> text(@Nullable Object claim) {
    return claim instanceof String text ? Optional.of(text) : Optional.empty();
  }
}
