package org.authservice;

import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.authservice.account.Accounts;
import org.authservice.account.Identities;
import org.authservice.account.PendingRegistrations;
import org.authservice.account.ProfileRoutes;
import org.authservice.audit.Audit;
import org.authservice.audit.EventRoutes;
import org.authservice.audit.Seals;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Installation;
import org.authservice.database.Installations;
import org.authservice.database.LaggingReads;
import org.authservice.database.Migrations;
import org.authservice.docs.DocsRoutes;
import org.authservice.http.AccessLog;
import org.authservice.http.Cors;
import org.authservice.http.Failsafe;
import org.authservice.http.HttpServer;
import org.authservice.http.Route;
import org.authservice.http.SecurityHeaders;
import org.authservice.http.Site;
import org.authservice.mail.DevMailRoutes;
import org.authservice.mail.DevMailbox;
import org.authservice.mail.MailAdministration;
import org.authservice.mail.MailEventRoutes;
import org.authservice.mail.NoTransport;
import org.authservice.mail.Outbox;
import org.authservice.mail.SmtpTransport;
import org.authservice.mail.Templates;
import org.authservice.mail.Transport;
import org.authservice.oauth.OAuthRoutes;
import org.authservice.oidc.Oidc;
import org.authservice.oidc.Pending;
import org.authservice.operations.Agreement;
import org.authservice.operations.CleanUp;
import org.authservice.operations.ClockKeeper;
import org.authservice.operations.DatabaseClock;
import org.authservice.operations.Health;
import org.authservice.operations.Metrics;
import org.authservice.operations.Nodes;
import org.authservice.operations.SecretKeys;
import org.authservice.operations.Tracing;
import org.authservice.operations.Worker;
import org.authservice.otp.Otps;
import org.authservice.password.PasswordHasher;
import org.authservice.password.PasswordPolicy;
import org.authservice.ratelimit.ClientAddresses;
import org.authservice.ratelimit.Devices;
import org.authservice.ratelimit.LoginThrottle;
import org.authservice.ratelimit.RequestRates;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.session.PythonSessions;
import org.authservice.session.SessionOverview;
import org.authservice.session.SessionRoutes;
import org.authservice.session.Sessions;
import org.authservice.settings.SecretFile;
import org.authservice.settings.Settings;
import org.authservice.settings.StartFailure;
import org.authservice.settings.TokenSettings.Algorithm;
import org.authservice.signin.AccountAdministration;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The composition root: builds every part in order, and owns them. It first binds the sockets, then
 * opens the database, then builds the features, and only then serves.
 */
