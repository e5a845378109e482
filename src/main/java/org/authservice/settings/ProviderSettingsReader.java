package org.authservice.settings;

import java.net.URI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.authservice.json.JsonObject;
import org.authservice.secret.Secret;
import org.authservice.settings.ProviderSettings.EmailTrust;
import org.authservice.settings.ProviderSettings.OpenIdProvider;

/** Reads what concerns OpenID providers. */
final class ProviderSettingsReader {
  private static final String GOOGLE = "google";
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,31}");
  private static final Set<String> MEMBERS =
      Set.of("name", "issuer", "client_id", "client_secret", "trust_email");
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "localhost", "[::1]");
  // Schemes by which a browser runs or shows what the URL itself holds.
  private static final Set<String> DANGEROUS =
      Set.of("javascript", "data", "vbscript", "file", "blob", "about", "ftp");

  private final Source source;

  ProviderSettingsReader(Source source) {
    this.source = source;
  }

  ProviderSettings read() {
    Optional<OpenIdProvider> google = google();
    List<OpenIdProvider> others = new ArrayList<>();
    for (JsonObject member : source.objects("OIDC_PROVIDERS")) {
      other(member).ifPresent(others::add);
    }
    Set<String> issuers = new HashSet<>();
    Set<String> names = new HashSet<>(Set.of(GOOGLE));
    google.map(OpenIdProvider::issuer).ifPresent(issuers::add);
    for (OpenIdProvider provider : others) {
      if (!names.add(provider.name()) || !issuers.add(provider.issuer())) {
        source.reject("OIDC_PROVIDERS", "each provider needs a name and an issuer of its own");
      }
    }
    return new ProviderSettings(google, others, redirectUrls());
  }

  private Optional<OpenIdProvider> google() {
    Optional<String> clientId = source.text("GOOGLE_CLIENT_ID");
    Optional<String> secret = source.text("GOOGLE_CLIENT_SECRET");
    List<String> nativeIds = source.list("GOOGLE_CLIENT_IDS", List.of());
    if (clientId.isPresent() != secret.isPresent()) {
      source.reject(
          clientId.isPresent() ? "GOOGLE_CLIENT_SECRET" : "GOOGLE_CLIENT_ID",
          "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET go together");
    }
    if (clientId.isEmpty() && !nativeIds.isEmpty()) {
      source.reject("GOOGLE_CLIENT_ID", "it is not set, and GOOGLE_CLIENT_IDS needs it");
    }
    String issuer = source.text("GOOGLE_ISSUER").orElse("https://accounts.google.com");
    if (!isIssuer(issuer)) {
      source.reject("GOOGLE_ISSUER", "it must be an https URL (http on loopback)");
    }
    if (clientId.isEmpty() || secret.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new OpenIdProvider(
            GOOGLE, issuer, clientId.get(), Secret.of(secret.get()), nativeIds, EmailTrust.GOOGLE));
  }

  private Optional<OpenIdProvider> other(JsonObject member) {
    if (MEMBERS.containsAll(member.members().keySet())
        && member.get("name") instanceof String name
        && NAME.matcher(name).matches()
        && member.get("issuer") instanceof String issuer
        && isIssuer(issuer)
        && member.get("client_id") instanceof String clientId
        && !clientId.isBlank()
        && member.get("client_secret") instanceof String secret
        && !secret.isBlank()
        && (!member.has("trust_email") || member.get("trust_email") instanceof Boolean)) {
      EmailTrust trust =
          Boolean.TRUE.equals(member.get("trust_email")) ? EmailTrust.ALWAYS : EmailTrust.NEVER;
      return Optional.of(
          new OpenIdProvider(name, issuer, clientId, Secret.of(secret), List.of(), trust));
    }
    source.reject(
        "OIDC_PROVIDERS",
        "each needs name (a-z, 0-9, -), issuer (https), client_id, client_secret as texts,"
            + " trust_email, if given, as true or false, and nothing else");
    return Optional.empty();
  }

  private List<String> redirectUrls() {
    List<String> urls = source.list("LOGIN_REDIRECT_URLS", List.of());
    for (String url : urls) {
      if (!isRedirectUrl(url)) {
        source.reject(
            "LOGIN_REDIRECT_URLS",
            "\""
                + url
                + "\" is not an https URL (http on loopback, or an app's own scheme)"
                + " without user, fragment or wildcard");
      }
    }
    return urls;
  }

  private static boolean isIssuer(String text) {
    return uri(text)
        .filter(ProviderSettingsReader::isWeb)
        .filter(uri -> uri.getRawQuery() == null)
        .isPresent();
  }

  private static boolean isRedirectUrl(String text) {
    return uri(text)
        .filter(uri -> !text.contains("*"))
        .filter(uri -> isWeb(uri) || isAppScheme(uri))
        .isPresent();
  }

  private static boolean isWeb(URI uri) {
    String host = uri.getHost() == null ? "" : uri.getHost().toLowerCase(Locale.ROOT);
    return ("https".equalsIgnoreCase(uri.getScheme()) && !host.isEmpty())
        || ("http".equalsIgnoreCase(uri.getScheme()) && LOOPBACK.contains(host));
  }

  /** RFC 8252, section 7.1: schemes that apps register for themselves. */
  private static boolean isAppScheme(URI uri) {
    String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
    return !scheme.startsWith("http") && !DANGEROUS.contains(scheme);
  }

  private static Optional<URI> uri(String text) {
    try {
      URI uri = URI.create(text);
      boolean plain = uri.getRawFragment() == null && uri.getRawUserInfo() == null;
      return uri.isAbsolute() && plain ? Optional.of(uri) : Optional.empty();
    } catch (IllegalArgumentException notOne) {
      return Optional.empty();
    }
  }
}
