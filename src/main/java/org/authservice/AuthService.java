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
import org.authservice.audit.Seals;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Installation;
import org.authservice.database.Installations;
import org.authservice.database.LaggingReads;
import org.authservice.database.Migrations;
import org.authservice.http.AccessLog;
import org.authservice.http.Cors;
import org.authservice.http.Failsafe;
import org.authservice.http.HttpServer;
import org.authservice.http.Route;
import org.authservice.http.SecurityHeaders;
import org.authservice.http.Site;
import org.authservice.mail.MailAdministration;
import org.authservice.operations.ClockKeeper;
import org.authservice.operations.DatabaseClock;
import org.authservice.operations.Health;
import org.authservice.operations.Metrics;
import org.authservice.operations.Nodes;
import org.authservice.operations.SecretKeys;
import org.authservice.operations.Tracing;
import org.authservice.operations.Worker;
import org.authservice.ratelimit.ClientAddresses;
import org.authservice.ratelimit.RequestRates;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secrets;
import org.authservice.settings.Settings;
import org.authservice.settings.StartFailure;
import org.authservice.signin.AccountAdministration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service: binds the sockets, opens the database, builds the {@link Features} on that, and only
 * then serves; stops all of it.
 */
public final class AuthService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AuthService.class);
  private static final Duration DRAIN = Duration.ofSeconds(30);

  private final Settings settings;
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
  private final Keyring keyring;
  private final SecretKeys secretKeys;
  private final Health health;
  private final Optional<ClockKeeper> clockKeeper;
  private final Nodes nodes;
  private final Features features;
  private final List<Route> routes;
  private final RequestRates rates;

  /** Without a patience there is no listener. */
  private AuthService(
      Settings settings, Path folder, Clock clock, Secrets secrets, Optional<Duration> patience) {
    this.settings = settings;
    this.clock = clock;
    this.secrets = secrets;
    var listener = settings.listener();
    this.http = patience.map(it -> HttpServer.open(listener.host(), listener.port(), it));
    this.management = patience.flatMap(this::openManagement);
    int port = http.map(HttpServer::port).orElse(listener.port());
    this.publicBaseUrl =
        listener.publicBaseUrl().orElseGet(() -> URI.create("http://localhost:" + port));
    this.tracing = Tracing.of(settings.tracing());
    this.database = tracing.traced(Database.open(settings.database(), meters));
    this.lagging = LaggingReads.open(settings.database(), database, tracing::traced, meters);
    new Migrations(settings.database()).atStart();
    this.installations = new Installations(database, clock, secrets);
    var installation = installations.get();
    this.clockKeeper = keepClock();
    var tokens = settings.tokens();
    this.keyring =
        new Keyring(tokens.secretKey(), tokens.previousKeys(), installation.salt(), secrets);
    this.secretKeys =
        new SecretKeys(database, keyring, settings.sessions().idleLife(), clock, meters);
    secretKeys.open();
    this.nodes = new Nodes(database, clock, secrets, settings.sessions().reuseGrace(), meters);
    this.features = new Features(foundation(installation, patience.map(_ -> folder)));
    this.routes = features.routes();
    workers.addAll(features.workers());
    this.health = new Health(database::reachable, this::follows);
    this.rates = new RequestRates(settings.limits(), keyring, clock, meters);
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
    return features.mailroom().devMailUrl();
  }

  /** What to tell the operator while this node lacks a secret key, and so decides nothing. */
  Optional<String> lack() {
    return secretKeys.lack();
  }

  /** The endpoints of the features. */
  List<Route> routes() {
    return routes;
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
    return features.signins().administration();
  }

  /** What keeps the clock at the database's time; empty when a clock was given that is right. */
  public Optional<ClockKeeper> clockKeeper() {
    return clockKeeper;
  }

  /** What an operator can do to mails. */
  public MailAdministration mails() {
    return features.mailroom().outbox().administration();
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
    Worker.stop(workers);
    http.ifPresent(it -> nodes.leave());
    rates.close();
    features.hasher().close();
    lagging.close();
    database.close();
    tracing.close();
    metrics.close();
    http.ifPresent(it -> log.info("stopped")); // a command prints its answer and nothing else
  }

  private Foundation foundation(Installation installation, Optional<Path> folder) {
    return new Foundation(
        settings,
        publicBaseUrl,
        folder,
        database,
        lagging,
        installations,
        installation,
        keyring,
        secretKeys,
        nodes,
        () -> clockKeeper.map(ClockKeeper::steady).orElse(true),
        tracing,
        clock,
        secrets,
        meters);
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
          .map(port -> HttpServer.open(listener.host(), port, patience));
    } catch (StartFailure busy) {
      if (settings.production()) {
        throw busy;
      }
      log.warn("no metrics: {} (MANAGEMENT_PORT; 0 turns it off)", busy.getMessage());
      return Optional.empty();
    }
  }

  private void serve(HttpServer server) {
    features.revocations().follower().runOnce();
    nodes.worker().runOnce();
    Map<String, String> watched = settings.watched(publicBaseUrl.toString());
    watched.put("SECRET_KEY", keyring.current().id());
    watched.put(
        "SECRET_KEY_PREVIOUS",
        keyring.all().stream().skip(1).map(Keyring.Key::id).sorted().toList().toString());
    features.audit().compare(watched, settings.watchedSecrets());
    var listener = settings.listener();
    var headers = new SecurityHeaders("https".equals(publicBaseUrl.getScheme()));
    var addresses = new ClientAddresses(settings.limits().trustedProxies());
    List<Route> all = new ArrayList<>(routes);
    all.add(health.publicRoute());
    requireEndpoints(settings.limits().endpoints().keySet(), all);
    var site =
        new Site(
            all,
            tracing.around(new AccessLog(listener.slowRequest(), meters)),
            headers,
            new Cors(listener.corsOrigins()),
            new Failsafe(),
            secretKeys::guard,
            features.bearerTokens()::accept,
            rates);
    server.start(site, headers, addresses, publicBaseUrl::toString, DRAIN);
    management.ifPresent(it -> serveManagement(it, headers, addresses));
    database.listen(features.channels());
    workers.forEach(Worker::start);
    health.serving(true);
    log.info("listening on {}", publicBaseUrl);
    Thread.ofVirtual().name("warm-up").start(features.hasher()::warmUp);
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
    List<Route> own = new ArrayList<>(health.managementRoutes());
    own.add(metrics.route());
    var site =
        new Site(
            own,
            (request, next) -> next.handle(request),
            headers,
            (request, next) -> next.handle(request),
            new Failsafe(),
            (request, next) -> next.handle(request),
            token -> Optional.empty(),
            (request, next) -> next.handle(request));
    // Longer than the second after which a stopping listener closes what its clients keep open.
    server.start(site, headers, addresses, publicBaseUrl::toString, Duration.ofSeconds(5));
  }

  private static void pause(Duration delay) {
    try {
      Thread.sleep(delay);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