public final class AuthService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AuthService.class);
  private static final String DEV_KEY_FILE = ".auth-dev-key";
  private static final Duration DRAIN = Duration.ofSeconds(30);
  private static final Duration INSTALLATION_CHECK = Duration.ofMinutes(5);

  private final Settings settings;
  private final Path folder;
  private final Clock clock;
  private final Secrets secrets;
  private final Metrics metrics = new Metrics();
  private final MeterRegistry meters = metrics.registry();
  private final List<Worker> workers = new ArrayList<>();
  private final Optional<HttpServer> http;
  private final Optional<HttpServer> management;
  private final URI publicBaseUrl;
  private final Tracing tracing;
  private final Database database;
  private final LaggingReads lagging;
  private final Installations installations;
  private final Installation installation;
  private final Keyring keyring;
  private final SecretKeys secretKeys;
  private final PasswordHasher hasher;
  private final Health health;
  private final Optional<ClockKeeper> clockKeeper;
  private final Nodes nodes;
  private final Features features;
  private final RequestRates rates;
  private Optional<URI> devMailUrl = Optional.empty();

  /** What the features offer to the outside. */
  private record Features(
      List<Route> routes,
      AccountAdministration administration,
      KeyAdministration keys,
      MailAdministration mails,
      Audit audit,
      BearerTokens bearerTokens,
      Revocations revocations) {}

  /** Without a patience there is no listener. */
  private AuthService(
      Settings settings, Path folder, Clock clock, Secrets secrets, Optional<Duration> patience) {
    this.settings = settings;
    this.folder = folder;
    this.clock = clock;
    this.secrets = secrets;
    var listener = settings.listener();
    this.http = patience.map(it -> HttpServer.open(listener.host(), listener.port(), it, secrets));
    this.management = patience.flatMap(this::openManagement);
    int port = http.map(HttpServer::port).orElse(listener.port());
    this.publicBaseUrl =
        listener.publicBaseUrl().orElseGet(() -> URI.create("http://localhost:" + port));
    this.tracing = Tracing.of(settings.tracing());
    this.database = tracing.traced(Database.open(settings.database(), meters));
    this.lagging = LaggingReads.open(settings.database(), database, tracing::traced, meters);
    new Migrations(settings.database()).atStart();
    this.installations = new Installations(database, clock, secrets);
    this.installation = installations.get();
    this.clockKeeper = keepClock();
    var tokens = settings.tokens();
    this.keyring =
        new Keyring(tokens.secretKey(), tokens.previousKeys(), installation.salt(), secrets);
    this.secretKeys =
        new SecretKeys(database, keyring, settings.sessions().idleLife(), clock, meters);
    secretKeys.open();
    var schemes = new StoredSchemes();
    this.hasher = new PasswordHasher(scheme(), schemes::mixed, secrets, meters);
    this.nodes = new Nodes(database, clock, secrets, settings.sessions().reuseGrace(), meters);
    this.features = features(schemes);
    this.health = new Health(database::reachable, this::follows);
    this.rates = new RequestRates(settings.limits(), keyring, clock, meters);
  }

  /** Whether stored password hashes are of several schemes; looked up now and then. */
  private static final class StoredSchemes {
    private volatile boolean mixed;

    boolean mixed() {
      return mixed;
    }

    void look(Accounts accounts, PasswordHasher.Scheme scheme) {
      mixed = accounts.anyHashOutside(scheme.prefix());
    }
  }

  /**
   * Starts the service.
   *
   * @param folder where the development key is kept
   * @param clock a {@link DatabaseClock} is kept at the database's time; any other is taken as
   *     right
   * @throws StartFailure with one sentence for the operator when it cannot start
   */
  public static AuthService start(Settings settings, Path folder, Clock clock, Secrets secrets) {
    return start(settings, folder, clock, secrets, HttpServer.PATIENCE);
  }

  /** The same, with another patience for slow clients than {@link HttpServer#PATIENCE}. */
  public static AuthService start(
      Settings settings, Path folder, Clock clock, Secrets secrets, Duration patience) {
    var service = new AuthService(settings, folder, clock, secrets, Optional.of(patience));
    service.http.ifPresent(service::serve);
    return service;
  }

  /** The features without listeners and workers, for commands. */
  static AuthService offline(Settings settings, Clock clock, Secrets secrets) {
    return new AuthService(settings, Path.of(""), clock, secrets, Optional.empty());
  }

  /** Where the service is reached. */
  public URI publicBaseUrl() {
    return publicBaseUrl;
  }

  /** The port it listens on. */
  public int port() {
    return http.orElseThrow().port();
  }

  /** The port of the management listener. */
  public Optional<Integer> managementPort() {
    return management.map(HttpServer::port);
  }

  /** Where the development mailbox is read, with its key; empty when there is none. */
  public Optional<URI> devMailUrl() {
    return devMailUrl;
  }

  /** What to tell the operator while this node lacks a secret key, and so decides nothing. */
  Optional<String> lack() {
    return secretKeys.lack();
  }

  /** The endpoints of the features. */
  List<Route> routes() {
    return features.routes();
  }

  /** The background worker of that name; tests run its task when they want it done. */
  public Worker worker(String name) {
    return workers.stream().filter(it -> it.name().equals(name)).findFirst().orElseThrow();
  }

  /** What an operator can do to keys. */
  public KeyAdministration keys() {
    return features.keys();
  }

  /** What an operator can do to accounts. */
  public AccountAdministration administration() {
    return features.administration();
  }

  /** What keeps the clock at the database's time; empty when a clock was given that is right. */
  public Optional<ClockKeeper> clockKeeper() {
    return clockKeeper;
  }

  /** What an operator can do to mails. */
  MailAdministration mails() {
    return features.mails();
  }

  /** What has happened. */
  SecurityEvents events() {
    return features.audit().events();
  }

  /** The evidence that nobody changed what has happened. */
  public Seals seals() {
    return features.audit().seals();
  }

  /** Stops: not ready, then nothing new, then what is under way is finished. */
  @Override
  public void close() {
    health.serving(false);
    http.ifPresent(listener -> {
      listener.letGo();
      pause(settings.listener().shutdownDelay());
      listener.stop();
    });
    management.ifPresent(HttpServer::stop);
    workers.forEach(Worker::stop);
    http.ifPresent(it -> nodes.leave());
    rates.close();
    hasher.close();
    lagging.close();
    database.close();
    tracing.close();
    metrics.close();
    http.ifPresent(it -> log.info("stopped")); // a command prints its answer and nothing else
  }

  private Optional<ClockKeeper> keepClock() {
    if (!(clock instanceof DatabaseClock databaseClock)) {
      return Optional.empty();
    }
    var keeper = new ClockKeeper(database, databaseClock, meters);
    keeper.start();
    workers.add(keeper.worker());
    return Optional.of(keeper);
  }

  /** Whether this node knows the time and which sessions have ended. */
  private boolean follows() {
    return clockKeeper.map(ClockKeeper::ready).orElse(true)
        && features.revocations().fresh()
        && secretKeys.covered();
  }

  private Optional<HttpServer> openManagement(Duration patience) {
    var listener = settings.listener();
    try {
      return listener
          .managementPort()
          .map(port -> HttpServer.open(listener.host(), port, patience, secrets));
    } catch (StartFailure busy) {
      if (settings.production()) {
        throw busy;
      }
      log.warn("no metrics: {} (MANAGEMENT_PORT; 0 turns it off)", busy.getMessage());
      return Optional.empty();
    }
  }

  private PasswordHasher.Scheme scheme() {
    return switch (settings.passwords().hash()) {
      case ARGON2ID -> PasswordHasher.Scheme.ARGON2ID;
      case BCRYPT -> PasswordHasher.Scheme.BCRYPT;
      case AUTO ->
          installation.adopted() ? PasswordHasher.Scheme.BCRYPT : PasswordHasher.Scheme.ARGON2ID;
    };
  }

  private Features features(StoredSchemes schemes) {
    List<Route> routes = new ArrayList<>();
    var audit = new Audit(database, lagging, settings, keyring, clock, secrets, meters);
    SecurityEvents events = audit.events();
    workers.addAll(audit.workers());
    var legacy =
        new LegacyTokens(
            settings.tokens().legacy(),
            installation.adopted(),
            installation.legacyTokenSeenAt().orElse(installation.createdAt()));
    var keyAdministration = new KeyAdministration(keyring, secretKeys, signingKeys());
    AccessKeys accessKeys =
        keyAdministration
            .signingKeys()
            .<AccessKeys>map(it -> it)
            .orElseGet(() -> new SharedKeys(keyring, settings.tokens().algorithm()));
    var accessTokens =
        new AccessTokens(settings.tokens(), publicBaseUrl.toString(), accessKeys, clock, secrets);
    var pythonTokens = new PythonTokens(settings.tokens(), keyring, legacy, clock);
    var revocations = new Revocations(database, clock, meters);
    var bearerTokens = new BearerTokens(accessTokens, pythonTokens, revocations, clock);
    var outbox = outbox(routes);
    var devices = new Devices(database, keyring, clock, secrets);
    var accounts = new Accounts(database, clock, secrets);
    var otps =
        new Otps(
            database,
            settings.codes(),
            keyring,
            hasher,
            installation.adopted(),
            outbox,
            clock,
            secrets);
    var sessions =
        new Sessions(
            database,
            settings.sessions(),
            accounts,
            accessTokens,
            new RefreshTokens(keyring),
            revocations,
            devices,
            events,
            outbox,
            keyring,
            nodes::reuseGrace,
            () -> clockKeeper.map(ClockKeeper::steady).orElse(true),
            clock,
            secrets,
            meters);
    var pythonSessions =
        new PythonSessions(database, sessions, accounts, pythonTokens, revocations, keyring, clock);
    var overview = new SessionOverview(database, lagging, sessions, accounts, clock);
    var pending = new Pending(database, keyring, clock, secrets);
    var signins =
        new Signins(
            new Signins.Parts(
                database,
                settings.registration(),
                settings.alarms(),
                settings.codes(),
                new PasswordPolicy(settings.passwords().policy()),
                hasher,
                accounts,
                new PendingRegistrations(database, clock),
                devices,
                new LoginThrottle(database, clock),
                otps,
                outbox,
                events,
                sessions,
                pythonSessions,
                overview,
                legacy,
                bearerTokens::accept,
                List.of(pending),
                keyring,
                clock,
                secrets));
    routes.addAll(signins.routes());
    routes.addAll(
        new Oidc(
                new Oidc.Parts(
                    database,
                    settings.providers(),
                    publicBaseUrl,
                    accounts,
                    new Identities(database, clock),
                    devices,
                    outbox,
                    events,
                    sessions,
                    bearerTokens::accept,
                    clock,
                    meters,
                    tracing),
                pending,
                signins.mailboxProof())
            .routes());
    routes.addAll(new SessionRoutes(sessions, pythonSessions, overview).routes());
    routes.addAll(new ProfileRoutes(accounts).routes());
    routes.addAll(
        new EventRoutes(events, principal -> accounts.of(principal).isPresent()).routes());
    routes.addAll(new CheckRoutes().routes());
    routes.addAll(
        new KeyRoutes(
                accessKeys,
                settings.tokens().algorithm().name(),
                accessTokens.issuer(),
                publicBaseUrl.toString())
            .routes());
    routes.addAll(
        new OAuthRoutes(
                new OAuthRoutes.Parts(
                    settings.apiClients(),
                    database,
                    accounts,
                    sessions,
                    pythonSessions,
                    bearerTokens,
                    revocations,
                    signins.leaving(),
                    events,
                    clock,
                    secrets,
                    meters))
            .routes());
    routes.addAll(new DocsRoutes(settings.listener().docs(), publicBaseUrl.toString()).routes());
    workers.add(secretKeys.follower());
    workers.add(revocations.follower());
    workers.add(nodes.worker());
    workers.add(
        new Agreement(
                database,
                settings.shared(publicBaseUrl.toString()),
                keyring,
                clock,
                secrets,
                meters)
            .worker());
    workers.add(
        new CleanUp(
                database,
                Stream.of(
                        sessions.sweeps(),
                        otps.sweeps(),
                        revocations.sweeps(),
                        outbox.sweeps(),
                        devices.sweeps(),
                        pending.sweeps(),
                        signins.sweeps(),
                        keyAdministration.sweeps(),
                        audit.sweeps())
                    .flatMap(List::stream)
                    .toList(),
                () -> clockKeeper.map(ClockKeeper::steady).orElse(true),
                clock,
                secrets,
                meters)
            .worker());
    workers.add(outbox.sender());
    workers.add(
        new Worker(
            "installation",
            INSTALLATION_CHECK,
            () -> {
              schemes.look(accounts, scheme());
              legacy.seenHere().ifPresent(installations::noteLegacyToken);
              installations.get().legacyTokenSeenAt().ifPresent(legacy::seen);
            },
            meters));
    return new Features(
        routes,
        signins.administration(),
        keyAdministration,
        outbox.administration(),
        audit,
        bearerTokens,
        revocations);
  }

  private Optional<SigningKeys> signingKeys() {
    Algorithm algorithm = settings.tokens().algorithm();
    if (algorithm.symmetric()) {
      return Optional.empty();
    }
    var keys =
        new SigningKeys(
            database,
            algorithm,
            keyring.sealer("signing key", secrets),
            secretKeys::covered,
            clock,
            meters);
    keys.follower().runOnce();
    workers.add(keys.follower());
    return Optional.of(keys);
  }

  private Outbox outbox(List<Route> routes) {
    var outbox =
        new Outbox(
            database,
            transport(routes),
            new Templates(
                settings.mail().look(),
                publicBaseUrl.getHost(),
                settings.codes().life().toMinutes()),
            settings.mail(),
            keyring,
            clock,
            secrets,
            meters);
    routes.addAll(new MailEventRoutes(outbox.events()).routes());
    return outbox;
  }

  private Transport transport(List<Route> routes) {
    var smtp = settings.mail().smtp();
    if (smtp.isPresent()) {
      return new SmtpTransport(smtp.get(), settings.mail().from(), clock, tracing);
    }
    if (settings.production()) {
      log.warn("SMTP_HOST is not set: no mail leaves, and codes are refused");
      return new NoTransport();
    }
    var mailbox = new DevMailbox(System.out, clock);
    boolean reachable = isLoopback(settings.listener().host());
    if (http.isPresent() && reachable && isLoopback(publicBaseUrl.getHost())) {
      Secret key = SecretFile.open(folder.resolve(DEV_KEY_FILE), () -> Secret.of(secrets.id()));
      routes.addAll(new DevMailRoutes(mailbox, key).routes());
      devMailUrl = Optional.of(publicBaseUrl.resolve("/dev/mail?key=" + key.reveal()));
    }
    return mailbox;
  }

  private static boolean isLoopback(String host) {
    return host.equals("localhost")
        || host.startsWith("127.")
        || host.equals("::1")
        || host.equals("[::1]");
  }

  private void serve(HttpServer server) {
    features.revocations().follower().runOnce();
    nodes.worker().runOnce();
    Map<String, String> watched = settings.watched(publicBaseUrl.toString());
    watched.put("SECRET_KEY", keyring.current().id());
    features.audit().compare(watched);
    var listener = settings.listener();
    var headers = new SecurityHeaders("https".equals(publicBaseUrl.getScheme()));
    var addresses = new ClientAddresses(settings.limits().trustedProxies());
    List<Route> routes = new ArrayList<>(features.routes());
    routes.add(health.publicRoute());
    requireEndpoints(settings.limits().endpoints().keySet(), routes);
    var site =
        new Site(
            routes,
            tracing.around(new AccessLog(listener.slowRequest(), meters)),
            headers,
            new Cors(listener.corsOrigins()),
            new Failsafe(),
            secretKeys::guard,
            features.bearerTokens()::accept,
            rates);
    server.start(site, headers, addresses, publicBaseUrl::toString, DRAIN);
    management.ifPresent(it -> serveManagement(it, headers, addresses));
    features.revocations().listen();
    secretKeys.listen();
    features.keys().signingKeys().ifPresent(SigningKeys::listen);
    workers.forEach(Worker::start);
    Thread.ofVirtual().name("warm-up").start(hasher::warmUp);
    health.serving(true);
    log.info("listening on {}", publicBaseUrl);
  }

  /** A limit on an endpoint that is not there would limit nothing. */
  private static void requireEndpoints(Set<String> limited, List<Route> routes) {
    List<String> known = routes.stream().map(it -> it.method() + " " + it.template()).toList();
    limited.stream()
        .filter(endpoint -> !known.contains(endpoint))
        .findFirst()
        .ifPresent(endpoint -> {
          throw new StartFailure(
              "RATE_LIMITS: there is no endpoint %s; for example RATE_LIMITS={\"POST /auth/login\":"
                      .formatted(endpoint)
                  + " \"20/minute\"}");
        });
  }

  private void serveManagement(
      HttpServer server, SecurityHeaders headers, ClientAddresses addresses) {
    List<Route> routes = new ArrayList<>(health.managementRoutes());
    routes.add(metrics.route());
    var site =
        new Site(
            routes,
            (request, next) -> next.handle(request),
            headers,
            (request, next) -> next.handle(request),
            new Failsafe(),
            (request, next) -> next.handle(request),
            token -> Optional.empty(),
            (request, next) -> next.handle(request));
    server.start(site, headers, addresses, publicBaseUrl::toString, Duration.ofSeconds(1));
  }

  private static void pause(Duration delay) {
    try {
      Thread.sleep(delay);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
