import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.authservice.operations.Logging;
import org.authservice.settings.LogSettings;

/**
 * Measures the service side by side with what the machine can do, in interleaved rounds, on a real
 * PostgreSQL with durable commits, and prints ratios: absolute figures mean nothing on a machine
 * that others use. Everything goes to loopback and ends by itself.
 */
final class Bench {
  private static final Map<String, String> DURABLE = Map.of("REFRESH_REUSE_GRACE_SECONDS", "0");

  private final Options options;
  private final Path work;
  private final Samples samples = new Samples();

  private Bench(Options options, Path work) {
    this.options = options;
    this.work = work;
  }

  public static void main(String[] arguments) throws Exception {
    Options options = Options.of(arguments);
    Logging.configure(new LogSettings("WARN", false, Optional.empty()));
    Path work = Files.createTempDirectory("auth-bench");
    Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(work)));
    int code = 1;
    try {
      new Bench(options, work).run();
      code = 0;
    } catch (Throwable failure) {
      failure.printStackTrace();
    }
    System.exit(code); // threads that somebody left behind do not keep it
  }

  private void run() throws Exception {
    if (options.asks("start")) {
      start();
    }
    try (Postgres postgres = Postgres.start(work)) {
      System.err.println(postgres.description());
      rows(postgres);
      if (options.asks("growth")) {
        new Growth(options, postgres, samples).run(work);
      }
    }
    new Table(samples, !options.smoke()).print(options.many());
    samples.write(options.root().resolve(options.smoke() ? "target/bench-smoke.json" : "target/bench.json"));
  }

  /** From the start of the process to the first healthy answer, on SQLite. */
  private void start() throws Exception {
    Path database = work.resolve("start.db");
    for (int i = 0; i <= Math.max(options.rounds(), options.smoke() ? 1 : 9); i++) {
      try (Service service = Service.start(options, work, Map.of("DATABASE_URL", "sqlite:///" + database))) {
        if (i > 0) { // the first makes the database
          samples.note("start on SQLite, s", service.server().startSeconds());
          samples.note("memory after start on SQLite, MB", service.server().megabytes());
        }
      }
    }
  }

  private void rows(Postgres postgres) throws Exception {
    postgres.create("few");
    // Nodes of one installation take the longest grace of them all: with one, nothing would rotate.
    postgres.create("graced");
    try (Service durable = Service.start(options, work, postgres.environment("few", DURABLE));
        Service graced = Service.start(options, work, postgres.environment("graced", Map.of()));
        Service empty = Service.empty(options, work)) {
      Accounts.fill(postgres, "few", options.few());
      Accounts.fill(postgres, "graced", options.few());
      List<Load.Client> rotating = Clients.refreshing(postgres, "few", options.clients(), options.few());
      List<Load.Client> repeating = Clients.signedIn(graced, options.clients());
      List<Load.Client> checking = Clients.checking(durable, options.clients());
      List<Load.Client> codes = Clients.askingForCodes(options.clients());
      warmUp(durable, "refresh", rotating, 1_000_000);
      warmUp(graced, "refresh inside the grace", repeating, 1_000_000);
      warmUp(durable, "check", checking, 1_000_000);
      warmUp(empty, "check", checking, 1_000_000);
      warmUp(durable, "generate-otp", codes, 300_000); // each leaves rows behind
      warmUp(durable, "login", Clients.loggingIn(8, options.few()), 2_000); // half a minute
      for (int round = 1; round <= options.rounds(); round++) {
        System.err.printf("round %d of %d%n", round, options.rounds());
        samples.note("pgbench, one row each", postgres.updatesPerSecond("few", options.few(), options.seconds()));
        measure("refresh", durable, postgres, rotating);
        measure("refresh inside the grace", graced, postgres, repeating);
        if (options.asks("check")) {
          measure("check", durable, postgres, checking);
          samples.measure("empty endpoint", load(checking, 0), empty.server(), postgres.server());
        }
        if (options.asks("login")) {
          logins(durable, postgres);
          besideLogins(durable, rotating);
        }
        measure("generate-otp", durable, postgres, codes);
      }
      samples.note("memory under load, MB", durable.server().megabytes());
      hot(postgres);
    }
  }

  /**
   * By requests, not by time: on a busy machine the compiler is late too. It goes on compiling for
   * about a million, on the cores that are measured.
   */
  private void warmUp(Service service, String row, List<Load.Client> clients, int requests)
      throws IOException {
    if (!options.asks(row)) {
      return;
    }
    long end = System.nanoTime() + (options.smoke() ? 300_000_000L : 90_000_000_000L);
    int most = options.smoke() ? 1_000 : requests;
    for (int count = 0; count < most && System.nanoTime() < end; ) {
      Load.Result result = new Load(clients, options.smoke() ? 0.2 : 2, 0).run(service.port());
      samples.failed("warming up " + row, result);
      if (result.perSecond() == 0) {
        throw new IOException("no good answer while warming up " + row + ", see the service's log");
      }
      count += result.micros().length;
    }
  }

  private Load load(List<Load.Client> clients, double rate) {
    return new Load(clients, options.seconds(), rate);
  }

  private void measure(String row, Service service, Postgres postgres, List<Load.Client> clients)
      throws IOException {
    if (options.asks(row)) {
      samples.measure(row, load(clients, 0), service.server(), postgres.server());
    }
  }

  /** In turns of a second: how fast memory is differs more from moment to moment than these do. */
  private void logins(Service service, Postgres postgres) throws Exception {
    double turn = Math.min(1, options.seconds());
    for (double left = options.seconds(); left > 0; left -= turn) {
      var load = new Load(Clients.loggingIn(8, options.few()), turn, 0);
      samples.measure("login", load, service.server(), postgres.server());
      samples.note("hashes", Hashing.perSecond(turn));
    }
  }

  /** Refreshes at a fifth of their most, by an open load, alone and while logins saturate. */
  private void besideLogins(Service service, List<Load.Client> rotating) throws Exception {
    double rate = Math.max(50, samples.median("refresh") * 0.2);
    note("refresh p99 alone, ms", load(rotating, rate).run(service.port()));
    var crowd = Load.crowd(service.port(), Clients.loggingIn(32, options.few()));
    note("refresh p99 beside logins, ms", load(rotating, rate).run(service.port()));
    crowd.close();
  }

  private void note(String name, Load.Result result) {
    samples.note(name, result.percentile(0.99) / 1000);
    samples.failed(name, result);
  }

  /** Share of updates that stayed on their page and touched no index (HOT). */
  private void hot(Postgres postgres) throws Exception {
    postgres.sql("few", "SELECT pg_stat_clear_snapshot()");
    samples.note(
        "HOT updates of sessions, %",
        Double.parseDouble(
            postgres.sql(
                "few",
                "SELECT 100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1) FROM pg_stat_user_tables"
                    + " WHERE relname = 'sessions'")));
  }

  private static void remove(Path folder) {
    try (var paths = Files.walk(folder)) {
      paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
    } catch (IOException failure) {
      System.err.println("left behind: " + folder);
    }
  }
}
