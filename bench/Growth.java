import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The same work beside few accounts and beside many: what it costs, and what the tables take. */
final class Growth {
  private final Options options;
  private final Postgres postgres;
  private final Samples samples;

  Growth(Options options, Postgres postgres, Samples samples) {
    this.options = options;
    this.postgres = postgres;
    this.samples = samples;
  }

  void run(Path work) throws Exception {
    Map<String, String> durable = Map.of("REFRESH_REUSE_GRACE_SECONDS", "0");
    postgres.create("small"); // not that of the other rows, which have changed its sessions
    postgres.create("many");
    try (Service small = Service.start(options, work, postgres.environment("small", durable));
        Service big = Service.start(options, work, postgres.environment("many", durable))) {
      Accounts.fill(postgres, "small", options.few());
      Accounts.fill(postgres, "many", options.many());
      sizes();
      // As many sessions in both, spread over the whole table.
      var few = new Side("small", small, options.few());
      var many = new Side("many", big, options.many());
      for (int round = 0; round <= options.rounds(); round++) {
        System.err.printf("growth, round %d of %d%n", round, options.rounds());
        few.measure(round > 0);
        many.measure(round > 0);
      }
    }
  }

  private void sizes() throws Exception {
    for (String table : List.of("users", "sessions", "security_events")) {
      samples.note("many: " + table + ", MB", Accounts.megabytes(postgres, "many", table));
      samples.note("many: " + table + ", of that indexes, MB", Accounts.indexMegabytes(postgres, "many", table));
    }
  }

  private final class Side {
    private final String database;
    private final Service service;
    private final int accounts;
    private final List<Load.Client> refreshing;
    private final List<Load.Client> checking;

    Side(String database, Service service, int accounts) throws Exception {
      this.database = database;
      this.service = service;
      this.accounts = accounts;
      this.refreshing = Clients.refreshing(postgres, database, options.clients(), options.few());
      this.checking = Clients.checking(service, options.clients());
    }

    void measure(boolean counts) throws Exception {
      cost("refresh", refreshing, counts);
      cost("check", checking, counts);
      cost("login", Clients.loggingIn(8, accounts), counts);
      double[] millis = {cleanUp(), cleanUp(), cleanUp()}; // a checkpoint may hold up one of them
      Arrays.sort(millis);
      if (counts) {
        samples.note(database + ": clean-up, cost", millis[1]);
      }
    }

    /** Processor time of a request in both processes; the first round only warms up. */
    private void cost(String row, List<Load.Client> clients, boolean counts) throws Exception {
      double before = service.server().cpu() + postgres.server().cpu();
      Load.Result result = new Load(clients, options.seconds(), 0).run(service.port());
      double taken = service.server().cpu() + postgres.server().cpu() - before;
      samples.failed(database + ": " + row, result);
      if (counts) {
        samples.note(database + ": " + row + ", cost", taken * 1e6 / Math.max(1, result.micros().length));
        samples.note(database + ": " + row, result.perSecond());
      }
    }

    /** Deletes events by their index, as a clean-up does, and tells its milliseconds. */
    private double cleanUp() throws Exception {
      String plan =
          postgres.sql(
              database,
              "EXPLAIN (ANALYZE, TIMING OFF) DELETE FROM security_events WHERE ctid = ANY (ARRAY("
                  + "SELECT ctid FROM security_events WHERE at < 4102444800000 ORDER BY at LIMIT "
                  + Math.min(1_000, options.few() / 20) // so that all rounds find as many
                  + " FOR UPDATE SKIP LOCKED))");
      return plan.lines()
          .filter(line -> line.startsWith("Execution Time: "))
          .map(line -> Double.parseDouble(line.split(" ")[2]))
          .findFirst()
          .orElseThrow();
    }
  }
}
