import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleUnaryOperator;
import org.authservice.operations.Logging;
import org.authservice.password.PasswordHasher;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.settings.LogSettings;

/**
 * Measures the service side by side with what the machine can do, in interleaved rounds, on a real
 * PostgreSQL with durable commits, and prints ratios: absolute figures mean nothing on a machine
 * that others use. Everything goes to loopback and ends by itself.
 *
 * <p>bin/bench [--smoke] [--rounds N] [--seconds N] [--accounts N]
 */
final class Bench {
  private static final String PASSWORD = "Correct-Horse-7-Battery";
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final AtomicLong UNIQUE = new AtomicLong(System.nanoTime());

  private final Path work;
  private final Path jar;
  private final boolean smoke;
  private final int rounds;
  private final double seconds;
  private final int accounts;
  private final int clients;
  private final Map<String, List<Double>> samples = new LinkedHashMap<>();

  private Bench(Path work, Path jar, Map<String, String> options) {
    this.work = work;
    this.jar = jar;
    this.smoke = options.containsKey("--smoke");
    this.rounds = Integer.parseInt(options.getOrDefault("--rounds", smoke ? "1" : "5"));
    this.seconds = Double.parseDouble(options.getOrDefault("--seconds", smoke ? "1" : "4"));
    this.accounts = Integer.parseInt(options.getOrDefault("--accounts", smoke ? "10000" : "1000000"));
    this.clients = smoke ? 8 : 64;
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = 1; i < arguments.length; i++) {
      options.put(arguments[i], arguments[i].equals("--smoke") ? "" : arguments[++i]);
    }
    Logging.configure(new LogSettings("WARN", false));
    Path work = Files.createTempDirectory("auth-bench");
    Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(work)));
    Postgres.run(List.of("chmod", "755", work.toString()));
    new Bench(work, Path.of(arguments[0]).toAbsolutePath(), options).run();
  }

  private void run() throws Exception {
    start();
    try (Postgres postgres = new Postgres(work);
        Server durable = service(postgres, "small", Map.of("REFRESH_REUSE_GRACE_SECONDS", "0"));
        Server graced = service(postgres, "small", Map.of());
        Server empty = empty()) {
      note("memory after start, MB", durable.megabytes());
      accounts(postgres, "small", 10_000);
      List<Session> sessions = sessions(durable.port());
      List<Session> repeated = sessions(graced.port());
      Path script = script();
      warmUp(durable, graced, empty, sessions, repeated);
      for (int round = 1; round <= rounds; round++) {
        System.err.printf("round %d of %d%n", round, rounds);
        note("pgbench, one row each", postgres.pgbench("small", script, seconds));
        measure("refresh", durable, postgres, sessions, 0);
        measure("refresh inside the grace", graced, postgres, repeated, 0);
        measure("check", durable, postgres, checks(sessions), 0);
        note("empty endpoint", Load.run(empty.port(), checks(sessions), seconds, 0).perSecond());
        measure("login", durable, postgres, logins(8), 0);
        note("hashes", hashes());
        measure("generate-otp", durable, postgres, codes(), 0);
        calmAndBusy(durable, sessions);
      }
      note("memory under load, MB", durable.megabytes());
      hot(postgres);
      growth(postgres);
    }
    print();
  }

  /** From the start of the process to the first healthy answer, on SQLite. */
  private void start() throws Exception {
    for (int i = 0; i <= rounds; i++) {
      Path folder = Files.createDirectories(work.resolve("sqlite"));
      try (Server server = serve(Map.of("DATABASE_URL", "sqlite:///" + folder + "/auth.db"), folder)) {
        if (i > 0) { // the first makes the database
          note("start on SQLite, s", server.startSeconds());
          note("memory after start on SQLite, MB", server.megabytes());
        }
      }
    }
  }

  private Server service(Postgres postgres, String database, Map<String, String> more)
      throws Exception {
    if (postgres.sql("postgres", "SELECT 1 FROM pg_database WHERE datname='" + database + "'").isBlank()) {
      postgres.sql("postgres", "CREATE DATABASE " + database);
    }
    Map<String, String> environment = new LinkedHashMap<>(more);
    environment.put("DATABASE_URL", postgres.url(database));
    return serve(environment, Files.createDirectories(work.resolve("service-" + UNIQUE.incrementAndGet())));
  }

  /** As bin/serve starts it, with production's log and without limits. */
  private Server serve(Map<String, String> more, Path folder) throws Exception {
    int port = Server.freePort();
    Map<String, String> environment = new LinkedHashMap<>(more);
    environment.put("PORT", "" + port);
    environment.put("MANAGEMENT_PORT", "0");
    environment.put("LOG_FORMAT", "json");
    environment.put("RATE_LIMIT_PER_MINUTE", "0");
    environment.put("SECRET_KEY", "bench-bench-bench-bench-bench-bench-0123456789abcdefABCDEF");
    environment.put("JWT_ISSUER", "http://bench");
    return Server.start(
        List.of(jar.getParent().getParent().getParent() + "/bin/serve"),
        environment,
        folder.resolve("log"),
        port,
        () -> healthy(port));
  }

  private Server empty() throws Exception {
    int port = Server.freePort();
    return Server.start(
        List.of(
            System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC", "-Xmx192m", "-cp",
            jar.getParent().resolve("lib") + "/*",
            jar.getParent().getParent().getParent() + "/bench/Empty.java", "" + port),
        Map.of(),
        work.resolve("empty.log"),
        port,
        () -> answers(port));
  }

  private static boolean healthy(int port) {
    try {
      return get(port, "/health") == 200;
    } catch (IOException | InterruptedException notYet) {
      return false;
    }
  }

  private static boolean answers(int port) {
    try {
      return get(port, "/") == 204;
    } catch (IOException | InterruptedException notYet) {
      return false;
    }
  }

  private static int get(int port, String path) throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
    return HTTP.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  /** Fills the tables by COPY: accounts, a session each, and codes, events and mails of the past. */
  private void accounts(Postgres postgres, String database, int count) throws Exception {
    String hash;
    try (var hasher = hasher()) {
      hash = hasher.hash(Secret.of(PASSWORD));
    }
    Path rows = work.resolve("rows.csv");
    try (var out = Files.newBufferedWriter(rows)) {
      for (int i = 1; i <= count; i++) {
        out.write("bench" + i + "@example.com," + "\"" + hash + "\"" + ",t,t,2025-01-01\n");
      }
    }
    postgres.sql(database, "\\copy users (email, hashed_password, is_active, is_verified, created_at) FROM '" + rows + "' CSV");
    Files.delete(rows);
    postgres.sql(
        database,
        """
        INSERT INTO sessions SELECT md5('s' || id), id, 1, 0, 0, 0, 0, 4102444800000, 4102444800000,
          1700000000000 + id, 1700000000000, NULL, NULL, '127.0.0.1', 'bench' FROM users
          WHERE email LIKE 'bench%'
        """);
    postgres.sql(
        database,
        """
        INSERT INTO security_events SELECT md5('e' || id), 1700000000000 + id, 'login', 'ok', id,
          NULL, '127.0.0.1', 'bench', 'bench' FROM users WHERE email LIKE 'bench%'
        """);
    postgres.sql(database, "ANALYZE");
  }

  /** One client's session: it always holds the newest tokens. */
  private static final class Session implements Load.Client {
    private String refresh = "";
    private String access = "";

    @Override
    public byte[] next() {
      return post("/auth/refresh", "{\"refresh_token\":\"" + refresh + "\"}");
    }

    @Override
    public void answered(String head, String body) {
      int at = body.indexOf("\"refresh_token\":\"");
      if (at >= 0) {
        refresh = body.substring(at + 17, body.indexOf('"', at + 17));
      }
    }

    byte[] check() {
      return ("GET /auth/check HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + access + "\r\n\r\n")
          .getBytes(StandardCharsets.ISO_8859_1);
    }
  }

  private List<Session> sessions(int port) throws Exception {
    List<Session> sessions = new ArrayList<>();
    for (int i = 1; i <= clients; i++) {
      var request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/auth/login"))
              .header("Content-Type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofString(credentials(i)))
              .build();
      var response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != 200) {
        throw new IOException("login: " + response.statusCode() + " " + response.body());
      }
      var session = new Session();
      session.answered("", response.body());
      int at = response.body().indexOf("\"access_token\":\"");
      session.access = response.body().substring(at + 16, response.body().indexOf('"', at + 16));
      sessions.add(session);
    }
    return sessions;
  }

  private static String credentials(long account) {
    return "{\"email\":\"bench" + account + "@example.com\",\"password\":\"" + PASSWORD + "\"}";
  }

  private static List<Load.Client> checks(List<Session> sessions) {
    return sessions.stream().<Load.Client>map(session -> session::check).toList();
  }

  private static List<Load.Client> logins(int clients) {
    return clients(clients, () -> post("/auth/login", credentials(1 + UNIQUE.incrementAndGet() % 10_000)));
  }

  private List<Load.Client> codes() {
    return clients(
        clients,
        () ->
            post(
                "/auth/generate-otp",
                "{\"email\":\"new" + UNIQUE.incrementAndGet() + "@example.com\",\"purpose\":\"login\"}"));
  }

  private static List<Load.Client> clients(int count, Load.Client client) {
    return new ArrayList<>(java.util.Collections.nCopies(count, client));
  }

  private static byte[] post(String path, String body) {
    return ("POST " + path + " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: "
            + body.length() + "\r\n\r\n" + body)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  /** The statement of a rotation, on one row of those that COPY made. */
  private Path script() throws IOException {
    return Files.writeString(
        work.resolve("refresh.sql"),
        """
        \\set k random(1, 10000)
        UPDATE sessions SET current_number = current_number + 1, previous_number = current_number,
          oldest_number = previous_number, changed_at = 1, previous_seen_at = 0,
          idle_expires_at = 4102444800000
        WHERE id = md5('s' || :k) AND previous_seen_at = 0 AND ended_at IS NULL;
        """);
  }

  /** By requests, not by time: on a busy machine the compiler is late too. */
  private void warmUp(
      Server durable, Server graced, Server empty, List<Session> sessions, List<Session> repeated)
      throws IOException {
    warmUp(durable, sessions);
    warmUp(graced, repeated);
    warmUp(durable, checks(sessions));
    warmUp(empty, checks(sessions));
    warmUp(durable, codes());
  }

  private void warmUp(Server server, List<? extends Load.Client> clients) throws IOException {
    long end = System.nanoTime() + (smoke ? 300_000_000L : 90_000_000_000L);
    int most = smoke ? 1_000 : 60_000;
    for (int count = 0; count < most && System.nanoTime() < end; ) {
      count += Load.run(server.port(), clients, smoke ? 0.2 : 2, 0).micros().length;
    }
  }

  private void measure(
      String name, Server server, Postgres postgres, List<? extends Load.Client> clients, double rate)
      throws IOException {
    double service = server.cpu();
    double database = postgres.server().cpu();
    Load.Result result = Load.run(server.port(), clients, seconds, rate);
    double count = Math.max(1, result.micros().length);
    note(name, result.perSecond());
    note(name + ", p99 ms", result.percentile(0.99) / 1000);
    note(name + ", service CPU us", (server.cpu() - service) * 1e6 / count);
    note(name + ", database CPU us", (postgres.server().cpu() - database) * 1e6 / count);
    if (result.failures() > 0) {
      note(name + ", refused", result.failures());
    }
  }

  /** Refreshes at a third of their most, by an open load, alone and while logins saturate. */
  private void calmAndBusy(Server server, List<Session> sessions) throws Exception {
    double rate = Math.max(50, median("refresh") * 0.2);
    note("refresh p99 alone, ms", Load.run(server.port(), sessions, seconds, rate).percentile(0.99) / 1000);
    Thread crowd =
        Thread.ofPlatform()
            .start(() -> {
              try {
                Load.run(server.port(), logins(32), seconds + 1, 0);
              } catch (IOException failure) {
                System.err.println(failure);
              }
            });
    Thread.sleep(500);
    note("refresh p99 beside logins, ms", Load.run(server.port(), sessions, seconds, rate).percentile(0.99) / 1000);
    crowd.join();
  }

  private static PasswordHasher hasher() {
    return new PasswordHasher(
        PasswordHasher.Scheme.ARGON2ID,
        () -> false,
        Secrets.secure(),
        new io.micrometer.core.instrument.simple.SimpleMeterRegistry());
  }

  /** Comparisons per second that the cores manage with the service's own hasher. */
  private double hashes() throws Exception {
    try (var hasher = hasher()) {
      String stored = hasher.hash(Secret.of(PASSWORD));
      var count = new AtomicLong();
      long start = System.nanoTime();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
        threads.add(
            Thread.ofPlatform()
                .start(() -> {
                  while (System.nanoTime() - start < seconds * 1e9) {
                    hasher.verify(Secret.of(PASSWORD), Optional.of(stored));
                    count.incrementAndGet();
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      return count.get() / ((System.nanoTime() - start) / 1e9);
    }
  }

  /** Share of updates that stayed on their page and touched no index (HOT). */
  private void hot(Postgres postgres) throws Exception {
    postgres.sql("small", "SELECT pg_sleep(1)");
    note(
        "HOT updates of sessions, %",
        Double.parseDouble(
            postgres.sql("small", "SELECT 100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1) FROM pg_stat_user_tables WHERE relname = 'sessions'").strip()));
  }

  /** The same work beside 10 thousand accounts and beside many. */
  private void growth(Postgres postgres) throws Exception {
    try (Server big = service(postgres, "big", Map.of("REFRESH_REUSE_GRACE_SECONDS", "0"));
        Server small = service(postgres, "small", Map.of("REFRESH_REUSE_GRACE_SECONDS", "0"))) {
      accounts(postgres, "big", accounts);
      note("big: accounts", accounts);
      note("big: sessions and indexes, MB", Double.parseDouble(postgres.sql("big", "SELECT pg_total_relation_size('sessions') / 1048576.0").strip()));
      note("big: accounts and indexes, MB", Double.parseDouble(postgres.sql("big", "SELECT pg_total_relation_size('users') / 1048576.0").strip()));
      List<Session> few = sessions(small.port());
      List<Session> many = sessions(big.port());
      warmUp(small, few);
      warmUp(big, many);
      for (int round = 1; round <= rounds; round++) {
        measure("small refresh", small, postgres, few, 0);
        measure("big refresh", big, postgres, many, 0);
        note("small clean-up, ms", cleanUp(postgres, "small"));
        note("big clean-up, ms", cleanUp(postgres, "big"));
      }
    }
  }

  /** Deletes a thousand events by their index, as a clean-up does. */
  private static double cleanUp(Postgres postgres, String database) throws Exception {
    String plan =
        postgres.sql(
            database,
            "EXPLAIN (ANALYZE, TIMING OFF) DELETE FROM security_events WHERE ctid = ANY (ARRAY("
                + "SELECT ctid FROM security_events WHERE at < 1800000000000 ORDER BY at LIMIT 1000))");
    return plan.lines()
        .filter(line -> line.startsWith("Execution Time: "))
        .map(line -> Double.parseDouble(line.split(" ")[2]))
        .findFirst()
        .orElseThrow();
  }

  private void note(String name, double value) {
    samples.computeIfAbsent(name, _ -> new ArrayList<>()).add(value);
  }

  private double median(String name) {
    double[] sorted = samples.getOrDefault(name, List.of(0.0)).stream().mapToDouble(it -> it).sorted().toArray();
    return sorted[sorted.length / 2];
  }

  /** The median of the rounds' own ratios: what disturbs a round disturbs both of its sides. */
  private String ratio(String name, String to, DoubleUnaryOperator form) {
    List<Double> one = samples.get(name);
    List<Double> other = samples.get(to);
    double[] ratios = new double[Math.min(one.size(), other.size())];
    Arrays.setAll(ratios, i -> form.applyAsDouble(one.get(i) / other.get(i)));
    Arrays.sort(ratios);
    return String.format(
        Locale.ROOT, "%.2f (%.2f to %.2f)", ratios[ratios.length / 2], ratios[0], ratios[ratios.length - 1]);
  }

  private void print() throws IOException {
    List<String[]> table = new ArrayList<>();
    table.add(new String[] {"work", "measured", "to reach"});
    table.add(new String[] {"refresh, durable", ratio("refresh", "pgbench, one row each", it -> it), ">= 1.5, then 2.0 x pgbench"});
    table.add(new String[] {"refresh inside the grace", ratio("refresh inside the grace", "refresh", it -> it), ">= 1.5 x refresh, durable"});
    table.add(new String[] {"GET /auth/check", ratio("check", "empty endpoint", it -> it), ">= 0.8 x empty endpoint"});
    table.add(new String[] {"login", ratio("login", "hashes", it -> it), ">= 0.9 x hashes of the cores"});
    table.add(new String[] {"refresh p99 beside logins", String.format(Locale.ROOT, "%.1f ms, alone %.1f ms", median("refresh p99 beside logins, ms"), median("refresh p99 alone, ms")), "<= 2 x alone, or < 20 ms"});
    table.add(new String[] {"generate-otp", ratio("generate-otp", "pgbench, one row each", it -> it), ">= 0.5 x pgbench"});
    table.add(new String[] {"start on SQLite", String.format(Locale.ROOT, "%.2f s", median("start on SQLite, s")), "<= 0.6 s"});
    table.add(new String[] {"memory after start", String.format(Locale.ROOT, "%.0f MB", median("memory after start on SQLite, MB")), "<= 110 MB"});
    table.add(new String[] {"memory under load", String.format(Locale.ROOT, "%.0f MB", median("memory under load, MB")), "<= 256 MB"});
    table.add(new String[] {"growth to " + accounts + ": refresh", ratio("small refresh", "big refresh", it -> it), "<= 1.3 x at 10,000"});
    table.add(new String[] {"growth to " + accounts + ": clean-up", ratio("big clean-up, ms", "small clean-up, ms", it -> it), "<= 1.3 x at 10,000"});
    for (String[] row : table) {
      System.out.printf("%-32s %-28s %s%n", row[0], row[1], row[2]);
    }
    System.out.println();
    StringBuilder json = new StringBuilder("{");
    samples.forEach((name, values) -> {
      System.out.printf(Locale.ROOT, "%-42s %10.2f   %s%n", name, median(name), values.stream().map(it -> String.format(Locale.ROOT, "%.1f", it)).toList());
      json.append(json.length() > 1 ? ",\n" : "\n").append("  \"").append(name).append("\": ").append(values);
    });
    Path file = jar.getParent().getParent().resolve("bench.json");
    Files.writeString(file, json.append("\n}\n"));
    System.out.println("\nEvery sample: " + file);
  }

  private static void remove(Path folder) {
    try (var paths = Files.walk(folder)) {
      paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
    } catch (IOException failure) {
      System.err.println("left behind: " + folder);
    }
  }
}
