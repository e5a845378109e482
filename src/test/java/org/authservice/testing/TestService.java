package org.authservice.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import org.authservice.AuthService;
import org.authservice.operations.DatabaseClock;
import org.authservice.secret.Secrets;
import org.authservice.settings.SettingsReader;
import org.authservice.token.SigningKeys;
import org.jspecify.annotations.Nullable;

/**
 * The whole service on a real database, entered by HTTP. Rate limits are off unless a test sets
 * them; the clock stands still unless a test moves it. On PostgreSQL it is a {@link Cluster} when
 * the tests are run so.
 */
public final class TestService implements AutoCloseable {
  /** A password that every policy accepts. */
  public static final String PASSWORD = "Correct-Horse7!";

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Pattern CODE = Pattern.compile("(?<![0-9])[0-9]{6}(?![0-9])");

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final TestDatabase database;
  private final boolean ownsDatabase;
  private final TestClock clock;
  private final Path folder;
  private final AuthService service;
  private final Optional<Cluster> cluster;

  private TestService(Builder builder) {
    this.database = builder.database;
    this.ownsDatabase = builder.ownsDatabase;
    this.clock = builder.clock;
    try {
      this.folder = Files.createTempDirectory("auth-test");
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    boolean several = Cluster.size() > 1 && builder.database.url().startsWith("postgresql:");
    this.cluster =
        several
            ? Optional.of(
                Cluster.start(folder, builder.settings, settings -> node(builder, settings)))
            : Optional.empty();
    this.service = cluster.map(Cluster::first).orElseGet(() -> node(builder, builder.settings));
  }

  private AuthService node(Builder builder, Map<String, String> settings) {
    return AuthService.start(
        SettingsReader.read(settings, folder, Secrets.secure()).settings(),
        folder,
        builder.machineClock == null ? clock : builder.machineClock,
        Secrets.secure(),
        builder.patience);
  }

  /** The service on a fresh database. */
  public static TestService on(Databases engine) {
    return with(engine).start();
  }

  /** The service on a fresh database, to be set up further. */
  public static Builder with(Databases engine) {
    return new Builder(engine.migrated(), true);
  }

  /** The service on a database that the test owns. */
  public static Builder with(TestDatabase database) {
    return new Builder(database, false);
  }

  /** How a service is set up. */
  public static final class Builder {
    private final TestDatabase database;
    private final boolean ownsDatabase;
    private final Map<String, String> settings = new HashMap<>();
    private TestClock clock = new TestClock();
    private @Nullable Clock machineClock;
    private Duration patience = Duration.ofSeconds(30);

    private Builder(TestDatabase database, boolean ownsDatabase) {
      this.database = database;
      this.ownsDatabase = ownsDatabase;
      set("DATABASE_URL", database.url());
      set("SECRET_KEY", "a-key-for-tests-0123456789abcdefghijkl");
      set("PORT", "0");
      set("MANAGEMENT_PORT", "0");
      set("RATE_LIMIT_PER_MINUTE", "0");
      set("MAIL_CONNECTIONS", "1"); // so that mails arrive in the order in which they were queued
    }

    /** Sets one of the service's settings. */
    public Builder set(String name, String value) {
      settings.put(name, value);
      return this;
    }

    /** Uses that clock. */
    public Builder clock(TestClock other) {
      clock = other;
      return this;
    }

    /** Serves metrics too. */
    public Builder metrics() {
      return set("MANAGEMENT_PORT", Integer.toString(FreePort.find()));
    }

    /** Lets time pass. */
    public Builder realTime() {
      machineClock = Clock.systemUTC();
      return this;
    }

    /** Lets time pass as the database tells it, on a machine with that clock. */
    public Builder machineClock(Clock clock) {
      machineClock = new DatabaseClock(clock);
      return this;
    }

    /** How long a request may take to arrive. */
    public Builder patience(Duration other) {
      patience = other;
      return this;
    }

    /** Starts it. */
    public TestService start() {
      return new TestService(this);
    }
  }

  /** The clock to move. */
  public TestClock clock() {
    return clock;
  }

  /** The database, to look behind the service's back. */
  public TestDatabase database() {
    return database;
  }

  /** The service itself, for what has no HTTP form. */
  public AuthService service() {
    return service;
  }

  /** The key pairs that sign, as {@code bin/auth keys} works on them. */
  public SigningKeys signingKeys() {
    return service.keys().signingKeys().orElseThrow();
  }

  /** The working folder. */
  public Path folder() {
    return folder;
  }

  /** The port that the node itself listens on. */
  public int port() {
    return service.port();
  }

  /** Sends JSON with header fields given as name, value, name, value. */
  public Reply post(String path, Map<String, ?> body, String... headers) {
    return send("POST", path, json(body), headers);
  }

  /** Sends JSON. */
  public Reply put(String path, Map<String, ?> body, String... headers) {
    return send("PUT", path, json(body), headers);
  }

  /** Asks. */
  public Reply get(String path, String... headers) {
    return send("GET", path, null, headers);
  }

  /** Sends any body, as JSON unless a Content-Type is given; null sends none. */
  public Reply send(String method, String path, @Nullable String body, String... headers) {
    cluster.ifPresent(Cluster::settle);
    int port = cluster.map(it -> it.port(List.of(headers))).orElseGet(this::port);
    return send(port, method, path, body, headers);
  }

  private Reply send(
      int port, String method, String path, @Nullable String body, String... headers) {
    var request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
            .timeout(Duration.ofSeconds(60))
            .method(
                method,
                body == null
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body));
    if (body != null && !List.of(headers).contains("Content-Type")) {
      request.header("Content-Type", "application/json");
    }
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      return new Reply(client.send(request.build(), HttpResponse.BodyHandlers.ofString()));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  /** What Prometheus reads; see {@link Builder#metrics}. */
  public String metrics() {
    return send(service.managementPort().orElseThrow(), "GET", "/metrics", null).http().body();
  }

  /** Does the same many times at once, and returns what came of each. */
  public static <T> List<T> parallel(int count, Callable<T> action) {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<T>> futures = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        futures.add(threads.submit(action));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get());
      }
      return results;
    } catch (ExecutionException | InterruptedException failure) {
      throw new IllegalStateException(failure);
    }
  }

  /** Registers an account with {@link #PASSWORD}. */
  public Reply register(String email) {
    return post("/auth/register", Map.of("email", email, "password", PASSWORD)).expect(201);
  }

  /** Registers an account, verifies its address and returns its tokens. */
  public Reply verified(String email) {
    String otpId = register(email).text("otp_id");
    return verify(email, "verification", code(email), otpId).expect(200);
  }

  /** Logs in. */
  public Reply login(String email, String password, String... headers) {
    return post("/auth/login", Map.of("email", email, "password", password), headers);
  }

  /** Asks for a code. */
  public Reply ask(String email, String purpose, String... headers) {
    return post("/auth/generate-otp", Map.of("email", email, "purpose", purpose), headers);
  }

  /** Enters a code without its id. */
  public Reply verify(String email, String purpose, String code) {
    return post("/auth/verify-otp", Map.of("email", email, "purpose", purpose, "otp_code", code));
  }

  /** Enters a code with its id. */
  public Reply verify(String email, String purpose, String code, String otpId, String... headers) {
    return post(
        "/auth/verify-otp",
        Map.of("email", email, "purpose", purpose, "otp_code", code, "otp_id", otpId),
        headers);
  }

  /** Refreshes. */
  public Reply refresh(String token) {
    return post("/auth/refresh", Map.of("refresh_token", token));
  }

  /** Logs out. */
  public Reply logout(String token, String scope) {
    return post("/auth/logout", Map.of("refresh_token", token, "scope", scope));
  }

  /** The account as an access token sees it. */
  public Reply profile(String accessToken) {
    return get("/auth/profile", "Authorization", "Bearer " + accessToken);
  }

  /** The mails that have been sent to an address, newest first. */
  public List<JsonNode> mails(String email) {
    service.worker("mail").runOnce();
    try {
      String key = Files.readString(folder.resolve(".auth-dev-key")).strip();
      List<JsonNode> mails = new ArrayList<>();
      String path = "/dev/mail?key=" + key + "&to=" + email.replace("+", "%2B");
      send(port(), "GET", path, null).expect(200).json().path("mails").forEach(mails::add);
      return mails;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** The code in the newest mail to an address that holds one. */
  public String code(String email) {
    List<JsonNode> mails = mails(email);
    for (JsonNode mail : mails) {
      var matcher = CODE.matcher(mail.path("text").asText());
      if (matcher.find()) {
        return matcher.group();
      }
    }
    throw new AssertionError("no mail to " + email + " holds a code: " + mails);
  }

  /** A six-digit code that is not this one. */
  public static String otherThan(String code) {
    return "%06d".formatted((Integer.parseInt(code) + 1) % 1_000_000);
  }

  @Override
  public void close() {
    client.shutdownNow(); // an open connection would be waited for
    cluster.ifPresentOrElse(Cluster::close, service::close);
    if (ownsDatabase) {
      database.close();
    }
  }

  private static String json(Map<String, ?> body) {
    ObjectNode node = MAPPER.valueToTree(body);
    return node.toString();
  }
}
