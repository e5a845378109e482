package org.authservice;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.authservice.account.Accounts;
import org.authservice.account.Identities;
import org.authservice.account.PendingRegistrations;
import org.authservice.account.ProfileRoutes;
import org.authservice.audit.Audit;
import org.authservice.audit.EventRoutes;
import org.authservice.database.Channel;
import org.authservice.docs.DocsRoutes;
import org.authservice.http.Route;
import org.authservice.oauth.OAuthRoutes;
import org.authservice.oidc.Oidc;
import org.authservice.oidc.Pending;
import org.authservice.operations.Agreement;
import org.authservice.operations.CleanUp;
import org.authservice.operations.Sweep;
import org.authservice.operations.Worker;
import org.authservice.otp.Otps;
import org.authservice.password.PasswordHasher;
import org.authservice.password.PasswordPolicy;
import org.authservice.ratelimit.Devices;
import org.authservice.ratelimit.LoginThrottle;
import org.authservice.session.PythonSessions;
import org.authservice.session.SessionOverview;
import org.authservice.session.SessionRoutes;
import org.authservice.session.Sessions;
import org.authservice.settings.Settings;
import org.authservice.signin.Signins;
import org.authservice.token.AccessKeys;
import org.authservice.token.AccessTokens;
import org.authservice.token.BearerTokens;
import org.authservice.token.CheckRoutes;
import org.authservice.token.KeyRoutes;
import org.authservice.token.LegacyTokens;
import org.authservice.token.PythonTokens;
import org.authservice.token.RefreshTokens;
import org.authservice.token.Revocations;
import org.authservice.token.SharedKeys;
import org.authservice.token.SigningKeys;

/** The features, each built on those before it, in the order of the packages. */
final class Features {
  private static final Duration INSTALLATION_CHECK = Duration.ofMinutes(5);

  private final Foundation base;
  private final Settings settings;
  private final Audit audit;
  private final Mailroom mailroom;
  private final LegacyTokens legacy;
  private final KeyAdministration keys;
  private final AccessKeys accessKeys;
  private final AccessTokens accessTokens;
  private final Revocations revocations;
  private final BearerTokens bearerTokens;
  private final Devices devices;
  private final Accounts accounts;
  private final PasswordHasher hasher;
  private final Otps otps;
  private final Sessions sessions;
  private final PythonSessions pythonSessions;
  private final SessionOverview overview;
  private final Pending pending;
  private final Signins signins;
  private volatile boolean severalSchemes;

  Features(Foundation base) {
    this.base = base;
    this.settings = base.settings();
    this.audit =
        new Audit(
            base.database(),
            base.lagging(),
            settings,
            base.keyring(),
            base.clock(),
            base.secrets(),
            base.meters());
    this.mailroom = new Mailroom(base, audit.events());
    var installation = base.installation();
    this.legacy =
        new LegacyTokens(
            settings.tokens().legacy(),
            installation.adopted(),
            installation.legacyTokenSeenAt().orElse(installation.createdAt()));
    this.keys = new KeyAdministration(base.keyring(), base.secretKeys(), signingKeys());
    this.accessKeys =
        keys.signingKeys()
            .<AccessKeys>map(it -> it)
            .orElseGet(() -> new SharedKeys(base.keyring(), settings.tokens().algorithm()));
    this.accessTokens =
        new AccessTokens(
            settings.tokens(),
            base.publicBaseUrl().toString(),
            accessKeys,
            base.clock(),
            base.secrets());
    var pythonTokens = new PythonTokens(settings.tokens(), base.keyring(), legacy, base.clock());
    this.revocations = new Revocations(base.database(), base.clock(), base.meters());
    this.bearerTokens = new BearerTokens(accessTokens, pythonTokens, revocations, base.clock());
    this.devices = new Devices(base.database(), base.keyring(), base.clock(), base.secrets());
    this.accounts = new Accounts(base.database(), base.clock(), base.secrets());
    this.hasher = new PasswordHasher(scheme(), () -> severalSchemes, base.secrets(), base.meters());
    this.otps =
        new Otps(
            base.database(),
            settings.codes(),
            base.keyring(),
            hasher,
            installation.adopted(),
            mailroom.outbox(),
            base.clock(),
            base.secrets());
    this.sessions = buildSessions();
    this.pythonSessions =
        new PythonSessions(
            base.database(),
            sessions,
            accounts,
            pythonTokens,
            revocations,
            base.keyring(),
            base.clock());
    this.overview =
        new SessionOverview(base.database(), base.lagging(), sessions, accounts, base.clock());
    this.pending = new Pending(base.database(), base.keyring(), base.clock(), base.secrets());
    this.signins = buildSignins();
  }

  /** The endpoints of all features. */
  List<Route> routes() {
    String url = base.publicBaseUrl().toString();
    var algorithm = settings.tokens().algorithm();
    return Stream.of(
            mailroom.routes(),
            signins.routes(),
            oidc().routes(),
            new SessionRoutes(sessions, pythonSessions, overview).routes(),
            new ProfileRoutes(accounts).routes(),
            new EventRoutes(audit.events(), principal -> accounts.of(principal).isPresent())
                .routes(),
            new CheckRoutes().routes(),
            new KeyRoutes(accessKeys, algorithm.name(), accessTokens.issuer(), url).routes(),
            oauth().routes(),
            new DocsRoutes(settings.listener().docs(), url).routes())
        .flatMap(List::stream)
        .toList();
  }

  /** What this node hears from others. */
  List<Channel> channels() {
    List<Channel> channels = new ArrayList<>();
    channels.add(revocations.channel());
    channels.add(base.secretKeys().channel());
    keys.signingKeys().map(SigningKeys::channel).ifPresent(channels::add);
    return channels;
  }

  /** What runs in the background. */
  List<Worker> workers() {
    List<Worker> workers = new ArrayList<>(audit.workers());
    keys.signingKeys().map(SigningKeys::follower).ifPresent(workers::add);
    workers.add(base.secretKeys().follower());
    workers.add(revocations.follower());
    workers.add(base.nodes().worker());
    workers.add(agreement().worker());
    workers.add(cleanUp().worker());
    workers.add(mailroom.outbox().sender());
    workers.add(new Worker("installation", INSTALLATION_CHECK, this::look, base.meters()));
    return workers;
  }

  Audit audit() {
    return audit;
  }

  Mailroom mailroom() {
    return mailroom;
  }

  KeyAdministration keys() {
    return keys;
  }

  Revocations revocations() {
    return revocations;
  }

  BearerTokens bearerTokens() {
    return bearerTokens;
  }

  PasswordHasher hasher() {
    return hasher;
  }

  Signins signins() {
    return signins;
  }

  private Optional<SigningKeys> signingKeys() {
    var algorithm = settings.tokens().algorithm();
    if (algorithm.symmetric()) {
      return Optional.empty();
    }
    var signing =
        new SigningKeys(
            base.database(),
            algorithm,
            base.keyring().sealer("signing key", base.secrets()),
            base.secretKeys()::covered,
            base.clock(),
            base.meters());
    signing.follower().runOnce();
    return Optional.of(signing);
  }

  private PasswordHasher.Scheme scheme() {
    return switch (settings.passwords().hash()) {
      case ARGON2ID -> PasswordHasher.Scheme.ARGON2ID;
      case BCRYPT -> PasswordHasher.Scheme.BCRYPT;
      case AUTO ->
          base.installation().adopted()
              ? PasswordHasher.Scheme.BCRYPT
              : PasswordHasher.Scheme.ARGON2ID;
    };
  }

  private Sessions buildSessions() {
    return new Sessions(
        base.database(),
        settings.sessions(),
        accounts,
        accessTokens,
        new RefreshTokens(base.keyring()),
        revocations,
        devices,
        audit.events(),
        mailroom.outbox(),
        base.keyring(),
        base.nodes()::reuseGrace,
        base.steady(),
        base.clock(),
        base.secrets(),
        base.meters());
  }

  private Signins buildSignins() {
    return new Signins(
        new Signins.Parts(
            base.database(),
            settings.registration(),
            settings.alarms(),
            settings.codes(),
            new PasswordPolicy(settings.passwords().policy()),
            hasher,
            accounts,
            new PendingRegistrations(base.database(), base.clock()),
            devices,
            new LoginThrottle(base.database(), base.clock()),
            otps,
            mailroom.outbox(),
            audit.events(),
            sessions,
            pythonSessions,
            overview,
            legacy,
            bearerTokens::accept,
            List.of(pending),
            base.keyring(),
            base.clock(),
            base.secrets()));
  }

  private Oidc oidc() {
    return new Oidc(
        new Oidc.Parts(
            base.database(),
            settings.providers(),
            base.publicBaseUrl(),
            accounts,
            new Identities(base.database(), base.clock()),
            devices,
            mailroom.outbox(),
            audit.events(),
            sessions,
            bearerTokens::accept,
            base.clock(),
            base.meters(),
            base.tracing()),
        pending,
        signins.mailboxProof());
  }

  private OAuthRoutes oauth() {
    return new OAuthRoutes(
        new OAuthRoutes.Parts(
            settings.apiClients(),
            base.database(),
            accounts,
            sessions,
            pythonSessions,
            bearerTokens,
            revocations,
            signins.leaving(),
            audit.events(),
            base.clock(),
            base.secrets(),
            base.meters()));
  }

  private Agreement agreement() {
    return new Agreement(
        base.database(),
        settings.shared(base.publicBaseUrl().toString()),
        base.keyring(),
        base.clock(),
        base.secrets(),
        base.meters());
  }

  private CleanUp cleanUp() {
    List<Sweep> sweeps =
        Stream.of(
                sessions.sweeps(),
                otps.sweeps(),
                revocations.sweeps(),
                mailroom.outbox().sweeps(),
                devices.sweeps(),
                pending.sweeps(),
                signins.sweeps(),
                keys.sweeps(),
                audit.sweeps())
            .flatMap(List::stream)
            .toList();
    return new CleanUp(
        base.database(), sweeps, base.steady(), base.clock(), base.secrets(), base.meters());
  }

  /** What other nodes, or the Python service, have changed about the installation. */
  private void look() {
    severalSchemes = accounts.anyHashOutside(scheme().prefix());
    legacy.seenHere().ifPresent(base.installations()::noteLegacyToken);
    base.installations().get().legacyTokenSeenAt().ifPresent(legacy::seen);
  }
}
